"""Scoring a run's maps against the ground truth: sums per tile, in one file per run."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mtlaerial.config import IGNORED, Section, Task
from mtlaerial.errors import DataError
from mtlaerial.metrics import confusion_matrix, height_sums
from mtlaerial.raster import Grid, map_raster, open_raster, row_blocks, writing
from mtlaerial.runs import RunDescription, load_description

Confusion = tuple[tuple[int, ...], ...]
Sums = dict[str, dict[str, tuple[float, ...]]]
"""By mask (``all``, ``positive``), then by group: the values named by ``metrics.SUMS``."""


class TileScores(Section):
    """Sums over one tile; empty where a layer is absent."""

    confusion: Confusion = ()
    """Pixels by true class (row) and predicted class (column; the last: no prediction)."""
    height: Sums = {}
    """Groups: ``overall``, ``class NAME`` and ``LOW-HIGH m`` by true height."""
    constant: Sums = {}
    """The same for the training median as the prediction everywhere; group ``overall``."""


class Scores(Section):
    """All sums of one run: the content of ``scores.json``."""

    dataset: str
    title: str
    generated: bool
    method: str
    seed: int
    tasks: tuple[Task, ...]
    classes: tuple[str, ...]
    training_pixels: tuple[int, ...]
    """Of each class; the most frequent is the majority class."""
    mtlaerial: str
    code: str
    tiles: dict[str, TileScores]

    def confusion(self) -> NDArray[np.int64]:
        """Return the confusion matrix over all tiles, shape (classes, classes + 1); zeros where there is no truth."""
        n = len(self.classes)
        matrices = [np.array(tile.confusion, dtype=np.int64) for tile in self.tiles.values() if tile.confusion]
        return np.sum(matrices, axis=0) if matrices else np.zeros((n, n + 1), dtype=np.int64)

    def height(self, mask: str, source: str = "height") -> dict[str, NDArray[np.float64]]:
        """Return the height sums over all tiles by group, for a mask; ``source`` may be ``constant``."""
        total: dict[str, NDArray[np.float64]] = {}
        for tile in self.tiles.values():
            for group, sums in getattr(tile, source).get(mask, {}).items():
                total[group] = total.get(group, 0) + np.array(sums)
        return total


def score_run(run: Path, tiles: Sequence[Path], height_bins: Sequence[float]) -> Scores:
    """Score the maps of a run on its test tiles.

    Parameters
    ----------
    run : Path
        The run's folder, with ``run.yaml`` and ``maps/{tile}/{semantics,height}.tif``.
    tiles : sequence of Path
        Folders of the prepared test tiles.
    height_bins : sequence of float
        Inner edges in metres of the bins by true height.

    Raises
    ------
    DataError
        When a map is missing or on another grid than its ground truth.
    """
    description = load_description(run)
    plan, statistics = description.plan, description.statistics
    return Scores(
        dataset=plan.dataset,
        title=statistics.title,
        generated=statistics.generated,
        method=plan.method,
        seed=plan.seed,
        tasks=plan.tasks,
        classes=tuple(entry.name for entry in statistics.classes),
        training_pixels=tuple(entry.pixels for entry in statistics.classes),
        mtlaerial=description.mtlaerial,
        code=description.code,
        tiles={tile.name: _score_tile(run / "maps" / tile.name, tile, description, height_bins) for tile in tiles},
    )


def save_scores(scores: Scores, path: Path) -> None:
    """Write ``scores.json``."""
    with writing(path) as partial:
        partial.write_text(scores.model_dump_json(indent=1), encoding="utf-8")


def load_scores(path: Path) -> Scores:
    """Read ``scores.json``."""
    return Scores.model_validate_json(path.read_text(encoding="utf-8"))


def _score_tile(maps: Path, tile: Path, description: RunDescription, bins: Sequence[float]) -> TileScores:
    tasks = description.plan.tasks
    confusion: Confusion = ()
    height: Sums = {}
    constant: Sums = {}
    if "semantics" in tasks:
        confusion = _confusion(maps / "semantics.tif", tile / "labels.tif", len(description.statistics.classes))
    if "height" in tasks:
        median = description.statistics.height.median if description.statistics.height else 0.0
        names = [entry.name for entry in description.statistics.classes]
        height, constant = _heights(maps / "height.tif", tile, names, bins, median)
    return TileScores(confusion=confusion, height=height, constant=constant)


def _confusion(path: Path, truth: Path, classes: int) -> Confusion:
    true = map_raster(truth)
    total = np.zeros((classes, classes + 1), dtype=np.int64)
    if (true == IGNORED).all():
        return ()
    with open_raster(path) as source:
        _require_same_grid(path, Grid.of(source), truth)
        for top, rows in row_blocks(source.height):
            predicted = source.read(1, window=((top, top + rows), (0, source.width)))
            total += confusion_matrix(np.asarray(true[top : top + rows]), predicted, classes)
    return tuple(tuple(row) for row in total.tolist())


def _heights(path: Path, tile: Path, names: Sequence[str], bins: Sequence[float], median: float) -> tuple[Sums, Sums]:
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


def _require_same_grid(path: Path, grid: Grid, truth: Path) -> None:
    with open_raster(truth) as source:
        expected = source.height, source.width
    if (grid.height, grid.width) != expected:
        found = f"{grid.height} x {grid.width} cells"
        raise DataError(path, found, f"{expected[0]} x {expected[1]}, as {truth}", "Predict again.")


def _require_predicted(path: Path, true: NDArray[np.float32], predicted: NDArray[np.float32]) -> None:
    lacking = int((np.isfinite(true) & ~np.isfinite(predicted)).sum())
    if lacking:
        raise DataError(path, f"{lacking} cells without a height", "a height wherever there is truth", "Predict again.")
