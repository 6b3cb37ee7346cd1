"""Sums over one tile, from its maps and its ground truth, accumulated block by block."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mtlaerial.config import IGNORED
from mtlaerial.errors import DataError
from mtlaerial.rasters.geotiff import map_raster, open_raster, row_blocks
from mtlaerial.rasters.grid import Grid
from mtlaerial.scoring.metrics import confusion_matrix, height_sums

Confusion = tuple[tuple[int, ...], ...]
Sums = dict[str, dict[str, tuple[float, ...]]]
"""By mask (``all``, ``positive``), then by group: the values named by ``metrics.SUMS``."""


def tally_classes(path: Path, tile: Path, classes: int) -> tuple[Confusion, Confusion]:
    """Count the pixels of a map by true and predicted class.

    Parameters
    ----------
    path : Path
        The map, on the grid of the tile's labels.
    tile : Path
        Folder of the prepared tile.
    classes : int

    Returns
    -------
    tuple of Confusion
        Against the labels, and against the eroded labels; empty for a layer without any class.

    Raises
    ------
    DataError
        When the map or the eroded labels differ from the labels in size.
    """
    labels, eroded = map_raster(tile / "labels.tif"), map_raster(tile / "eroded.tif")
    if eroded.shape != labels.shape and _any_class(eroded):
        expected = f"{_size(*labels.shape)}, as labels.tif"
        raise DataError(tile / "eroded.tif", _size(*eroded.shape), expected, "Correct labels.eroded.files.")
    return _confusion(path, tile / "labels.tif", classes), _confusion(path, tile / "eroded.tif", classes)


def _confusion(path: Path, truth: Path, classes: int) -> Confusion:
    true = map_raster(truth)
    total = np.zeros((classes, classes + 1), dtype=np.int64)
    if not _any_class(true):
        return ()
    with open_raster(path) as source:
        _require_same_grid(path, Grid.of(source), truth)
        for top, rows in row_blocks(source.height):
            predicted = source.read(1, window=((top, top + rows), (0, source.width)))
            total += confusion_matrix(np.asarray(true[top : top + rows]), predicted, classes)
    return tuple(tuple(row) for row in total.tolist())


def tally_heights(
    path: Path, tile: Path, names: Sequence[str], bins: Sequence[float], median: float
) -> tuple[Sums, Sums]:
    """Sum the height errors of a map, overall, by class and by true height.

    Parameters
    ----------
    path : Path
        The map, metres, on the grid of the tile's heights.
    tile : Path
        Folder of the prepared tile.
    names : sequence of str
        The classes, in the order of their codes.
    bins : sequence of float
        Inner edges in metres of the bins by true height.
    median : float
        The constant prediction in metres.

    Returns
    -------
    tuple of Sums
        Of the map, and of the constant prediction (overall only); empty when the tile has no heights.

    Raises
    ------
    DataError
        When the map differs from the heights in size, or has no-data at a cell with a true height.
    """
    true = map_raster(tile / "height.tif")
    if not np.isfinite(true).any():
        return {}, {}
    edges = [-np.inf, *bins, np.inf]
    labels = _LabelLookup(tile)
    class_groups = [f"class {name}" for name in names]
    bin_groups = list(map(_bin_name, edges[:-1], edges[1:]))
    height, constant = _Accumulator(), _Accumulator()
    with open_raster(path) as source:
        _require_same_grid(path, Grid.of(source), tile / "height.tif")
        for top, rows in row_blocks(source.height):
            h = np.array(true[top : top + rows])
            p = source.read(1, window=((top, top + rows), (0, source.width)))
            _require_predicted(path, h, p)
            zeros = np.zeros(h.shape, dtype=np.int64)
            height.add(["overall"], h, p, zeros)
            height.add(class_groups, h, p, labels(top, rows))
            height.add(bin_groups, h, p, np.digitize(h, bins))
            constant.add(["overall"], h, np.full_like(h, median), zeros)
    return height.sums(), constant.sums()


class _Accumulator:
    """Height sums by mask and group, accumulated block by block."""

    def __init__(self) -> None:
        self._total: dict[str, dict[str, NDArray[np.float64]]] = {}

    def add(
        self, names: Sequence[str], true: NDArray[np.float32], predicted: NDArray[np.float32], groups: NDArray[np.int64]
    ) -> None:
        """Add a block; ``groups`` are indices into ``names``."""
        if not names:
            return
        for mask, sums in height_sums(true.ravel(), predicted.ravel(), groups.ravel(), len(names)).items():
            total = self._total.setdefault(mask, {})
            for name, row in zip(names, sums, strict=True):
                total[name] = total.get(name, 0) + row

    def sums(self) -> Sums:
        """Return the accumulated sums as plain data."""
        sums: Sums = {}
        for mask, rows in self._total.items():
            sums[mask] = {name: tuple(row.tolist()) for name, row in rows.items()}
        return sums


class _LabelLookup:
    """Nearest-neighbour resampling of the labels to the height grid: the label that holds a height cell's centre."""

    def __init__(self, tile: Path) -> None:
        self.labels = map_raster(tile / "labels.tif")
        with open_raster(tile / "labels.tif") as source, open_raster(tile / "height.tif") as height:
            # Grids are not rotated, so that rows and columns map separately: no index array of the tile's size.
            mapping = Grid.of(height).to(Grid.of(source))
            self.rows = np.floor((np.arange(height.height) + 0.5) * mapping.e + mapping.f).astype(int)
            self.columns = np.floor((np.arange(height.width) + 0.5) * mapping.a + mapping.c).astype(int)

    def __call__(self, top: int, rows: int) -> NDArray[np.int64]:
        """Return the classes of some rows of the height grid; ``IGNORED`` outside the labels."""
        row, column = self.rows[top : top + rows], self.columns
        height, width = self.labels.shape
        inside = _within(row, height)[:, None] & _within(column, width)
        y, x = row.clip(0, height - 1), column.clip(0, width - 1)
        return np.where(inside, self.labels[y[:, None], x], IGNORED).astype(np.int64)


def _within(index: NDArray[np.int64], length: int) -> NDArray[np.bool_]:
    return (index >= 0) & (index < length)


def _bin_name(low: float, high: float) -> str:
    if np.isinf(low):
        return f"below {high:g} m"
    return f"from {low:g} m" if np.isinf(high) else f"{low:g}-{high:g} m"


def _any_class(labels: NDArray[np.uint8]) -> bool:
    return bool((labels != IGNORED).any())


def _size(rows: int, columns: int) -> str:
    return f"{rows} x {columns} cells"


def _require_same_grid(path: Path, grid: Grid, truth: Path) -> None:
    with open_raster(truth) as source:
        expected = Grid.of(source)
    if (grid.height, grid.width) != (expected.height, expected.width):
        size = _size(grid.height, grid.width)
        raise DataError(path, size, f"{expected.height} x {expected.width}, as {truth}", "Predict again.")
    # A thousandth of a pixel, for rounding of the transforms.
    if not grid.transform.almost_equals(expected.transform, 1e-3 * min(expected.pixel_size)):
        raise DataError(path, f"the place {grid.bounds}", f"{expected.bounds}, as {truth}", "Predict again.")


def _require_predicted(path: Path, true: NDArray[np.float32], predicted: NDArray[np.float32]) -> None:
    lacking = int((np.isfinite(true) & ~np.isfinite(predicted)).sum())
    if lacking:
        raise DataError(path, f"{lacking} cells without a height", "a height wherever there is truth", "Predict again.")
