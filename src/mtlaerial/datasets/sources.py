"""Raw files of a tile, with size and time, by which a replaced file is noticed; and the keys that decide a tile."""

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from mtlaerial.config import LAYERS, PREPARED_LAYERS
from mtlaerial.config.decisive_keys import decisive
from mtlaerial.config.stages import Stage
from mtlaerial.datasets.buffer import held_out_of
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.datasets.vector_file import vector_parts
from mtlaerial.errors import DataError
from mtlaerial.rasters.geotiff import open_raster

Sources = dict[str, list[int]]
"""Size in bytes and time of the last change in whole seconds of each file, by its path below the root; for a VRT also
the sums of those of the files that it reads."""


def raw_sources(dataset: Dataset, tile: str, archived: bool = True) -> Sources:
    """Return the raw files of a tile that exist, the vector file of footprints, and images that a buffer depends on.

    Parameters
    ----------
    dataset : Dataset
    tile : str
    archived : bool
        Include files that come from an archive, for which the archive's mark may stand.
    """
    layers = [path for layer in PREPARED_LAYERS for path in dataset.files(layer, tile)]
    return _statuses(dataset, [*layers, *_images(dataset, held_out_of(dataset, tile))], archived)


def place_sources(dataset: Dataset, tiles: Iterable[str], archived: bool = True) -> Sources:
    """Return the files that exist by which tiles are located: images and the vector file of footprints.

    Parameters
    ----------
    dataset : Dataset
    tiles : iterable of str
    archived : bool
        Include files that come from an archive, for which the archive's mark may stand.
    """
    return _statuses(dataset, _images(dataset, tiles), archived)


def tile_keys(dataset: Dataset, tile: str, stage: Stage = "prepare_tile") -> dict[str, Any]:
    """Return the part of a specification that decides a tile: its split, and the patterns of that.

    Of other tiles only those count that a buffer keeps the tile's truth away from.
    """
    keys = decisive(stage, dataset.spec)
    for key in ("splits", "areas"):  # they list all tiles
        keys.pop(key, None)
    if stage == "prepare_tile":
        held_out = list(held_out_of(dataset, tile))
        keys |= {"buffer": keys["buffer"] if held_out else 0.0, "held_out": held_out}
    for layer in LAYERS:
        if keys[layer]:
            keys[layer] |= {"files": dataset.patterns(layer, tile), "optional": dataset.may_lack(layer, tile)}
    if keys["labels"] and not dataset.patterns("eroded", tile):
        keys["labels"]["eroded"] = None
    return {**keys, "split": dataset.split_of(tile)}


def _images(dataset: Dataset, tiles: Iterable[str]) -> list[Path]:
    return [path for tile in tiles for path in dataset.files("image", tile)]


def _statuses(dataset: Dataset, rasters: Iterable[Path], archived: bool) -> Sources:
    """Return the state of rasters, of the files beside them and of the vector file of footprints, if they exist."""
    footprints = [path for path in dataset.footprint_paths if path.exists()][:1]
    sources: Sources = {}
    for path in _with_parts(dataset, [*rasters, *footprints], archived):
        try:
            status = path.stat()
        except OSError:
            continue
        # Whole seconds: file systems keep fractions differently, and copies lose them.
        name = os.path.relpath(path, dataset.root)
        sources[name] = [status.st_size, int(status.st_mtime), *_mosaic_sources(path)]
    return sources


def _with_parts(dataset: Dataset, paths: Iterable[Path], archived: bool) -> Iterator[Path]:
    for path in dict.fromkeys(paths):
        if archived or path not in dataset.provided:
            yield from vector_parts(path)
            yield from _sidecars(path)


def _mosaic_sources(path: Path) -> list[int]:
    """Return sums of the sizes and times of the files that a VRT reads, thousands maybe; empty for other files.

    A VRT is a file named so, in any case: under another name its content is not what it says. VRTs of VRTs are followed
    to their ends.
    """
    if not _is_vrt(path) or not (files := _read_by(path)):
        return []
    statuses: dict[Path, os.stat_result] = {}
    while files:
        file = files.pop()
        if file in statuses:
            continue
        with suppress(OSError):  # no file, or a part of an archive
            statuses[file] = file.stat()
            files += _read_by(file) if _is_vrt(file) else []
    return [
        sum(status.st_size for status in statuses.values()),
        sum(int(status.st_mtime) for status in statuses.values()),
    ]


def _is_vrt(path: Path) -> bool:
    return path.suffix.lower() == ".vrt"


def _read_by(path: Path) -> list[Path]:
    """Return the files that a VRT reads itself; none where it cannot be opened, of which the check tells."""
    try:
        with open_raster(path) as source:
            return [Path(name) for name in source.files[1:]]
    except DataError:
        return []


def _sidecars(path: Path) -> Iterator[Path]:
    """Yield the files beside a raster that GDAL reads with it, if they exist: mask, metadata, world files."""
    yield path.with_name(f"{path.name}.msk")
    yield path.with_name(f"{path.name}.aux.xml")
    yield path.with_suffix(".wld")
    if len(path.suffix) > 2:
        yield path.with_suffix(f".{path.suffix[1]}{path.suffix[-1]}w")  # .tfw for .tif
