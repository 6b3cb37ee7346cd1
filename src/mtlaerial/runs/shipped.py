"""Trained runs that come with the package."""

import logging
from pathlib import Path

from mtlaerial.config.start import SHIPPED
from mtlaerial.errors import UserError

log = logging.getLogger(__name__)
_FOLDER = Path(__file__).parents[1] / "example_runs"


def shipped_run(name: str) -> Path:
    """Return the folder of a shipped run.

    Raises
    ------
    KeyError
        When none has that name.
    """
    if name not in SHIPPED:
        raise KeyError(name)
    return _FOLDER / name


def find_run(folder: Path) -> Path:
    """Return a folder as it is given; or that of a shipped run, where the name is given and no such folder exists."""
    name = str(folder)
    if name not in SHIPPED:
        return folder
    if folder.exists():
        log.warning("%s: the folder here, not the run of that name that mtlaerial ships", name)
        return folder
    log.info("%s: the run that mtlaerial ships, of %s (mtlaerial describe %s)", name, SHIPPED[name], name)
    return shipped_run(name)


def require_place(run: Path, out: Path | None, example: str) -> None:
    """Refuse to write into the package, where a shipped run lies.

    Raises
    ------
    UserError
        When the run is a shipped one and no place for the results is given.
    """
    if out is None and run.parent == _FOLDER:
        raise UserError("--out", "nothing", f"a place for the results of {run.name}", f"For example --out {example}.")


def require_writable(run: Path) -> None:
    """Refuse to write into the folder of a shipped run, which is in the package.

    Raises
    ------
    UserError
    """
    if run.parent == _FOLDER:
        remedy = f"Copy {run} to a place of yours, and give that."
        raise UserError("RUN_DIR", f"{run.name}, which mtlaerial ships", "a run whose folder may be written to", remedy)
