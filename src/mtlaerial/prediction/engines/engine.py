"""The interface of engines, and the choice of one by name."""

from collections.abc import Mapping
from typing import Protocol

import torch
from torch import Tensor

from mtlaerial.config import Task
from mtlaerial.config.precision import Precision
from mtlaerial.config.prediction import EngineName
from mtlaerial.models import Network


class Engine(Protocol):
    """A network with what runs it."""

    def __call__(self, image: Tensor) -> Mapping[Task, Tensor]:
        """Return each task's output, as :meth:`mtlaerial.models.Network.forward` does.

        Parameters
        ----------
        image : Tensor, shape (batch, channels, rows, columns), float32 in [-1, 1]
        """
        ...


def build_engine(name: EngineName, network: Network, precision: Precision, device: torch.device) -> Engine:
    """Return a network with the named engine, which :func:`mtlaerial.config.engines.require_engine` has accepted.

    Compilers use torch's number of threads at this call.

    Parameters
    ----------
    name : EngineName
    network : Network
        In evaluation mode, on the device.
    precision : Precision
    device : torch.device

    Raises
    ------
    DeviceError
        When the processor lacks the units of a precision.
    """
    threads = torch.get_num_threads()
    if name == "openvino":
        from mtlaerial.prediction.engines.openvino_engine import OpenVINOEngine

        return OpenVINOEngine(network, precision, threads)
    if name == "onnxruntime":
        from mtlaerial.prediction.engines.onnxruntime_engine import ONNXRuntimeEngine

        return ONNXRuntimeEngine(network, threads)
    if name == "inductor":
        from mtlaerial.prediction.engines.inductor_engine import InductorEngine

        return InductorEngine(network, precision, device)
    from mtlaerial.prediction.engines.torch_engine import TorchEngine

    return TorchEngine(network, precision, device)
