"""torch.compile as an engine: Inductor's code, on a GPU in CUDA graphs, whose kernels are launched at once."""

from collections.abc import Mapping

import torch
from torch import Tensor
from torch._dynamo.exc import TorchDynamoException

from mtlaerial.config import Task
from mtlaerial.config.precision import Precision
from mtlaerial.errors import DeviceError, deepest_cause
from mtlaerial.models import Network
from mtlaerial.prediction.engines.torch_engine import in_precision
from mtlaerial.system.compile_cache import keep_compiled_code


class InductorEngine:
    """A network compiled for each shape of a batch.

    Parameters
    ----------
    network : Network
        In evaluation mode.
    precision : Precision
    device : torch.device
        That of the network.
    """

    def __init__(self, network: Network, precision: Precision, device: torch.device) -> None:
        keep_compiled_code()
        self._precision, self._device = precision, device
        mode = "reduce-overhead" if device.type == "cuda" else "default"
        self._network = torch.compile(network, mode=mode, dynamic=False)

    def __call__(self, image: Tensor) -> Mapping[Task, Tensor]:
        """Return each task's output, in the precision's dtype.

        Raises
        ------
        DeviceError
            When there is no compiler that works.
        """
        torch.compiler.cudagraph_mark_step_begin()  # type: ignore[no-untyped-call]  # torch has no type there
        try:
            with in_precision(self._precision, self._device):
                outputs = self._network(image)
        except TorchDynamoException as error:
            observed = f"inductor, which fails: {deepest_cause(error)[:200]}"
            raise DeviceError("prediction.engine", observed, "a working compiler", "Write torch.") from error
        # The memory of a CUDA graph is that of its next run, too.
        return {task: output.clone() for task, output in outputs.items()}
