"""Height errors of the objects of a validation tile's maps."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mtlaerial.calibration.record import ObjectCalibration
from mtlaerial.config.objects import ObjectsSpec
from mtlaerial.maps.map_folder import CLASSES, HEIGHTS
from mtlaerial.objects.region import read_region
from mtlaerial.objects.vectorise import class_codes, find_objects


class ObjectErrors(NamedTuple):
    """Objects of a tile with both heights: class, area in m², predicted height and absolute error in metres."""

    classes: NDArray[np.object_]
    areas: NDArray[np.float64]
    heights: NDArray[np.float64]
    errors: NDArray[np.float64]


@contextmanager
def joined_maps(classes: Path, heights: Path) -> Iterator[Path]:
    """Yield a temporary folder of maps that is made of a raster of classes and one of heights, by links."""
    with TemporaryDirectory() as folder:
        for name, path in ((CLASSES, classes), (HEIGHTS, heights)):
            (Path(folder) / f"{name}.tif").symlink_to(path.resolve())
        yield Path(folder)


def validation_errors(maps: Path, truth: Path, spec: ObjectsSpec) -> ObjectErrors:
    """Return the height errors of the objects of maps: of the median of the pixels within each predicted outline.

    Parameters
    ----------
    maps : Path
        Folder of the maps of classes and heights.
    truth : Path
        Raster of true heights in metres, on any grid of the same CRS; NaN where there is none.
    spec : ObjectsSpec

    Raises
    ------
    UserError
        When the maps have no CRS in metres, or lack a class.
    """
    # The same map of classes beside the true heights gives the same objects in the same order.
    with joined_maps(maps / f"{CLASSES}.tif", truth) as folder:
        regions = [read_region([each]) for each in (maps, folder)]
        codes = class_codes("objects.classes", spec.classes, regions[0])
        predicted, true = (find_objects(region, codes, spec, {})[0] for region in regions)
    areas, heights = (predicted[column].to_numpy(dtype=np.float64) for column in ("area", "height_median"))
    errors = abs(true["height_median"].to_numpy(dtype=np.float64) - heights)
    there = np.isfinite(errors)
    return ObjectErrors(predicted["class"].to_numpy(dtype=object)[there], areas[there], heights[there], errors[there])


def calibrate_objects(tiles: Sequence[ObjectErrors], spec: ObjectsSpec) -> dict[str, ObjectCalibration]:
    """Return the calibration of each class from the objects of all validation tiles."""
    return {name: _part(tiles, name, spec.min_area) for name in spec.classes}


def _part(tiles: Sequence[ObjectErrors], name: str, min_area: float) -> ObjectCalibration:
    """Return the calibration of one class."""
    columns = {
        column: tuple(value for tile in tiles for value in getattr(tile, column)[tile.classes == name].tolist())
        for column in ("areas", "heights", "errors")
    }
    return ObjectCalibration(min_area=min_area, **columns)
