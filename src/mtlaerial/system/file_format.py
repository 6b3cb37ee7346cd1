"""Format numbers of files that a later version of the package may read: ``run.yaml``, ``scores.json``, ``tile.json``.

A file says ``format: N``. A reader passes what it parsed through :func:`require_format` before it validates the keys,
which differ between formats.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mtlaerial.errors import DataError

UNNUMBERED = 1
"""Format of files from before they said one."""


def format_of(data: Mapping[str, Any]) -> Any:
    """Return the format that a parsed file says, which may be no number; 1 where it says none.

    Examples
    --------
    >>> format_of({"format": 2}), format_of({})
    (2, 1)
    """
    return data.get("format", UNNUMBERED)


def require_format(path: Path, data: Mapping[str, Any], current: int, remedy: str) -> None:
    """Refuse a file of another format than the current one.

    Parameters
    ----------
    path : Path
        The file, for messages.
    data : mapping
        The parsed file.
    current : int
        The format that this version of the package writes and reads.
    remedy : str
        Advice for a file of an older format, with the command that converts it or makes it again.

    Raises
    ------
    DataError
        When the file is of an older or a newer format, or its format is not a number.
    """
    number = format_of(data)
    expected = f"format {current}, which this mtlaerial reads"
    if isinstance(number, bool) or not isinstance(number, int):
        raise DataError(path, f"the format {repr(number)[:80]}", expected, "Get the file anew: it is damaged.")
    if number > current:
        newer = f"format {number}, which a newer mtlaerial wrote"
        raise DataError(path, newer, expected, "Install the version that wrote it, or a later one.")
    if number < current:
        raise DataError(path, f"format {number}, which an older mtlaerial wrote", expected, remedy)
