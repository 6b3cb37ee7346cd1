"""Engines that run the network of a prediction: the packages and precisions of each, and what it cannot do."""

from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from typing import NamedTuple, get_args

from mtlaerial.config.precision import Precision
from mtlaerial.config.prediction import EngineName, PredictionSpec
from mtlaerial.errors import ConfigError


class _Compiler(NamedTuple):
    """An engine that compiles a network: the packages that it needs, the extra that has them, and its precisions."""

    packages: Sequence[str]
    extra: str
    precisions: Sequence[Precision]


CPU_ENGINES: tuple[EngineName, ...] = ("openvino", "onnxruntime")
"""Engines that do not run on a GPU."""
_COMPILERS: dict[EngineName, _Compiler] = {
    "inductor": _Compiler((), "", get_args(Precision)),
    "openvino": _Compiler(("openvino", "onnx", "onnxscript"), "openvino", ("32-true", "bf16-mixed")),
    "onnxruntime": _Compiler(("onnxruntime", "onnx", "onnxscript"), "export", ("32-true",)),
}


def require_engine(prefix: str, prediction: PredictionSpec, precisions: Iterable[Precision]) -> None:
    """Refuse an engine that is not installed, or cannot do what a prediction asks for.

    Parameters
    ----------
    prefix : str
        Of the keys in messages, e.g. ``prediction.``.
    prediction : PredictionSpec
    precisions : iterable of Precision
        Of the trainings of its networks, which count where the prediction states none.

    Raises
    ------
    ConfigError
        For a GPU, passes with dropout, or a precision that the engine has not; and for a package that is missing.
    """
    compiler = _COMPILERS.get(prediction.engine)
    if compiler is None:
        return
    key, name = f"{prefix}engine", prediction.engine
    if prediction.device == "cuda" and name in CPU_ENGINES:
        raise ConfigError(key, f"{name}, and the device cuda", "torch or inductor on a GPU", "Write one, or cpu.")
    if prediction.dropout_passes:
        observed = f"{name}, and {prediction.dropout_passes} passes with dropout"
        raise ConfigError(key, observed, "torch, or no such passes", "Write torch, or 0 passes.")
    for precision in precisions:
        _require_precision(prefix, prediction, prediction.precision or precision, compiler.precisions)
    absent = [package for package in compiler.packages if find_spec(package) is None]
    if absent:
        remedy = f"Install it with: pip install 'mtlaerial[{compiler.extra}]', or write torch."
        raise ConfigError(key, f"{name}, and no package {' or '.join(absent)}", "an engine that is installed", remedy)


def _require_precision(
    prefix: str, prediction: PredictionSpec, precision: Precision, possible: Sequence[Precision]
) -> None:
    if precision in possible:
        return
    source = "" if prediction.precision else ", which is that of the training"
    observed = f"{precision}{source}, and the engine {prediction.engine}"
    raise ConfigError(f"{prefix}precision", observed, " or ".join(possible), "Write it, or the engine torch.")
