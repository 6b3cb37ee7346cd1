"""Windows of tiles in the files of a data set."""

from functools import cache
from pathlib import Path

from affine import Affine
from shapely.geometry.base import BaseGeometry

from mtlaerial.datasets.catalog import Dataset
from mtlaerial.datasets.tile_names import parse_tile_name
from mtlaerial.datasets.vector_file import read_vector_file
from mtlaerial.errors import DataError
from mtlaerial.rasters.geotiff import open_raster
from mtlaerial.rasters.grid import Grid
from mtlaerial.system.absence import absence

Bounds = tuple[float, float, float, float]
"""West, south, east, north."""


def image_window(dataset: Dataset, tile: str) -> tuple[Path, int, int, Grid]:
    """Return the image file of a tile, the tile's first row and column in it, and the tile's grid.

    Raises
    ------
    DataError, ConfigError
        When the file cannot be read, or does not contain the tile.
    """
    path = dataset.files("image", tile)[0]
    with open_raster(path) as source:
        grid = _georeference(dataset, Grid.of(source))
    if dataset.spec.grid:
        row, column, height, width = _grid_cell(dataset, tile, path, grid)
    elif dataset.spec.footprints:
        row, column, height, width = _footprint_window(dataset, tile, path, grid)
    else:
        row, column, height, width = 0, 0, grid.height, grid.width
    return path, row, column, grid.window(row, column, height, width)


def layer_window(path: Path, image: Grid) -> tuple[int, int, Grid]:
    """Return a tile's first row and column in a layer's file, and the layer's grid over the tile.

    A file without georeference is taken to cover exactly the ground of the image.
    """
    with open_raster(path) as source:
        grid = Grid.of(source)
    if not grid.georeferenced:
        scale = Affine.scale(image.width / grid.width, image.height / grid.height)
        return 0, 0, Grid(image.crs, image.transform @ scale, grid.height, grid.width)
    row, column, height, width = grid.covering(image)
    return row, column, grid.window(row, column, height, width)


def _georeference(dataset: Dataset, grid: Grid) -> Grid:
    """Complete the grid of an image: the specified CRS if it has none, the specified GSD if it has no transform."""
    crs = grid.crs or dataset.crs
    if grid.georeferenced:
        return Grid(crs, grid.transform, grid.height, grid.width)
    gsd = dataset.spec.gsd or 1.0
    return Grid(crs, Affine.scale(gsd, -gsd), grid.height, grid.width)


def _grid_cell(dataset: Dataset, tile: str, path: Path, grid: Grid) -> tuple[int, int, int, int]:
    """Return row, column, height, width of a tile that is a cell of the specified grid."""
    assert dataset.spec.grid is not None
    cell = parse_tile_name(dataset.spec.grid.name, tile)
    rows, columns = dataset.spec.grid.size
    row, column = (cell["row"] - 1) * rows, (cell["column"] - 1) * columns
    if not (0 <= row < grid.height and 0 <= column < grid.width):
        size = f"{grid.height} x {grid.width} pixels"
        raise DataError(path, f"{size}, which end before tile {tile}", "the tile inside", "Correct splits or grid.")
    return row, column, min(rows, grid.height - row), min(columns, grid.width - column)


def _footprint_window(dataset: Dataset, tile: str, path: Path, grid: Grid) -> tuple[int, int, int, int]:
    """Return row, column, height, width of the bounds of a tile's footprint, cut at the edges of the image."""
    bounds: Bounds = footprint_polygon(dataset, tile).bounds
    west, south, east, north = bounds
    left, top = ~grid.transform @ (west, north)
    right, bottom = ~grid.transform @ (east, south)
    row, column = max(0, round(top)), max(0, round(left))
    height, width = min(grid.height, round(bottom)) - row, min(grid.width, round(right)) - column
    if height <= 0 or width <= 0:
        raise DataError(path, f"bounds {grid.bounds}", f"tile {tile} at {bounds}", "Correct the footprints.")
    return row, column, height, width


def footprint_polygon(dataset: Dataset, tile: str) -> BaseGeometry:
    """Return the polygon of a tile in the specified footprints; the tile is cut by its bounds.

    Raises
    ------
    DataError
        When there is none, or more than one of this name.
    """
    path, spec = footprints_file(dataset), dataset.spec.footprints
    assert spec is not None
    polygons = _read_footprints(path, path.stat().st_mtime_ns, spec.column, dataset.spec.crs)
    named = polygons.get(tile, [])
    if not named:
        names = ", ".join(sorted(polygons))
        raise DataError("footprints", f"the tiles {names}", f"the tile {tile}", "Correct splits or footprints.")
    if len(named) > 1:
        observed = f"{len(named)} features whose {spec.column} is {tile}"
        raise DataError(path, observed, "one for each tile", "Give each a name of its own, or merge them.")
    return named[0]


def footprints_file(dataset: Dataset) -> Path:
    """Return the vector file of the specified footprints.

    Raises
    ------
    DataError
        When there is none.
    """
    paths = dataset.footprint_paths
    path = next(filter(Path.exists, paths), None)
    if path is None:
        raise DataError(paths[0], absence(*paths), " or ".join(map(str, paths)), dataset.spec.obtain)
    return path


@cache
def _read_footprints(path: Path, modified: int, column: str, crs: str | None) -> dict[str, list[BaseGeometry]]:
    """Read polygons by name; the modification time is part of the cache's key, so that a changed file is read anew."""
    frame = read_vector_file(path)
    if column not in frame:
        columns = ", ".join(map(str, frame.columns))
        raise DataError(path, f"the columns {columns}", f"a column {column}", "Correct footprints.column.")
    if crs and frame.crs:
        frame = frame.to_crs(crs)
    polygons: dict[str, list[BaseGeometry]] = {}
    for name, polygon in zip(frame[column], frame.geometry, strict=True):
        if polygon is None or polygon.is_empty:
            raise DataError(path, f"no polygon of {name}", "a polygon for each tile", "Draw it, or delete the feature.")
        polygons.setdefault(str(name), []).append(polygon)
    return polygons
