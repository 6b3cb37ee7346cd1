"""Paths of a specification, which stay below the folder of the data: a specification may come from a stranger."""

import re
from pathlib import PurePosixPath
from typing import Annotated

from pydantic import AfterValidator


def require_below(path: str) -> str:
    """Return a path below a folder.

    Raises
    ------
    ValueError
        When it is absolute, leads out of the folder, or has backslashes.

    Examples
    --------
    >>> require_below("images/{tile}.tif")
    'images/{tile}.tif'
    """
    parts = PurePosixPath(path).parts
    if not path or path.startswith("/") or ".." in parts or "\\" in path or re.match("[A-Za-z]:", path):
        raise ValueError("a path below the root: not absolute, without .. in it, with / between folders")
    return path


BelowRoot = Annotated[str, AfterValidator(require_below)]
"""Path below the data root."""
