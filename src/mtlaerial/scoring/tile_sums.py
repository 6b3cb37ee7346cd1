"""Sums over one tile, from its maps and its ground truth, accumulated block by block."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mtlaerial.config import IGNORED, TaskEntry
from mtlaerial.config.height_bins import bin_names
from mtlaerial.errors import DataError
from mtlaerial.rasters.geotiff import map_raster, open_raster, row_blocks
from mtlaerial.rasters.grid import Grid
from mtlaerial.scoring.detection import COUNTS, detection_counts
from mtlaerial.scoring.height_truth import HeightTruth
from mtlaerial.scoring.map_checks import (
    grid_of,
    require_exact,
    require_predicted,
    require_same_grid,
    size_text,
    with_nan,
)
from mtlaerial.scoring.metrics import confusion_matrix, height_sums
from mtlaerial.scoring.nearest_cells import NearestCells

Confusion = tuple[tuple[int, ...], ...]
Sums = dict[str, dict[str, tuple[float, ...]]]
"""By mask (one of ``metrics.MASKS``), then by group: the values named by ``metrics.SUMS``."""
OVERALL = "overall"
"""Group of all cells."""
TALL = 3.0
"""Metres above which heights have a group of their own, as in SynRS3D (arXiv 2406.18151)."""
TALL_GROUP = f"h > {TALL:g} m"


@dataclass(frozen=True)
class HeightTally:
    """Sums over the height errors of one map of a tile; empty when the tile has no heights."""

    sums: Sums = field(default_factory=dict)
    detection: tuple[int, ...] = ()
    """Counts named by ``detection.COUNTS``."""


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
        expected = f"{size_text(*labels.shape)}, as labels.tif"
        raise DataError(tile / "eroded.tif", size_text(*eroded.shape), expected, "Correct labels.eroded.files.")
    return _confusion(path, tile / "labels.tif", classes), _confusion(path, tile / "eroded.tif", classes)


def _confusion(path: Path, truth: Path, classes: int) -> Confusion:
    true = map_raster(truth)
    total = np.zeros((classes, classes + 1), dtype=np.int64)
    if not _any_class(true):
        return ()
    with open_raster(path) as source:
        require_same_grid(path, Grid.of(source), truth)
        for top, rows in row_blocks(source.height):
            predicted = source.read(1, window=((top, top + rows), (0, source.width)))
            total += confusion_matrix(np.asarray(true[top : top + rows]), predicted, classes)
    return tuple(tuple(row) for row in total.tolist())


def tally_heights(
    path: Path, tile: Path, entry: TaskEntry, names: Sequence[str], bins: Sequence[float], constant_height: float
) -> tuple[HeightTally, HeightTally]:
    """Sum the height errors of a map, overall, by class and by true height.

    Parameters
    ----------
    path : Path
        The map, on the grid of the tile's heights.
    tile : Path
        Folder of the prepared tile.
    entry : TaskEntry
        The task: source of the truth, and of the metres per unit of the map.
    names : sequence of str
        The classes, in the order of their codes.
    bins : sequence of float
        Inner edges in metres of the bins by true height.
    constant_height : float
        The constant prediction in metres.

    Returns
    -------
    tuple of HeightTally
        Of the map, and of the constant prediction (without classes and bins).

    Raises
    ------
    DataError
        When the map differs from the heights in size, has no-data at a cell with a true height, or a scale tag.
    """
    true = HeightTruth(tile, entry)
    if true.empty:
        return HeightTally(), HeightTally()
    classes = TileClasses(tile)
    class_groups = [f"class {name}" for name in names]
    bin_groups = bin_names(bins)
    height, constant = _Accumulator(), _Accumulator()
    with open_raster(path) as source:
        require_same_grid(path, Grid.of(source), tile / "height.tif")
        require_exact(path, source)
        for top, rows in row_blocks(source.height):
            h = true(top, rows)
            p = with_nan(source, source.read(1, window=((top, top + rows), (0, source.width))))
            require_predicted(path, h, p)
            p = p * np.float32(entry.metres)
            height.add_overall(h, p)
            height.add(class_groups, h, p, classes(top, rows))
            height.add(bin_groups, h, p, np.digitize(h, bins))
            constant.add_overall(h, np.full_like(h, constant_height))
    return height.tally(), constant.tally()


class _Accumulator:
    """Height sums by mask and group, accumulated block by block."""

    def __init__(self) -> None:
        self._total: dict[str, dict[str, NDArray[np.float64]]] = {}
        self._detection: NDArray[np.int64] = np.zeros(len(COUNTS), dtype=np.int64)

    def add_overall(self, true: NDArray[np.float32], predicted: NDArray[np.float32]) -> None:
        """Add a block to the sums over all cells, and over those with a height above 3 m."""
        self.add([OVERALL], true, predicted, np.zeros(true.shape, dtype=np.int64))
        self.add([TALL_GROUP], true, predicted, np.where(true > TALL, 0, -1))
        self._detection += detection_counts(true, predicted)

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

    def tally(self) -> HeightTally:
        """Return the accumulated sums as plain data."""
        sums: Sums = {}
        for mask, rows in self._total.items():
            sums[mask] = {name: tuple(row.tolist()) for name, row in rows.items()}
        return HeightTally(sums, tuple(self._detection.tolist()))


class TileClasses:
    """Classes of the cells of the height grid: those of the labels' pixels that hold their centres."""

    def __init__(self, tile: Path) -> None:
        self._labels = map_raster(tile / "labels.tif")
        self._cells = NearestCells(grid_of(tile / "labels.tif"), grid_of(tile / "height.tif"))

    def __call__(self, top: int, rows: int) -> NDArray[np.int64]:
        """Return the classes of some rows of the height grid; ``IGNORED`` outside the labels."""
        first, number = self._cells.window(top, rows)
        return self._cells.take(self._labels[first : first + number], top, rows, IGNORED).astype(np.int64)


def _any_class(labels: NDArray[np.uint8]) -> bool:
    return bool((labels != IGNORED).any())
