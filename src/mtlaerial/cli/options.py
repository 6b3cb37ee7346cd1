"""Arguments that several commands share, and how text becomes what they need."""

from pathlib import Path
from typing import Annotated

import typer

from mtlaerial.errors import UserError

Spec = Annotated[Path, typer.Argument(metavar="DATASET.yaml", help="The data set's specification.")]
Root = Annotated[Path, typer.Option("--root", help="The folder its files are in.")]
RunFolder = Annotated[Path, typer.Argument(metavar="RUN_DIR", help="A trained run's folder.")]


def numbers(option: str, text: str) -> list[int]:
    """Return whole numbers from text that separates them by commas.

    Raises
    ------
    UserError
        When there is something else; it names the option.
    """
    parts = text.split(",")
    wrong = [part for part in parts if not part.strip().isdigit()]
    if wrong:
        raise UserError(option, repr(wrong[0]), "numbers separated by commas", f"For example {option} 1,2,3.")
    return [int(part) for part in parts]
