"""Engines that compile a network's ONNX graph for windows of one size."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mtlaerial.config import Task
from mtlaerial.export.formats import onnx_model
from mtlaerial.models import Network

Window = NDArray[np.float32]
"""A window as a batch of one, shape (1, channels, rows, columns)."""
Program = Callable[[Window], Mapping[Task, NDArray[np.float32]]]
"""From a window to each task's output, in arrays that no later call writes to."""
SIZES = 6
"""Sizes of windows whose programs stay in memory: as many as views of a window have, turned and at three scales."""
log = logging.getLogger(__name__)


class CompiledEngine(ABC):
    """A network as one program per size of windows, which runs a window at a time.

    Sizes are fixed: a graph for any size takes torch's exporter several times as long, and runs more slowly.

    Parameters
    ----------
    network : Network
        On the CPU, in evaluation mode.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self._program = lru_cache(SIZES)(self._compiled)

    def __call__(self, image: Tensor) -> Mapping[Task, Tensor]:
        """Return each task's output, float32."""
        program = self._program(*image.shape[1:])
        windows = image.float().contiguous().numpy()
        outputs = [program(windows[index : index + 1]) for index in range(len(windows))]
        return {task: torch.from_numpy(np.concatenate([each[task] for each in outputs])) for task in outputs[0]}

    @abstractmethod
    def compile(self, graph: bytes) -> Program:
        """Return the program of an ONNX file."""

    def _compiled(self, channels: int, rows: int, columns: int) -> Program:
        log.info("compiling the network for windows of %d x %d pixels", rows, columns)
        return self.compile(onnx_graph(self._network, torch.zeros(1, channels, rows, columns)))


def onnx_graph(network: Network, example: Tensor) -> bytes:
    """Return a network as an ONNX file for images of an example's shape, with an output per task."""
    with torch.inference_mode(False), torch.no_grad():
        # Made here: torch.export takes no tensors of the inference mode.
        program = torch.export.export(network, (torch.zeros(example.shape),))
    model: Any = onnx_model(program, network.tasks)
    return model.SerializeToString()  # type: ignore[no-any-return]  # onnx has no types
