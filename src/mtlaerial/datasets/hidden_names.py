"""Names of files and folders that are no part of a data set: hidden ones, and what macOS adds to archives."""

from pathlib import PurePath


def is_shown(name: str) -> bool:
    """Tell whether a file or folder may belong to a data set.

    Examples
    --------
    >>> [is_shown(name) for name in ("area1.tif", "._area1.tif", ".DS_Store", "__MACOSX")]
    [True, False, False, False]
    """
    return not name.startswith(".") and name != "__MACOSX"


def is_shown_path(path: PurePath) -> bool:
    """Tell whether no part of a relative path is hidden or added by macOS."""
    return all(map(is_shown, path.parts))
