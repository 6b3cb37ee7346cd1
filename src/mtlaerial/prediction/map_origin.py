"""Origin of maps: the image and the run that they are of, so that no map of another replaces them unasked."""

import hashlib
import json
import logging
from collections.abc import Iterable, Mapping
from pathlib import Path

from mtlaerial.config import PredictionSpec
from mtlaerial.config.calibration import calibrated_settings_id
from mtlaerial.errors import DataError
from mtlaerial.prediction.applied_calibration import AppliedCalibration
from mtlaerial.prediction.blending.strips import Read
from mtlaerial.prediction.image_options import ImageOptions
from mtlaerial.rasters.admission import admit
from mtlaerial.rasters.geotiff import open_raster
from mtlaerial.rasters.grid import Grid
from mtlaerial.runs.run import RunDescription
from mtlaerial.system.files import discard

SAMPLE = 128
"""Side in pixels of each of the nine parts of an image that are hashed."""
IMMATERIAL = {"batch", "device", "engine", "threads"}
"""Keys of a prediction that change no map but by rounding."""
log = logging.getLogger(__name__)


def origin_tags(image: Path, identity: str, description: RunDescription, prediction: PredictionSpec) -> dict[str, str]:
    """Return the tags that tell maps of different images and runs apart, however their folders are called.

    ``PREDICTION_ID`` tells whether a calibration of the run holds for them.
    """
    run = {"RUN": description.name, "RUN_ID": description.sha256, "PREDICTION_ID": calibrated_settings_id(prediction)}
    return {"IMAGE": image.name, "IMAGE_ID": identity, **run}


def settings_id(
    prediction: PredictionSpec,
    options: ImageOptions,
    calibration: AppliedCalibration | None,
    nodata: float | None,
) -> str:
    """Return a hash of the settings that maps depend on, besides image and weights.

    ``nodata`` is the value that the run takes for no image, which may be corrected without training again.
    """
    entries = {
        "prediction": prediction.model_dump(mode="json", exclude=IMMATERIAL),
        "options": options.settings,
        "calibration": calibration.calibration.model_dump_json() if calibration else "",
        **({} if nodata is None else {"nodata": nodata}),
    }
    return hashlib.sha256(json.dumps(entries, sort_keys=True).encode()).hexdigest()


def source_id(path: Path, address: str = "") -> str:
    """Return a hash of names, sizes and times of the files that an image is read from, or of its address on the web.

    An image's own hash is of a sample of its pixels, and would not tell one that was changed elsewhere.

    Raises
    ------
    DataError
        When it cannot be opened.
    """
    if address:
        return hashlib.sha256(address.encode()).hexdigest()
    status = [(file.name, file.stat()) for file in _files_read(path) if file.exists()]
    states = [(name, each.st_size, each.st_mtime_ns) for name, each in status]
    return hashlib.sha256(repr(states).encode()).hexdigest()


def _files_read(path: Path) -> list[Path]:
    """Return the files that an image is read from: itself, what GDAL names, and all that VRTs of VRTs lead to."""
    with open_raster(path) as source:
        named = sorted({Path(file) for file in source.files} | {path})
        deeper = admit(path).files.difference(named)
    return [*named, *sorted(deeper)]


def image_id(read: Read, grid: Grid, place: Grid | None = None) -> str:
    """Return a hash of an image's place and of nine parts of its pixels, as the network sees them.

    It takes no time for any size. How a file compresses its pixels, or says which of them are no image, is no matter.

    Parameters
    ----------
    read : Read
    grid : Grid
        The grid that is read.
    place : Grid, optional
        The image's own grid; by default the same.
    """
    image_grid = place or grid
    crs = image_grid.crs.to_wkt() if image_grid.crs else ""
    position = (crs, tuple(image_grid.transform), image_grid.height, image_grid.width)
    digest = hashlib.sha256(repr(position).encode())
    rows, columns = min(SAMPLE, grid.height), min(SAMPLE, grid.width)
    for row in (0, (grid.height - rows) // 2, grid.height - rows):
        for column in (0, (grid.width - columns) // 2, grid.width - columns):
            digest.update(read(row, column, rows, columns).image.numpy().tobytes())
    return digest.hexdigest()


def require_replaceable(
    image: Path, maps: Iterable[Path], origin: Mapping[str, str], replace: bool, item: Path
) -> None:
    """Refuse to replace an image by its own map, and files of another image or run unless that is asked for.

    Parameters
    ----------
    image : Path
    maps : iterable of Path
        Files that a prediction may write, existing or not.
    origin : mapping
        The tags of the new maps.
    replace : bool
        Replace maps of another image or run, and a STAC Item that has no maps beside it.
    item : Path
        The STAC Item that a prediction writes.

    Raises
    ------
    DataError
        When a file must not be replaced.
    """
    existing = [path for path in maps if path.exists()]
    inputs = _files_read(image)
    for path in existing:
        if any(file.exists() and file.samefile(path) for file in inputs):
            where = "the image itself" if image.samefile(path) else f"a file that {image} reads"
            raise DataError(path, where, "a map's place that holds no input", "Choose another --out.")
        if not replace and (difference := _difference(path, origin)):
            expected = f"no map, or one of {origin['IMAGE']} by {origin['RUN']}"
            raise DataError(path, difference, expected, "Choose another --out, or add --replace.")
    if item.exists() and not existing and not replace:
        raise DataError(item, "a file without maps", "no file, or that of earlier maps", "Remove it, or add --replace.")


def _difference(path: Path, origin: Mapping[str, str]) -> str:
    """Return what an existing file is, if it is no map of the same image and run; else nothing."""
    try:
        with open_raster(path) as source:
            tags = source.tags()
    except DataError:
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
