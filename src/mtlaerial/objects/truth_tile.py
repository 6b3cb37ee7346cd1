"""True objects of a prepared tile: its labels and heights, vectorised as maps are."""

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import shapely
from pyproj import CRS

from mtlaerial.config import IGNORED
from mtlaerial.config.faults import did_you_mean
from mtlaerial.config.objects import ObjectsSpec
from mtlaerial.errors import ConfigError, DataError
from mtlaerial.objects.matching import Polygons
from mtlaerial.objects.object_set import HEIGHT, ObjectSet, object_set
from mtlaerial.objects.region import MapFolder, Place, Region
from mtlaerial.objects.validation_errors import joined_maps
from mtlaerial.objects.vectorise import find_objects
from mtlaerial.rasters.geotiff import open_raster, row_blocks
from mtlaerial.rasters.grid import Grid
from mtlaerial.rasters.metric_crs import require_metric_crs


class TileTruth(NamedTuple):
    """Names of the classes of a prepared tile by code, and the least area in m² of its objects."""

    names: tuple[str, ...]
    min_area: float


def read_tile(folder: Path, truth: TileTruth, class_name: str, crs: CRS) -> tuple[ObjectSet, Polygons]:
    """Return the objects of a class in a prepared tile with their median heights, and the ground of the tile.

    Parameters
    ----------
    folder : Path
    truth : TileTruth
    class_name : str
    crs : pyproj.CRS
        The CRS that they are brought to.

    Raises
    ------
    UserError
        When a layer is missing, the tile has no labels or no CRS in metres, or the class is unknown.
    """
    import geopandas as gpd

    if class_name not in truth.names:
        remedy = did_you_mean(class_name, truth.names, "Choose one of them.")
        raise ConfigError("--class", repr(class_name), f"one of {', '.join(truth.names)}", remedy)
    labels = folder / "labels.tif"
    with open_raster(labels) as source:
        grid = Grid.of(source)
    require_metric_crs(labels, grid)
    unlabelled = _unlabelled_share(labels)
    if unlabelled == 1:
        raise DataError(labels, "no labels", "true classes", "Give a tile whose data set has labels.")
    spec = ObjectsSpec(classes=(class_name,), min_area=truth.min_area, min_hole=0)
    with joined_maps(labels, folder / "height.tif") as maps:
        region = Region(grid, (MapFolder(maps, grid, truth.names, {}),), (Place(0, 0, grid.height, grid.width),))
        table, left_out = find_objects(region, [truth.names.index(class_name)], spec, {})
    true = object_set(labels, table, HEIGHT, crs)
    notes = [f"{left_out} true objects smaller than {truth.min_area:g} m² are left out."]
    if unlabelled:
        notes.append(
            f"{100 * unlabelled:.1f} % of {folder.name} have no label: predicted objects there count as false."
        )
    ground = gpd.GeoSeries([shapely.box(*grid.bounds)], crs=table.crs).to_crs(crs)
    return replace(true, notes=(*true.notes, *notes)), np.asarray(ground.array, dtype=object)


def _unlabelled_share(labels: Path) -> float:
    """Return the share of the pixels without a label."""
    number = 0
    with open_raster(labels) as source:
        for top, rows in row_blocks(source.height):
            block = source.read(1, window=((top, top + rows), (0, source.width)))
            number += int(np.count_nonzero(block == IGNORED))
        return number / int(source.height * source.width)
