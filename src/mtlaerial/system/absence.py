"""The absence of a file as text: nothing is there, or a symbolic link whose target is missing."""

import os
from pathlib import Path

NOTHING = "no file"


def absence(*paths: Path) -> str:
    """Return what is at paths where no file is, as a noun phrase; of a broken symbolic link its target.

    Examples
    --------
    >>> absence(Path("nowhere.tif"))
    'no file'
    """
    link = next(filter(os.path.islink, paths), None)
    if link is None:
        return NOTHING
    return f"a symbolic link to {os.readlink(link)}, where nothing is"
