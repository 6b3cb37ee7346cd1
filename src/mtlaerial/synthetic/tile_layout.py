"""The layout of a generated data set's tiles in the town."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from affine import Affine
from rasterio.crs import CRS

from mtlaerial.config import DatasetSpec, Layer
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.datasets.tile_names import parse_tile_name
from mtlaerial.errors import ConfigError
from mtlaerial.rasters.grid import Grid
from mtlaerial.rasters.ground_size import area_centre, ground_pixel_size
from mtlaerial.rasters.projection import horizontal_projection, metres_per_unit


@dataclass(frozen=True)
class Place:
    """A rectangle of pixels in the town: first row and column, from the town's north-west corner, and size."""

    row: int
    column: int
    rows: int
    columns: int

    def coarser(self, ratio: int) -> "Place":
        """Return the same place in pixels that are ``ratio`` times larger."""
        return Place(self.row // ratio, self.column // ratio, self.rows // ratio, self.columns // ratio)

    def joined(self, other: "Place") -> "Place":
        """Return the smallest rectangle that contains both places."""
        row, column = min(self.row, other.row), min(self.column, other.column)
        south = max(self.row + self.rows, other.row + other.rows)
        east = max(self.column + self.columns, other.column + other.columns)
        return Place(row, column, south - row, east - column)


def tile_sizes(
    spec: DatasetSpec, seed: int, size: int | tuple[int, int], vary: float, multiple: int
) -> dict[str, tuple[int, int]]:
    """Return rows and columns of each tile; a grid has its own cell size.

    Parameters
    ----------
    spec : DatasetSpec
    seed : int
        Seed of the variation, together with the tile's number.
    size : int or (int, int)
        Rows and columns in image pixels.
    vary : float
        Largest relative difference from ``size``, in [0, 1).
    multiple : int
        Varied sizes are rounded to multiples of it.
    """
    if spec.grid:
        return dict.fromkeys(spec.tiles, spec.grid.size)
    rows, columns = (size, size) if isinstance(size, int) else size
    if not vary:
        return dict.fromkeys(spec.tiles, (rows, columns))
    sizes = {}
    for number, tile in enumerate(spec.tiles):
        taller, wider = np.random.default_rng([seed, 3, number]).uniform(-vary, vary, 2)
        sizes[tile] = (_rounded(rows * (1 + taller), multiple), _rounded(columns * (1 + wider), multiple))
    return sizes


def _rounded(side: float, multiple: int) -> int:
    return max(1, round(side / multiple)) * multiple


@dataclass(frozen=True)
class Town:
    """The georeference of the generated town, and the places of the tiles.

    Attributes
    ----------
    crs : CRS or None
    transform : Affine
        From (column, row), counted from the town's north-west corner, to coordinates.
    places : dict
        The place of each tile, in image pixels.
    """

    crs: CRS | None
    transform: Affine
    places: dict[str, Place]

    def grid(self, place: Place, ratio: int) -> Grid:
        """Return the grid of a place (in image pixels), with pixels that are ``ratio`` times larger."""
        transform = self.transform @ Affine.translation(place.column, place.row) @ Affine.scale(ratio)
        return Grid(self.crs, transform, place.rows // ratio, place.columns // ratio)


def lay_out(dataset: Dataset, sizes: dict[str, tuple[int, int]]) -> Town:
    """Place the tiles with their lower-left corners at the coordinates in their names, in a grid, or side by side.

    Tiles smaller than the real ones keep their corners, with gaps between them.
    """
    crs, spec = dataset.crs, dataset.spec
    pixel = (spec.gsd or 1.0) / _metres_per_unit(crs)
    corners = {tile: corner for tile in spec.tiles if (corner := dataset.corner(tile))}
    if corners:
        west = min(corner[0] for corner in corners.values())
        north = max(south + sizes[tile][0] * pixel for tile, (_, south) in corners.items())
        places = {}
        for tile, (x, y) in corners.items():
            row, column = round((north - y) / pixel) - sizes[tile][0], round((x - west) / pixel)
            places[tile] = Place(row, column, *sizes[tile])
    else:
        west, north = _origin(crs)
        places = _in_cells(spec, sizes)
    return Town(crs, Affine(pixel, 0, west, 0, -pixel, north), places)


def _origin(crs: CRS | None) -> tuple[float, float]:
    """Return the north-west corner of a town without coordinates of its own: where the CRS has its stated scale."""
    if crs is not None and crs.is_geographic:
        return 3.0, 48.0
    corner = Grid(crs, Affine(1, 0, 500_000, 0, -1, 5_400_000), 1, 1)
    if ground_pixel_size(corner)[1] == _metres_per_unit(crs):
        return 500_000.0, 5_400_000.0
    assert crs is not None  # without one, a unit is a metre
    position = area_centre(crs)
    return round(position[0], -3), round(position[1], -3)


def _metres_per_unit(crs: CRS | None) -> float:
    """Return metres per unit of a CRS; for degrees, those of latitude."""
    if crs is None:
        return 1.0
    return 111320.0 if crs.is_geographic else metres_per_unit(horizontal_projection(crs.to_wkt()))


def _in_cells(spec: DatasetSpec, sizes: dict[str, tuple[int, int]]) -> dict[str, Place]:
    """Place tiles in cells of the largest tile's size: the cells in their names, or those of a square."""
    rows, columns = (max(sides) for sides in zip(*sizes.values(), strict=True))
    across = math.ceil(math.sqrt(len(sizes)))
    places = {}
    for number, (tile, size) in enumerate(sizes.items()):
        row, column = divmod(number, across)
        if spec.grid:
            cell = parse_tile_name(spec.grid.name, tile)
            row, column = cell["row"] - 1, cell["column"] - 1
        places[tile] = Place(row * rows, column * columns, *size)
    return places


def pixel_ratios(gsd: float, layer_gsds: Mapping[Layer, float]) -> dict[Layer, int]:
    """Return the number of image pixels per pixel of each layer, along each axis.

    Raises
    ------
    ConfigError
        When a layer's pixel size is not a multiple of the image's.
    """
    ratios: dict[Layer, int] = {"image": 1, "height": 1, "labels": 1}
    for layer, layer_gsd in layer_gsds.items():
        ratios[layer] = round(layer_gsd / gsd)
        if ratios[layer] < 1 or not math.isclose(ratios[layer] * gsd, layer_gsd, rel_tol=1e-6):
            observed = f"{layer_gsd} m beside an image of {gsd} m"
            raise ConfigError(f"pixel size of {layer}", observed, "a whole number of times larger")
    return ratios


def check_alignment(places: dict[str, Place], ratios: dict[Layer, int]) -> None:
    """Check that all tiles begin and end at pixel edges of all layers.

    Raises
    ------
    ConfigError
        For the first tile that does not.
    """
    for tile, place in places.items():
        for layer, ratio in ratios.items():
            if any(side % ratio for side in (place.row, place.column, place.rows, place.columns)):
                observed = f"{ratio} x {ratio} pixels of the image"
                size = f"{place.rows} x {place.columns} pixels at row {place.row}, column {place.column}"
                raise ConfigError(f"pixel size of {layer}", observed, f"what fits {tile}, {size}", "Change either.")
