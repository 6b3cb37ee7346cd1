"""Prepared tiles of a command: those that are there are used, the others are prepared."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from mtlaerial.datasets.buffer import read_later, select_held_out
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.errors import DataError, UserError, system_reason
from mtlaerial.system.progress import track
from mtlaerial.tiles.prepare import prepare_tile
from mtlaerial.tiles.record import RECORD, load_record

log = logging.getLogger(__name__)


def prepared_tiles(dataset: Dataset, tiles: Sequence[str], parent: Path, shared: bool) -> tuple[Path, ...]:
    """Return the folders of prepared tiles; prepare those that are missing, one process at a time.

    A tile that is there is used if it was prepared by the same keys of the specification from the same raw files.

    Parameters
    ----------
    dataset : Dataset
    tiles : sequence of str
    parent : Path
        Folder of the tiles' folders.
    shared : bool
        Other runs may use the tiles: those that were prepared otherwise are refused instead of replaced.

    Raises
    ------
    DataError
        When a raw file or a shared tile cannot be used, or the folder cannot be written.
    """
    folders = tuple(parent / tile for tile in tiles)
    footprints = read_later(dataset, "train") if dataset.spec.buffer else []
    for folder in track(folders, len(folders), "preparing", "tile"):
        with _locked(folder):
            fault = _fault(dataset, folder)
            if fault and shared and (folder / RECORD).exists():
                remedy = f"Choose another folder for --tiles, or delete {folder} if no other run uses it."
                raise DataError(folder, f"a tile of {fault}", "one of the same keys and files", remedy)
            if fault:
                prepare_tile(dataset, folder.name, folder, select_held_out(dataset, folder.name, footprints))
    return folders


def _fault(dataset: Dataset, folder: Path) -> str:
    """Return why a prepared tile cannot be used for a data set; empty if it can."""
    try:
        return load_record(folder).difference(dataset, folder.name)
    except UserError as error:
        return f"{error.found} as {error.where}"


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold a file lock beside a tile's folder; log once when another process holds it."""
    lock = FileLock(folder.with_name(f".{folder.name}.lock"))
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            log.info("%s is being prepared by another process: waiting until that ends", folder)
            lock.acquire()
    except OSError as error:
        reason = system_reason(error)
        raise DataError(folder, reason, "a folder to write tiles to", "Choose another folder.") from None
    try:
        yield
    finally:
        lock.release()
