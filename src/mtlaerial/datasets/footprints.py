"""Footprints of tiles: their ground as polygons, in any CRS."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError, ProjError

from mtlaerial.config import Section
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.datasets.tile_windows import image_window
from mtlaerial.rasters.geotiff import open_raster
from mtlaerial.rasters.grid import Grid
from mtlaerial.rasters.ground_size import ground_scales
from mtlaerial.rasters.projection import horizontal_projection, metres_per_unit, same_projection
from mtlaerial.system.files import write_text

Bounds = tuple[float, float, float, float]
"""West, south, east, north."""
Polygons = NDArray[np.object_]
_SEGMENTS = 8
"""Segments per side of a footprint that is reprojected: its sides become curves."""


class Footprint(Section):
    """The ground of a tile."""

    tile: str
    group: str
    """The split or the area that the tile belongs to."""
    bounds: Bounds
    crs: str | None
    """None if the CRS is not known."""

    @property
    def horizontal_crs(self) -> CRS | None:
        """The horizontal CRS; None if it is not known."""
        return _horizontal_crs(self.crs) if self.crs else None

    @property
    def box(self) -> Any:
        """The polygon in the tile's CRS."""
        return shapely.box(*self.bounds)

    def metres_per_unit(self) -> float:
        """Return the length in metres on the ground of a unit of the CRS to the north, at the tile's centre.

        Without a CRS coordinates are taken to be metres. The scale of a projection is part of it: a unit of Web
        Mercator at 60° N is half a metre.
        """
        crs = self.horizontal_crs
        if crs is None:
            return 1.0
        west, south, east, north = self.bounds
        scales = ground_scales(crs, ((west + east) / 2, (south + north) / 2))
        return scales[0] if scales else metres_per_unit(crs)  # a local CRS has no place on Earth


def read_footprint(dataset: Dataset, tile: str) -> Footprint | None:
    """Return the footprint of a tile from the header of its image; None without georeference.

    Raises
    ------
    DataError, ConfigError
        When the file cannot be read, or does not contain the tile.
    """
    path, _, _, grid = image_window(dataset, tile)
    with open_raster(path) as source:
        if not Grid.of(source).georeferenced:
            return None
    crs = grid.crs.to_string() if grid.crs else None
    return Footprint(tile=tile, group=dataset.split_of(tile), bounds=grid.bounds, crs=crs)


def save_footprints(footprints: Sequence[Footprint], path: Path) -> None:
    """Write footprints as JSON, a line each."""
    write_text(path, "".join(f"{footprint.model_dump_json()}\n" for footprint in footprints))


def load_footprints(path: Path) -> list[Footprint]:
    """Read footprints."""
    return [Footprint.model_validate_json(line) for line in path.read_text(encoding="utf-8").splitlines()]


def boxes(footprints: Sequence[Footprint]) -> Polygons:
    """Return the polygons of footprints, each in its CRS."""
    polygons: Polygons = np.array([footprint.box for footprint in footprints], dtype=object)
    return polygons


def in_lon_lat(footprints: Sequence[Footprint]) -> Polygons:
    """Return the polygons of footprints in longitude and latitude; None for those whose CRS has no such transform."""
    polygons = boxes(footprints)
    for index, footprint in enumerate(footprints):
        polygons[index] = reproject(footprint, lon_lat())
    return polygons


def reproject(footprint: Footprint, target: CRS) -> Any:
    """Return the polygon of a footprint in another CRS, its sides densified; None where that is not possible."""
    source = footprint.horizontal_crs
    if source is None:
        return None
    if same_projection(source, target):
        return footprint.box
    west, south, east, north = footprint.bounds
    dense = shapely.segmentize(footprint.box, max(east - west, north - south) / _SEGMENTS)
    points = shapely.get_coordinates(dense)
    try:
        x, y = _transformer(source, target).transform(points[:, 0], points[:, 1])
    except ProjError:
        return None
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        return None
    return shapely.set_coordinates(dense, np.column_stack([x, y]))


@cache
def lon_lat() -> CRS:
    """Return the CRS of longitude and latitude."""
    return CRS.from_epsg(4326)


@cache
def _horizontal_crs(text: str) -> CRS | None:
    try:
        return horizontal_projection(text)
    except CRSError:
        return None


@cache
def _transformer(source: CRS, target: CRS) -> Transformer:
    return Transformer.from_crs(source, target, always_xy=True)
