"""Counting a tile: the sums that its maps and its ground truth give, block by block."""

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
        With the labels and with the eroded labels as the truth; empty for a layer without any class.

    Raises
    ------
    DataError
        When the map or the eroded labels are not of the size of the labels.
    """
    labels, eroded = map_raster(tile / "labels.tif"), map_raster(tile / "eroded.tif")
    if eroded.shape != labels.shape and _known(eroded):
        expected = f"{_size(*labels.shape)}, as labels.tif"
        raise DataError(tile / "eroded.tif", _size(*eroded.shape), expected, "Correct labels.eroded.files.")
    return _confusion(path, tile / "labels.tif", classes), _confusion(path, tile / "eroded.tif", classes)


def _confusion(path: Path, truth: Path, classes: int) -> Confusion:
    true = map_raster(truth)
    total = np.zeros((classes, classes + 1), dtype=np.int64)
    if not _known(true):
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
        Metres; the constant prediction.

    Returns
    -------
    tuple of Sums
        Of the map, and of the constant prediction (overall only); empty where the tile has no heights.

    Raises
    ------
    DataError
        When the map is not of the size of the heights, or lacks a height where there is one.
    """
    true = map_raster(tile / "height.tif")
    if not np.isfinite(true).any():
        return {}, {}
    edges = [-np.inf, *bins, np.inf]
    labels = _LabelLookup(tile)
    groups = ["overall", *(f"class {name}" for name in names), *map(_bin_name, edges[:-1], edges[1:])]
    height, constant = _Accumulator(), _Accumulator()
    with open_raster(path) as source:
        _require_same_grid(path, Grid.of(source), tile / "height.tif")
        for top, rows in row_blocks(source.height):
            h = np.array(true[top : top + rows])
            p = source.read(1, window=((top, top + rows), (0, source.width)))
            _require_predicted(path, h, p)
            overall = np.zeros(h.shape, dtype=np.int64)
            height.add(groups[:1], h, p, overall)
            height.add(groups[1 : 1 + len(names)], h, p, labels(top, rows))
            height.add(groups[1 + len(names) :], h, p, np.digitize(h, bins))
            constant.add(groups[:1], h, np.full_like(h, median), overall)
    return height.sums(), constant.sums()


class _Accumulator:
    """Adds up height sums of groups, block by block."""

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
        """Return what was added, as plain data."""
        return {mask: {name: tuple(row.tolist()) for name, row in rows.items()} for mask, rows in self._total.items()}


class _LabelLookup:
    """Classes at the cells of the height grid: that of the label cell that holds the cell's centre."""

    def __init__(self, tile: Path) -> None:
        self.labels = map_raster(tile / "labels.tif")
        with open_raster(tile / "labels.tif") as source, open_raster(tile / "height.tif") as height:
            mapping = Grid.of(height).to(Grid.of(source))
            self.rows = np.floor((np.arange(height.height) + 0.5) * mapping.e + mapping.f).astype(int)
            self.columns = np.floor((np.arange(height.width) + 0.5) * mapping.a + mapping.c).astype(int)

    def __call__(self, top: int, rows: int) -> NDArray[np.int64]:
        """Return the classes of some rows of the height grid; ``IGNORED`` outside the labels."""
        row, column = self.rows[top : top + rows], self.columns
        inside = _between(row, self.labels.shape[0])[:, None] & _between(column, self.labels.shape[1])
        y, x = row.clip(0, self.labels.shape[0] - 1), column.clip(0, self.labels.shape[1] - 1)
        return np.where(inside, self.labels[y[:, None], x], IGNORED).astype(np.int64)


def _between(index: NDArray[np.int64], length: int) -> NDArray[np.bool_]:
    return (index >= 0) & (index < length)


def _bin_name(low: float, high: float) -> str:
    if np.isinf(low):
        return f"below {high:g} m"
    return f"from {low:g} m" if np.isinf(high) else f"{low:g}-{high:g} m"


def _known(labels: NDArray[np.uint8]) -> bool:
    return bool((labels != IGNORED).any())


def _size(rows: int, columns: int) -> str:
    return f"{rows} x {columns} cells"


def _require_same_grid(path: Path, grid: Grid, truth: Path) -> None:
    with open_raster(truth) as source:
        expected = Grid.of(source)
    if (grid.height, grid.width) != (expected.height, expected.width):
        found = _size(grid.height, grid.width)
        raise DataError(path, found, f"{expected.height} x {expected.width}, as {truth}", "Predict again.")
    if not grid.transform.almost_equals(expected.transform, 1e-3 * min(expected.pixel_size)):
        raise DataError(path, f"the place {grid.bounds}", f"{expected.bounds}, as {truth}", "Predict again.")


def _require_predicted(path: Path, true: NDArray[np.float32], predicted: NDArray[np.float32]) -> None:
    lacking = int((np.isfinite(true) & ~np.isfinite(predicted)).sum())
    if lacking:
        raise DataError(path, f"{lacking} cells without a height", "a height wherever there is truth", "Predict again.")
