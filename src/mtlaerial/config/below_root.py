"""Paths of a specification, which stay below the folder of the data: a specification may come from a stranger."""

import re
from pathlib import PurePosixPath
from typing import Annotated

from pydantic import AfterValidator

LONGEST_PART = 150
"""Bytes of a folder's or file's name; file systems allow 255, and a tile's name may be part of it."""


def require_below(path: str) -> str:
    """Return a path below a folder.

    Raises
    ------
    ValueError
        When it is absolute, leads out of the folder, has backslashes, or a name that no file can have.

    Examples
    --------
    >>> require_below("images/{tile}.tif")
    'images/{tile}.tif'
    """
    parts = PurePosixPath(path).parts
    if not path or path.startswith("/") or ".." in parts or "\\" in path or re.match("[A-Za-z]:", path):
        raise ValueError("a path below the root: not absolute, without .. in it, with / between folders")
    if any(len(part.encode()) > LONGEST_PART for part in parts):
        raise ValueError(f"a path below the root, with names of folders and files up to {LONGEST_PART} bytes")
    return path


BelowRoot = Annotated[str, AfterValidator(require_below)]
"""Path below the data root."""
