"""OpenVINO as an engine, on the CPU."""

from functools import cache
from typing import TYPE_CHECKING, Any

from mtlaerial.config.precision import Precision
from mtlaerial.errors import DeviceError
from mtlaerial.models import Network
from mtlaerial.prediction.engines.compiled_engine import CompiledEngine, Program, Window

if TYPE_CHECKING:
    import openvino

_DTYPES: dict[Precision, str] = {"32-true": "f32", "bf16-mixed": "bf16"}


class OpenVINOEngine(CompiledEngine):
    """A network in OpenVINO.

    Parameters
    ----------
    network : Network
        On the CPU, in evaluation mode.
    precision : Precision
        ``32-true`` or ``bf16-mixed``.
    threads : int

    Raises
    ------
    DeviceError
        For bf16 on a processor without units for it.
    """

    def __init__(self, network: Network, precision: Precision, threads: int) -> None:
        super().__init__(network)
        self._core = _core()
        if precision == "bf16-mixed" and "BF16" not in self._core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
            observed = "bf16-mixed with openvino, on a processor without units for it"
            raise DeviceError("prediction.precision", observed, "32-true", "Write it, or the engine torch.")
        self._settings = {
            "INFERENCE_PRECISION_HINT": _DTYPES[precision],
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": 1,
            "PERFORMANCE_HINT": "LATENCY",
            # A thread that is bound to a core waits for it while another process works there.
            "ENABLE_CPU_PINNING": False,
        }

    def compile(self, graph: bytes) -> Program:
        """Return the program of an ONNX file."""
        # Not convert_model(), which reports its use to a server.
        request = self._core.compile_model(self._core.read_model(graph), "CPU", self._settings).create_infer_request()

        def run(window: Window) -> dict[str, Any]:
            outputs = request.infer([window], share_inputs=True)
            return {output.get_any_name(): values for output, values in outputs.items()}

        return run


@cache
def _core() -> "openvino.Core":
    """Return OpenVINO's core, one for the life of the process.

    Each core brings a stack for handlers of signals, and a second one that ends puts that of the first back: where the
    first has ended before, SIGTERM and Ctrl-C end the process by a segmentation fault.
    """
    import openvino

    return openvino.Core()
