"""ONNX Runtime as an engine, on the CPU and in float32."""

from mtlaerial.models import Network
from mtlaerial.prediction.engines.compiled_engine import CompiledEngine, Program


class ONNXRuntimeEngine(CompiledEngine):
    """A network in ONNX Runtime.

    Parameters
    ----------
    network : Network
        On the CPU, in evaluation mode.
    threads : int
    """

    def __init__(self, network: Network, threads: int) -> None:
        super().__init__(network)
        self._threads = threads

    def compile(self, graph: bytes) -> Program:
        """Return the program of an ONNX file."""
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._threads
        options.log_severity_level = 3  # errors alone
        # Threads that wait sleep: others may have work for their cores.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        (image,), tasks = session.get_inputs(), [output.name for output in session.get_outputs()]
        return lambda window: dict(zip(tasks, session.run(tasks, {image.name: window}), strict=True))
