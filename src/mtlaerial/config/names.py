"""Names in the configuration: of files and folders, and lists of names that are described in a section."""

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

from mtlaerial.config.faults import Unfit, did_you_mean


def _without_braces(path: Path) -> Path:
    if {"{", "}"} & set(str(path)):
        raise ValueError("a path without braces, which the workflow takes for a wildcard")
    return path


def _on_one_line(text: str) -> str:
    return " ".join(text.split())


Sentence = Annotated[str, AfterValidator(_on_one_line)]
"""Text of messages, which are one line each, however YAML folds it."""
PlainPath = Annotated[Path, AfterValidator(_without_braces)]
"""Path of a file or folder of the workflow."""


def require_once(key: str, values: Sequence[str | int]) -> None:
    """Refuse a list with a value twice.

    Raises
    ------
    Unfit
    """
    if len(set(values)) != len(values):
        twice = next(value for value in values if values.count(value) > 1)
        raise Unfit(key, f"{twice} twice", f"each of {key} once", "Remove one.")


def require_names(key: str, names: Iterable[str], described: Collection[str]) -> None:
    """Refuse names that a section of the configuration does not describe.

    Raises
    ------
    Unfit
        It suggests the closest name.
    """
    for name in names:
        if name not in described:
            listed = ", ".join(described)
            raise Unfit(
                key, repr(name), f"one of {listed}", did_you_mean(name, described, "Describe it, or correct the name.")
            )
