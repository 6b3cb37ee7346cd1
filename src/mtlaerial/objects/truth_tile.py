"""True objects of prepared tiles: their labels and heights, vectorised as maps are."""

from collections.abc import Sequence
from contextlib import ExitStack
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
from mtlaerial.maps.map_folder import MapFolder
from mtlaerial.objects.matching import Polygons
from mtlaerial.objects.object_set import HEIGHT, ObjectSet, object_set
from mtlaerial.objects.region import region_of
from mtlaerial.objects.validation_errors import joined_maps
from mtlaerial.objects.vectorise import find_objects
from mtlaerial.rasters.geotiff import open_raster, row_blocks
from mtlaerial.rasters.grid import Grid
from mtlaerial.rasters.metric_crs import require_metric_crs


class TileTruth(NamedTuple):
    """Names of the classes of a prepared tile by code, and the least areas in m² of its objects and of their holes."""

    names: tuple[str, ...]
    min_area: float
    min_hole: float


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
    if class_name not in truth.names:
        remedy = did_you_mean(class_name, truth.names, "Choose one of them.")
        raise ConfigError("--class", repr(class_name), f"one of {', '.join(truth.names)}", remedy)
    labels = folder / "labels.tif"
    with open_raster(labels) as source:
        require_metric_crs(labels, Grid.of(source))
    if unlabelled_share(folder) == 1:
        raise DataError(labels, "no labels", "true classes", "Give a tile whose data set has labels.")
    return read_tiles([folder], truth, class_name, crs)


def read_tiles(folders: Sequence[Path], truth: TileTruth, class_name: str, crs: CRS) -> tuple[ObjectSet, Polygons]:
    """Return the objects in prepared tiles that are one region, and the ground of each; see :func:`read_tile`."""
    import geopandas as gpd

    spec = ObjectsSpec(classes=(class_name,), min_area=truth.min_area, min_hole=truth.min_hole)
    with ExitStack() as stack:
        maps = [_map_folder(stack, folder, truth.names) for folder in folders]
        table, left_out = find_objects(region_of(maps), [truth.names.index(class_name)], spec, {})
    true = object_set(folders[0] / "labels.tif", table, HEIGHT, crs)
    notes = [f"{left_out} true objects smaller than {truth.min_area:g} m² are left out."]
    shares = {folder.name: unlabelled_share(folder) for folder in folders}
    notes += [
        f"{100 * share:.1f} % of {name} have no label: predicted objects there count as false."
        for name, share in shares.items()
        if share
    ]
    ground = gpd.GeoSeries([shapely.box(*each.grid.bounds) for each in maps], crs=table.crs).to_crs(crs)
    return replace(true, notes=(*true.notes, *notes)), np.asarray(ground.array, dtype=object)


def _map_folder(stack: ExitStack, folder: Path, names: tuple[str, ...]) -> MapFolder:
    """Return the labels and the heights of a tile as a folder of maps, while a stack is open."""
    labels = folder / "labels.tif"
    with open_raster(labels) as source:
        grid = Grid.of(source)
    return MapFolder(stack.enter_context(joined_maps(labels, folder / "height.tif")), grid, names, {})


def unlabelled_share(folder: Path) -> float:
    """Return the share of the pixels of a prepared tile without a label."""
    number = 0
    with open_raster(folder / "labels.tif") as source:
        for top, rows in row_blocks(source.height):
            block = source.read(1, window=((top, top + rows), (0, source.width)))
            number += int(np.count_nonzero(block == IGNORED))
        return number / int(source.height * source.width)
