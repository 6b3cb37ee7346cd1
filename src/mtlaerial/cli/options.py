"""Arguments of several commands, and the parsing of lists of numbers."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from mtlaerial.errors import UserError

Spec = Annotated[
    Path,
    typer.Argument(metavar="DATASET", help="The data set's specification: a YAML file, or the name of a shipped one."),
]
Root = Annotated[Path, typer.Option("--root", help="The folder its files are in.")]
Configs = Annotated[
    list[Path] | None,
    typer.Option(
        "--config", help="Configuration, and overlays; the last wins. Else config/config.yaml, or the shipped."
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="A key of the configuration, e.g. training.epochs=2; it wins."),
]
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


def chosen_flag(yes: str, chosen: bool, no: str, refused: bool) -> bool | None:
    """Return what two opposite flags say; None where neither is given.

    Raises
    ------
    UserError
        When both are given.

    Examples
    --------
    >>> chosen_flag("--open", True, "--no-open", False)
    True
    """
    if chosen and refused:
        raise UserError(yes, f"it beside {no}", "one of them, or neither", "Leave one out.")
    return True if chosen else False if refused else None


def configuration_keys(option: str, texts: Sequence[str]) -> dict[str, Any]:
    """Return keys of the configuration that are given as KEY=VALUE, with dots between the names and YAML for values.

    Raises
    ------
    UserError
        For a text without an equals sign, a key that is given twice, and a value that is not YAML; it names the option.

    Examples
    --------
    >>> configuration_keys("--set", ["training.epochs=2", "training.betas=[0.9, 0.99]", "model=d3net"])
    {'training': {'epochs': 2, 'betas': [0.9, 0.99]}, 'model': 'd3net'}
    """
    from mtlaerial.config import merge
    from mtlaerial.config.yaml_reader import parse_value

    keys: dict[str, Any] = {}
    for name, text in settings(option, texts).items():
        value = parse_value(text, f"{option} {name}")
        for section in reversed(name.split(".")):
            value = {section: value}
        keys = merge(keys, value)
    return keys


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal()  # isdigit alone takes superscripts, which int refuses
