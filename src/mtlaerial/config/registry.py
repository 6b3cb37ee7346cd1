"""Registries of named things that are imported on use, and that other packages add to by entry points."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from operator import attrgetter
from typing import Any

from mtlaerial.config.faults import did_you_mean
from mtlaerial.errors import ConfigError

REGISTERED_WRONGLY = "Correct the package that registers it."
"""Remedy for faults of other packages."""
EXTRAS = {"cvxpy": "train", "torchjd": "train"}
"""Extras of this package by the packages that they install and that named things import."""


@dataclass(frozen=True)
class Registry:
    """Modules and attributes by name; nothing is imported before it is used.

    Attributes
    ----------
    kind : str
        What the names are of, in messages, e.g. ``encoder``.
    group : str
        Group of the entry points by which other packages register theirs.
    builtin : mapping of str to str
        ``module:attribute`` of those of this package.
    remedy : str
        Advice where a name has no close match.
    """

    kind: str
    group: str
    builtin: Mapping[str, str]
    remedy: str

    def targets(self) -> dict[str, str]:
        """Return ``module:attribute`` by name, also of other packages; a name of this package wins."""
        return {**{point.name: point.value for point in entry_points(group=self.group)}, **self.builtin}

    def target(self, name: str) -> str:
        """Return ``module:attribute`` of a name.

        Raises
        ------
        ConfigError
            When nothing has that name.
        """
        if name in self.builtin:  # without a search of the installed packages, which is slow
            return self.builtin[name]
        targets = self.targets()
        if name not in targets:
            remedy = did_you_mean(name, targets, self.remedy)
            listed = ", ".join(sorted(targets)) or "a name that an installed package registers"
            raise ConfigError(f"{self.kind}, key name", repr(name), f"one of {listed}", remedy)
        return targets[name]

    def load(self, name: str) -> Any:
        """Import what has a name.

        Raises
        ------
        ConfigError
            When nothing has that name, or it cannot be imported.
        """
        target = self.target(name)
        module, _, attribute = target.partition(":")
        try:
            return attrgetter(attribute)(import_module(module))
        except ConfigError:
            raise
        except ModuleNotFoundError as error:
            if error.name not in EXTRAS:
                problem = f"ModuleNotFoundError: {error}"
                raise self.registered_wrongly(name, problem, f"an object at {target}") from None
            remedy = f"Install it with: pip install 'mtlaerial[{EXTRAS[error.name]}]'"
            raise ConfigError(f"{self.kind} {name}", f"no package {error.name}", "it to be installed", remedy) from None
        except (Exception, SystemExit) as error:  # anything may happen while another package is imported
            problem = f"{type(error).__name__}: {' '.join(str(error).split())}"
            raise self.registered_wrongly(name, problem, f"an object at {target}") from None

    def registered_wrongly(self, name: str, problem: str, expected: str) -> ConfigError:
        """Return the error of a name behind which there is something else than what the registry is for."""
        return ConfigError(f"{self.kind} {name}", problem, expected, REGISTERED_WRONGLY)
