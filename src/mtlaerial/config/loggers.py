"""The registry of loggers of trainings, which the key ``loggers`` names."""

from importlib.util import find_spec
from typing import Annotated

from pydantic import AfterValidator, Field

from mtlaerial.config.encoder import require_registered
from mtlaerial.config.faults import Unfit
from mtlaerial.config.registry import Registry

LOGGERS = Registry(
    "logger",
    "mtlaerial.loggers",
    {"tensorboard": "mtlaerial.dashboard.tensorboard:TensorBoard"},
    "Install the package that has it.",
)
"""Loggers: each is called with a training's job and returns a :class:`mtlaerial.training.watcher.Watcher`."""
_PACKAGES = {"tensorboard": "tensorboard"}
"""Packages that the loggers above need."""


def _installed(name: str) -> str:
    require_registered(LOGGERS, name)
    package = _PACKAGES.get(name)
    if package and find_spec(package) is None:
        remedy = f"Install it: pip install 'mtlaerial[{name}]'; or remove {name} from loggers."
        raise Unfit("", f"{name} without the package {package}", "a logger whose package is installed", remedy)
    return name


Logger = Annotated[str, AfterValidator(_installed), Field(json_schema_extra={"examples": [*LOGGERS.builtin]})]
"""Name of a logger."""
