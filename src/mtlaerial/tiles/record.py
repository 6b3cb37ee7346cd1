"""Record of a prepared tile, ``tile.json``: what the tile was prepared from, and hashes that readers verify."""

import hashlib
import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from mtlaerial.config import LAYERS, PREPARED_LAYERS, Layer, Section
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.datasets.sources import Sources, raw_sources, tile_keys
from mtlaerial.errors import DataError, system_reason
from mtlaerial.system.file_format import require_format
from mtlaerial.system.files import write_text
from mtlaerial.system.progress import Progress

RECORD = "tile.json"
FORMAT = 1
"""Format of the record; raised as well when tiles are prepared otherwise from the same files and keys."""


class TileRecord(Section):
    """The content of ``tile.json``."""

    format: int = FORMAT
    keys: dict[str, Any]
    """Keys of the specification that decide the tile."""
    sources: Sources
    """Raw files; empty where they are not known."""
    sha256: dict[Layer, str]
    """Hash of each layer's file."""

    def difference(self, dataset: Dataset, tile: str) -> str:
        """Return what the tile would be prepared from otherwise now; empty if nothing has changed."""
        keys, sources = _plain(tile_keys(dataset, tile)), raw_sources(dataset, tile)
        changed_keys = [key for key in {**keys, **self.keys} if keys.get(key) != self.keys.get(key)]
        changed_files = [file for file in {**sources, **self.sources} if sources.get(file) != self.sources.get(file)]
        parts = [f"other keys {', '.join(changed_keys)}"] if changed_keys else []
        parts += [f"other files {', '.join(changed_files)}"] if changed_files else []
        return " and ".join(parts)


def write_record(folder: Path, keys: dict[str, Any], sources: Sources) -> None:
    """Hash the layers of a prepared tile and write its record."""
    hashes = {layer: _file_hash(layer_path(folder, layer)) for layer in PREPARED_LAYERS}
    record = TileRecord(keys=_plain(keys), sources=sources, sha256=hashes)
    write_text(folder / RECORD, record.model_dump_json(indent=1))


def load_record(folder: Path) -> TileRecord:
    """Read the record of a prepared tile.

    Raises
    ------
    ConfigError, DataError
        When it is missing, damaged, or of another format.
    """
    path, remedy = folder / RECORD, f"Delete the folder {folder} and give the same command again: it prepares the tile."
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        raise DataError(path, "no file", "the record of a prepared tile", remedy) from None
    except (ValueError, RecursionError):
        raise DataError(path, "a damaged file", "the record of a prepared tile", remedy) from None
    if not isinstance(data, dict):
        raise DataError(path, "a damaged file", "the record of a prepared tile", remedy)
    require_format(path, data, FORMAT, remedy)
    return TileRecord.parse(data, str(path))


def verify_tiles(folders: Sequence[Path], layers: Sequence[Layer] = LAYERS) -> None:
    """Verify layers of prepared tiles by the hashes of their records, with a progress bar.

    Parameters
    ----------
    folders : sequence of Path
        Folders of prepared tiles.
    layers : sequence of Layer
        The layers that are about to be read.

    Raises
    ------
    DataError
        When a layer is missing or other than when it was prepared; it names the file.
    """
    files = [(layer_path(folder, layer), folder, layer) for folder in dict.fromkeys(folders) for layer in layers]
    bar = Progress(len(files), "verifying tiles", "layer")
    hashes = {folder: load_record(folder).sha256 for folder in folders}
    for path, folder, layer in files:
        digest, expected = _hash(path), hashes[folder].get(layer, "none")
        if digest != expected:
            remedy = f"It is damaged: delete the folder {folder} and give the same command again, which prepares it."
            recorded = f"{expected[:12]}…, as when the tile was prepared"
            raise DataError(path, f"SHA-256 {digest[:12]}…", recorded, remedy)
        bar.update(1)
    bar.close()


def tile_digest(folder: Path) -> str:
    """Return a hash of a prepared tile's image, height and labels, from the hashes in its record."""
    hashes = load_record(folder).sha256
    return hashlib.sha256("".join(hashes[layer] for layer in LAYERS).encode()).hexdigest()


def image_hash(folder: Path) -> str:
    """Return the hash of a prepared tile's image, from the tile's record."""
    return load_record(folder).sha256["image"]


def layer_path(folder: Path, layer: Layer) -> Path:
    """Return the file of a layer of a prepared tile."""
    return folder / f"{layer}.tif"


def _hash(path: Path) -> str:
    try:
        status = path.stat()
        return _hash_once(path, status.st_size, status.st_mtime_ns)
    except OSError as error:
        remedy = "Prepare the tile again: give the command that does it."
        raise DataError(path, system_reason(error), "a layer of a prepared tile", remedy) from None


@cache
def _hash_once(path: Path, size: int, modified: int) -> str:  # a changed file is hashed again
    """Return the SHA-256 of a file; several steps of one job read it once."""
    return _file_hash(path)


def _file_hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _plain(keys: dict[str, Any]) -> dict[str, Any]:
    """Return keys as JSON gives them back: lists for tuples, and text for NaN, which is not equal to itself."""
    plain: dict[str, Any] = json.loads(json.dumps(keys), parse_constant=str)
    return plain
