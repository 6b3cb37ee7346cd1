"""Where the tiles of a generated data set lie."""

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


@dataclass(frozen=True)
class Place:
    """A rectangle of pixels of the town: first row and column from its north-west corner, and size."""

    row: int
    column: int
    rows: int
    columns: int

    def coarser(self, ratio: int) -> "Place":
        """Return the same place in pixels ``ratio`` times larger."""
        return Place(self.row // ratio, self.column // ratio, self.rows // ratio, self.columns // ratio)

    def joined(self, other: "Place") -> "Place":
        """Return the least rectangle that holds both."""
        row, column = min(self.row, other.row), min(self.column, other.column)
        south = max(self.row + self.rows, other.row + other.rows)
        east = max(self.column + self.columns, other.column + other.columns)
        return Place(row, column, south - row, east - column)


def tile_sizes(
    spec: DatasetSpec, seed: int, size: int | tuple[int, int], vary: float, multiple: int
) -> dict[str, tuple[int, int]]:
    """Return rows and columns of each tile: as given, or up to a share more or less; a grid has its own.

    Parameters
    ----------
    spec : DatasetSpec
    seed : int
        What the differences follow from, with the tile's number.
    size : int or (int, int)
        Rows and columns in image pixels.
    vary : float
        Largest relative difference from it, in [0, 1).
    multiple : int
        Sizes that vary are rounded to multiples of it.
    """
    size = spec.grid.size if spec.grid else (size, size) if isinstance(size, int) else size
    if spec.grid or not vary:
        return dict.fromkeys(spec.tiles, size)
    return {
        tile: _varied(size, np.random.default_rng([seed, 3, number]).uniform(-vary, vary, 2), multiple)
        for number, tile in enumerate(spec.tiles)
    }


def _varied(size: tuple[int, int], change: np.ndarray, multiple: int) -> tuple[int, int]:
    rows, columns = (
        max(1, round(side * (1 + share) / multiple)) * multiple for side, share in zip(size, change, strict=True)
    )
    return rows, columns


@dataclass(frozen=True)
class Town:
    """The generated town's pixels on the map.

    Attributes
    ----------
    crs : CRS or None
    transform : Affine
        From (column, row), counted from the town's north-west corner, to coordinates.
    places : dict
        Where each tile lies, in image pixels.
    """

    crs: CRS | None
    transform: Affine
    places: dict[str, Place]

    def grid(self, place: Place, ratio: int) -> Grid:
        """Return the grid of a place given in image pixels, with pixels ``ratio`` times larger."""
        transform = self.transform @ Affine.translation(place.column, place.row) @ Affine.scale(ratio)
        return Grid(self.crs, transform, place.rows // ratio, place.columns // ratio)


def lay_out(dataset: Dataset, sizes: dict[str, tuple[int, int]]) -> Town:
    """Place the tiles: each with its lower-left corner where its name says, in its cell of a grid, or side by side.

    Tiles smaller than the real ones keep their corners, with gaps between them.
    """
    crs, spec = dataset.crs, dataset.spec
    degrees = crs is not None and crs.is_geographic
    unit = 111320.0 if degrees else crs.linear_units_factor[1] if crs and crs.is_projected else 1.0
    pixel = (spec.gsd or 1.0) / unit
    corners = {tile: corner for tile in spec.tiles if (corner := dataset.corner(tile))}
    if corners:
        west = min(corner[0] for corner in corners.values())
        north = max(south + sizes[tile][0] * pixel for tile, (_, south) in corners.items())
        places = {
            tile: Place(round((north - y) / pixel) - sizes[tile][0], round((x - west) / pixel), *sizes[tile])
            for tile, (x, y) in corners.items()
        }
    else:
        west, north = (3.0, 48.0) if degrees else (500000.0, 5400000.0)
        places = _side_by_side(spec, sizes)
    return Town(crs, Affine(pixel, 0, west, 0, -pixel, north), places)


def _side_by_side(spec: DatasetSpec, sizes: dict[str, tuple[int, int]]) -> dict[str, Place]:
    rows, columns = (max(sides) for sides in zip(*sizes.values(), strict=True))
    across = math.ceil(math.sqrt(len(sizes)))
    cells = {tile: _cell(spec, tile, number, across) for number, tile in enumerate(sizes)}
    return {tile: Place(row * rows, column * columns, *sizes[tile]) for tile, (row, column) in cells.items()}


def _cell(spec: DatasetSpec, tile: str, number: int, across: int) -> tuple[int, int]:
    """Return the row and column, from 0, of a tile: those that a tile of a grid is named after."""
    if spec.grid is None:
        return divmod(number, across)
    cell = parse_tile_name(spec.grid.name, tile)
    return cell["row"] - 1, cell["column"] - 1


def pixel_ratios(gsd: float, wanted: Mapping[Layer, float]) -> dict[Layer, int]:
    """Return how many image pixels go into a pixel of each layer, along each axis.

    Raises
    ------
    ConfigError
        When that is not a whole number.
    """
    ratios: dict[Layer, int] = {"image": 1, "height": 1, "labels": 1}
    for layer, coarse in wanted.items():
        ratios[layer] = round(coarse / gsd)
        if ratios[layer] < 1 or not math.isclose(ratios[layer] * gsd, coarse, rel_tol=1e-6):
            found = f"{coarse} m beside an image of {gsd} m"
            raise ConfigError(f"pixel size of {layer}", found, "a whole number of times larger")
    return ratios


def check_whole(places: dict[str, Place], ratios: dict[Layer, int]) -> None:
    """Refuse tiles that do not begin and end at pixels of all their layers.

    Raises
    ------
    ConfigError
        For the first of them.
    """
    for tile, place in places.items():
        for layer, ratio in ratios.items():
            if any(side % ratio for side in (place.row, place.column, place.rows, place.columns)):
                found = f"{ratio} x {ratio} pixels of the image"
                size = f"{place.rows} x {place.columns} pixels at row {place.row}, column {place.column}"
                raise ConfigError(f"pixel size of {layer}", found, f"what fits {tile}, {size}", "Change either.")
