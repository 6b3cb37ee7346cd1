"""Origin of maps: the image and the run that they are of, so that no map of another replaces them unasked."""

import hashlib
import logging
from collections.abc import Iterable, Mapping
from pathlib import Path

import rasterio
from rasterio.errors import RasterioError

from mtlaerial.errors import DataError
from mtlaerial.rasters.geotiff import open_raster
from mtlaerial.runs.run import RunDescription
from mtlaerial.system.files import discard

SAMPLE = 2**20
"""Bytes that are hashed at the beginning, the middle and the end of an image."""
log = logging.getLogger(__name__)


def origin_tags(image: Path, description: RunDescription) -> dict[str, str]:
    """Return the tags that tell maps of different images and runs apart, however their folders are called."""
    return {"IMAGE": image.name, "IMAGE_ID": image_id(image), "RUN": description.name, "RUN_ID": description.sha256}


def image_id(path: Path) -> str:
    """Return a hash of a file's size and of three parts of its content, which takes no time for any size."""
    size = path.stat().st_size
    digest = hashlib.sha256(str(size).encode())
    with path.open("rb") as file:
        for start in (0, size // 2, max(0, size - SAMPLE)):
            file.seek(start)
            digest.update(file.read(SAMPLE))
    return digest.hexdigest()


def require_replaceable(image: Path, maps: Iterable[Path], origin: Mapping[str, str], replace: bool) -> None:
    """Refuse to replace an image by its own map, and maps of another image or run unless that is asked for.

    Parameters
    ----------
    image : Path
    maps : iterable of Path
        Files that a prediction may write, existing or not.
    origin : mapping
        The tags of the new maps.
    replace : bool
        Replace maps of another image or run.

    Raises
    ------
    DataError
        When a file must not be replaced.
    """
    existing = [path for path in maps if path.exists()]
    with open_raster(image) as source:
        inputs = [Path(file) for file in source.files]
    for path in existing:
        if any(file.exists() and file.samefile(path) for file in (image, *inputs)):
            where = "the image itself" if image.samefile(path) else f"a file that {image} reads"
            raise DataError(path, where, "a map's place that holds no input", "Choose another --out.")
        if not replace and (difference := _difference(path, origin)):
            expected = f"no map, or one of {origin['IMAGE']} by {origin['RUN']}"
            raise DataError(path, difference, expected, "Choose another --out, or add --replace.")


def _difference(path: Path, origin: Mapping[str, str]) -> str:
    """Return what an existing file is, if it is no map of the same image and run; else nothing."""
    try:
        with rasterio.open(path) as source:
            tags = source.tags()
    except RasterioError:
        return "a file that is no map"
    if "IMAGE_ID" not in tags:
        return "a file without the name of its image"
    if tags["IMAGE_ID"] != origin["IMAGE_ID"]:
        return f"a map of another image, {tags.get('IMAGE')}"
    if tags.get("RUN_ID") != origin["RUN_ID"]:
        return f"a map by another run, {tags.get('RUN')}"
    return ""


def remove_stale(maps: Iterable[Path], written: Iterable[Path]) -> None:
    """Remove maps of an earlier prediction that the new one does not write, so that all in a folder belong together."""
    for path in sorted(set(maps) - set(written)):
        if path.exists():
            log.info("removing %s, which this prediction does not write", path)
            discard(path)
