"""Packages that encoders need and that are installed as extras of this package."""

from importlib import import_module
from types import ModuleType

from mtlaerial.errors import ConfigError, deepest_cause


def import_extra(package: str) -> ModuleType:
    """Import a package that has an extra of its own name.

    Raises
    ------
    ConfigError
        When it is not installed, or does not work with the installed torch.
    """
    remedy = f"Install it with: pip install 'mtlaerial[{package}]'"
    try:
        return import_module(package)
    except ModuleNotFoundError as error:
        if error.name != package:
            raise ConfigError(
                f"encoder {package}", f"no package {error.name}", f"what {package} needs", remedy
            ) from None
        raise ConfigError(f"encoder {package}", f"no package {package}", "it to be installed", remedy) from None
    except Exception as error:  # compiled parts of another version of torch fail in any way
        problem = f"{package}, whose import fails with {type(error).__name__}: {deepest_cause(error)}"
        remedy = f"Install both anew with: pip install --force-reinstall 'mtlaerial[{package}]'"
        raise ConfigError(f"encoder {package}", problem, "a version that fits the installed torch", remedy) from None
