"""Folders that an archive is unpacked to: below the data root, no links, and no project's."""

import os
from collections.abc import Iterable
from pathlib import Path

from mtlaerial.errors import DataError

PROJECT_FILES = ("Snakefile", "workflow/Snakefile", "pyproject.toml")
"""Files by which a project's folder is told: what runs there would run an archive's files."""


def require_own_folders(root: Path, files: Iterable[Path], archive: str) -> None:
    """Refuse to unpack through links below a root, into a project, or where nothing can be written.

    Parameters
    ----------
    root : Path
        The data root; it may be a link itself.
    files : iterable of Path
        The files to be written, relative to the root.
    archive : str
        Its name, for messages.

    Raises
    ------
    DataError
    """
    if not os.access(root, os.W_OK):
        remedy = "Unpack it yourself elsewhere and give that folder, or make this one writable."
        raise DataError(root, "a folder that cannot be written to", f"one to unpack {archive} in", remedy)
    for folder in sorted({parent for file in files for parent in file.parents}):
        _require_own_folder(root / folder, is_root=folder == Path(), archive=archive)


def _require_own_folder(path: Path, is_root: bool, archive: str) -> None:
    remedy = f"Move it away, or unpack {archive} yourself and take it away."
    if path.is_symlink() and not is_root:
        raise DataError(path, f"a link to {os.readlink(path)}", "a folder below the data root", remedy)
    if path.exists() and not path.is_dir():
        raise DataError(path, "a file", f"no file, or a folder to unpack {archive} to", remedy)
    for name in PROJECT_FILES:
        if (path / name).exists():
            remedy = "Give the data a folder of their own: files of an archive could take part in the project."
            raise DataError(path, f"a project's folder (with {name})", "a folder with data alone", remedy)
