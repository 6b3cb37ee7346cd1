"""Arguments of several commands, and the parsing of lists of numbers."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from mtlaerial.errors import UserError

Spec = Annotated[Path, typer.Argument(metavar="DATASET.yaml", help="The data set's specification.")]
Root = Annotated[Path, typer.Option("--root", help="The folder its files are in.")]
Configs = Annotated[list[Path] | None, typer.Option("--config", help="Configuration, and overlays; the last wins.")]
Recipe = Annotated[
    str | None, typer.Option(help="A recipe, applied after these: a file NAME.yaml in recipes beside the first.")
]
RunFolder = Annotated[
    Path, typer.Argument(metavar="RUN_DIR", help="A trained run's folder, or town: a run that is shipped.")
]


def numbers(option: str, text: str) -> list[int]:
    """Return the whole numbers of a text that separates them by commas.

    Raises
    ------
    UserError
        When a part is not a number; it names the option.

    Examples
    --------
    >>> numbers("--bands", "1,2,3")
    [1, 2, 3]
    """
    parts = text.split(",")
    invalid = [part for part in parts if not _is_number(part.strip())]
    if invalid:
        raise UserError(option, repr(invalid[0]), "numbers separated by commas", f"For example {option} 1,2,3.")
    return [int(part) for part in parts]


def settings(option: str, texts: Sequence[str]) -> dict[str, str]:
    """Return the values of an option that is given as KEY=VALUE, once for each key.

    Raises
    ------
    UserError
        For a text without an equals sign, and for a key that is given twice; it names the option.

    Examples
    --------
    >>> settings("--noise", ["image=0.02", "height=0.3"])
    {'image': '0.02', 'height': '0.3'}
    """
    values: dict[str, str] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals:
            raise UserError(option, repr(text), "KEY=VALUE", f"For example {option} image=0.02.")
        if key in values:
            raise UserError(option, f"{key} twice", "each key once", "Leave one out.")
        values[key] = value
    return values


def fractions(option: str, texts: Sequence[str]) -> dict[str, float]:
    """Return the numbers of an option that is given as KEY=NUMBER; see :func:`settings`.

    Examples
    --------
    >>> fractions("--expected", ["building=0.8"])
    {'building': 0.8}
    """
    values = {}
    for key, text in settings(option, texts).items():
        try:
            values[key] = float(text)
        except ValueError:
            raise UserError(option, repr(f"{key}={text}"), "a number", f"For example {option} {key}=0.8.") from None
    return values


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal()  # isdigit alone takes superscripts, which int refuses
