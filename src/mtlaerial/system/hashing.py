"""Hashes of files, to compare with the published ones."""

import hashlib
from pathlib import Path

from mtlaerial.system.progress import Progress

MEGABYTE = 10**6


def file_hashes(path: Path, *algorithms: str) -> dict[str, str]:
    """Return hashes of a file by algorithm, reading it once.

    Parameters
    ----------
    path : Path
    *algorithms : str
        Names that :mod:`hashlib` knows, e.g. ``"sha256"``.

    Returns
    -------
    dict of str to str
        Lower-case hexadecimal digits.
    """
    hashes = {name: hashlib.new(name, usedforsecurity=False) for name in algorithms}
    bar = Progress(-(-path.stat().st_size // MEGABYTE), f"verifying {path.name}", "MB")
    with path.open("rb") as file:
        while chunk := file.read(MEGABYTE):
            for digest in hashes.values():
                digest.update(chunk)
            bar.update(1)
    bar.close()
    return {name: digest.hexdigest() for name, digest in hashes.items()}
