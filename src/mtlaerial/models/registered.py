"""Building of what a registry names."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

from mtlaerial.config.registry import Registry
from mtlaerial.errors import ConfigError, UserError

Built = TypeVar("Built")


def build_registered(
    registry: Registry, name: str, kind: Callable[..., Built], options: Mapping[str, Any], **arguments: Any
) -> Built:
    """Call the function of a registry by name.

    Parameters
    ----------
    registry : Registry
    name : str
    kind : type
        What the function must return.
    options : mapping of str to Any
        Keywords that the configuration gives.
    arguments
        Keywords that every function of the registry takes.

    Raises
    ------
    ConfigError
        When nothing has that name, the function raises, e.g. for an option that it does not have, or returns something
        else.
    """
    build = registry.load(name)
    try:
        built = build(**arguments, **options)
    except UserError:
        raise
    except Exception as error:  # anything may happen in another package
        problem = f"{type(error).__name__}: {' '.join(str(error).split())}"
        given = ", ".join(f"{key}: {value}" for key, value in {**arguments, **options}.items())
        expected = f"options that {registry.target(name)} takes"
        raise ConfigError(f"{registry.kind} {name}", f"{problem} for {given}", expected, "Correct them.") from None
    if not isinstance(built, kind):  # type: ignore[arg-type]  # a class, perhaps an abstract one
        expected = f"a {kind.__module__}.{kind.__qualname__}"
        raise registry.registered_wrongly(name, f"a {type(built).__qualname__}", expected)
    return cast("Built", built)
