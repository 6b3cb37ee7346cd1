"""Comparison of methods with a baseline: significance of the differences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite, nan

import numpy as np
from numpy.typing import NDArray

from mtlaerial.reporting.tables.bootstrap import DRAWS, Difference, Sums, counts, difference, holm
from mtlaerial.reporting.tables.collect import COMPARED, OVERALL
from mtlaerial.scoring.metrics import SUMS
from mtlaerial.scoring.scores import Scores
from mtlaerial.scoring.tile_scores import TileScores
from mtlaerial.scoring.tile_sums import Confusion

LEVEL = 0.05
"""Significance level for the adjusted p-value."""
ENOUGH_SEEDS = 5
"""Least seeds for the verdict "better"."""


@dataclass(frozen=True)
class Comparison:
    """Comparison of one method with a baseline."""

    method: str
    baseline: str
    seeds: int
    """Number of seeds that both have."""
    tiles: int
    """Number of tiles with truth for the task that has the fewest."""
    difference: Difference
    adjusted: float = nan
    """The p-value, adjusted for the number of methods compared with the baseline."""

    @property
    def better(self) -> bool:
        """Whether the method is significantly better, over enough seeds."""
        return self.adjusted < LEVEL and self.difference.effect > 0 and self.seeds >= ENOUGH_SEEDS

    @property
    def verdict(self) -> str:
        """The result as a sentence."""
        if not isfinite(self.adjusted):
            return f"{self._untested_reason}: no statement"
        if self.better:
            return f"better than {self.baseline}"
        if self.adjusted < LEVEL and self.difference.effect < 0:
            return f"worse than {self.baseline}"
        few = f" (fewer than {ENOUGH_SEEDS} seeds)" if self.adjusted < LEVEL else ""
        return f"not distinguishable from {self.baseline}{few}"

    @property
    def _untested_reason(self) -> str:
        if self.seeds < 2:
            return "one seed" if self.seeds else "no seed in common"
        return "one test tile" if self.tiles == 1 else "not scored for both tasks"


def compare(runs: Sequence[Scores], baseline: str, draws: int = DRAWS) -> dict[str, Comparison]:
    """Compare every method with a baseline.

    Parameters
    ----------
    runs : sequence of Scores
        Runs of methods that learn both tasks, on one data set.
    baseline : str
        One of the methods.
    draws : int
        Number of bootstrap draws; see :func:`mtlaerial.reporting.tables.bootstrap.difference`.

    Returns
    -------
    dict of method to Comparison
        All methods but the baseline, in the order of the runs; p-values are adjusted for their number.
    """
    methods = dict.fromkeys(run.method for run in runs if run.method != baseline)
    comparisons = [_comparison(runs, method, baseline, draws) for method in methods]
    adjusted = holm([comparison.difference.p for comparison in comparisons])
    return {entry.method: replace(entry, adjusted=p) for entry, p in zip(comparisons, adjusted, strict=True)}


def _comparison(runs: Sequence[Scores], method: str, baseline: str, draws: int) -> Comparison:
    method_runs, baseline_runs = _paired(runs, method, baseline)
    tiles = _common_tiles((*method_runs, *baseline_runs))
    if not method_runs or not tiles:
        return Comparison(method, baseline, len(method_runs), len(tiles), Difference(nan))
    sums = run_sums(method_runs, tiles)
    return Comparison(method, baseline, *counts(sums), difference(sums, run_sums(baseline_runs, tiles), draws))


def _paired(runs: Sequence[Scores], method: str, baseline: str) -> tuple[list[Scores], list[Scores]]:
    """Return the runs of both methods for their common seeds, in the order of the seeds, if their classes agree."""
    classes = next(run.classes for run in runs if run.method == baseline)
    comparable = [run for run in runs if run.classes == classes]
    method_runs = {run.seed: run for run in comparable if run.method == method}
    baseline_runs = {run.seed: run for run in comparable if run.method == baseline}
    seeds = sorted(method_runs.keys() & baseline_runs.keys())
    return list(map(method_runs.__getitem__, seeds)), list(map(baseline_runs.__getitem__, seeds))


def _common_tiles(runs: Sequence[Scores]) -> list[str]:
    """Return the tiles with any truth that all runs have, in the order of their names."""
    tiles = [_tiles_with_truth(run) for run in runs]
    return sorted(set.intersection(*tiles)) if tiles else []


def _tiles_with_truth(run: Scores) -> set[str]:
    return {name for name, tile in run.tiles.items() if tile.confusion or tile.height}


def run_sums(runs: Sequence[Scores], tiles: Sequence[str]) -> Sums:
    """Return the sums behind the scores that enter delta-m.

    Parameters
    ----------
    runs : sequence of Scores
        Runs of one method, one per seed.
    tiles : sequence of str

    Returns
    -------
    mapping of score to array, shape (seeds, tiles, 2, groups)
        For mIoU, hits and unions of the classes. For MAE, in one group, sum of absolute errors in metres, and cells.
    """
    classes = len(runs[0].classes)
    overlaps = [_overlaps(run.tiles[name].confusion, classes) for run in runs for name in tiles]
    errors = [_errors(run.tiles[name]) for run in runs for name in tiles]
    return {
        COMPARED["semantics"]: np.reshape(overlaps, (len(runs), len(tiles), 2, classes)),
        COMPARED["height"]: np.reshape(errors, (len(runs), len(tiles), 2, 1)),
    }


def _overlaps(confusion: Confusion, classes: int) -> NDArray[np.float64]:
    """Return hits and union of each class, as in :func:`mtlaerial.scoring.metrics.semantic_scores`."""
    if not confusion:
        return np.zeros((2, classes))
    matrix = np.array(confusion, dtype=np.float64)
    predicted = matrix[:, :classes]  # without the column of pixels not predicted, which count as true only
    hits = np.diag(predicted)
    return np.stack([hits, matrix.sum(axis=1) + predicted.sum(axis=0) - hits])


def _errors(tile: TileScores) -> NDArray[np.float64]:
    """Return the sum of absolute errors, and the number of cells; zeros without heights."""
    values = tile.height.get("all", {}).get(OVERALL, ())
    sums: Mapping[str, float] = dict(zip(SUMS, values, strict=False))
    return np.array([[sums.get("absolute", 0.0)], [sums.get("cells", 0.0)]])
