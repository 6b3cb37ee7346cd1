"""Methods compared with one of them: which differences are more than chance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite, nan

import numpy as np
from numpy.typing import NDArray

from mtlaerial.reporting.tables.bootstrap import DRAWS, Difference, Sums, counts, difference, holm
from mtlaerial.reporting.tables.collect import COMPARED, OVERALL
from mtlaerial.scoring.metrics import SUMS
from mtlaerial.scoring.scores import Scores, TileScores
from mtlaerial.scoring.tile_sums import Confusion

LEVEL = 0.05
"""The adjusted p below which a difference is called one."""
ENOUGH = 5
"""Seeds that "better" needs."""


@dataclass(frozen=True)
class Comparison:
    """A method against a baseline."""

    method: str
    baseline: str
    seeds: int
    """That both have."""
    tiles: int
    """With truth: for the task that has it in the fewest."""
    difference: Difference
    adjusted: float = nan
    """The p-value, for all methods compared with the baseline."""

    @property
    def better(self) -> bool:
        """Whether the method is better by more than chance, over enough seeds."""
        return self.adjusted < LEVEL and self.difference.effect > 0 and self.seeds >= ENOUGH

    @property
    def verdict(self) -> str:
        """What can be said, as a sentence."""
        if not isfinite(self.adjusted):
            return f"{self._lacking}: no statement"
        if self.better:
            return f"better than {self.baseline}"
        if self.adjusted < LEVEL and self.difference.effect < 0:
            return f"worse than {self.baseline}"
        few = f" (fewer than {ENOUGH} seeds)" if self.adjusted < LEVEL else ""
        return f"not distinguishable from {self.baseline}{few}"

    @property
    def _lacking(self) -> str:
        if self.seeds < 2:
            return "one seed" if self.seeds else "no seed in common"
        return "one test tile" if self.tiles == 1 else "not scored for both tasks"


def compare(runs: Sequence[Scores], baseline: str, draws: int = DRAWS) -> dict[str, Comparison]:
    """Compare every method with a baseline.

    Parameters
    ----------
    runs : sequence of Scores
        Of methods that learn both tasks, on one data set.
    baseline : str
        One of the methods.
    draws : int
        Of the bootstrap; see :func:`mtlaerial.reporting.tables.bootstrap.difference`.

    Returns
    -------
    dict of method to Comparison
        Of the others, in the order of the runs; p-values are adjusted for their number.
    """
    methods = [method for method in dict.fromkeys(run.method for run in runs) if method != baseline]
    found = [_compared(runs, method, baseline, draws) for method in methods]
    adjusted = holm([comparison.difference.p for comparison in found])
    return {entry.method: replace(entry, adjusted=p) for entry, p in zip(found, adjusted, strict=True)}


def _compared(runs: Sequence[Scores], method: str, baseline: str, draws: int) -> Comparison:
    one, other = _paired(runs, method, baseline)
    names = _tiles((*one, *other))
    if not one or not names:
        return Comparison(method, baseline, len(one), len(names), Difference(nan))
    sums = run_sums(one, names)
    return Comparison(method, baseline, *counts(sums), difference(sums, run_sums(other, names), draws))


def _paired(runs: Sequence[Scores], method: str, baseline: str) -> tuple[list[Scores], list[Scores]]:
    """Return the runs of both for the seeds that both have, in the order of the seeds, as far as classes agree."""
    classes = next(run.classes for run in runs if run.method == baseline)
    by_seed = [
        {run.seed: run for run in runs if run.method == m and run.classes == classes} for m in (method, baseline)
    ]
    seeds = sorted(by_seed[0].keys() & by_seed[1].keys())
    one, other = ([own[seed] for seed in seeds] for own in by_seed)
    return one, other


def _tiles(runs: Sequence[Scores]) -> list[str]:
    """Return the tiles with any truth that all runs have, in the order of their names."""
    known = [{name for name, tile in run.tiles.items() if tile.confusion or tile.height} for run in runs]
    return sorted(set.intersection(*known)) if known else []


def run_sums(runs: Sequence[Scores], tiles: Sequence[str]) -> Sums:
    """Return what the scores that enter delta-m follow from.

    Parameters
    ----------
    runs : sequence of Scores
        Of one method, one per seed.
    tiles : sequence of str

    Returns
    -------
    mapping of score to array, shape (seeds, tiles, 2, groups)
        Of mIoU: hits and unions of the classes. Of MAE, in one group: sum of absolute errors in metres, and cells.
    """
    entries = [[run.tiles[name] for name in tiles] for run in runs]
    classes = len(runs[0].classes)
    return {
        COMPARED["semantics"]: np.array([[_overlaps(tile.confusion, classes) for tile in row] for row in entries]),
        COMPARED["height"]: np.array([[_errors(tile) for tile in row] for row in entries]),
    }


def _overlaps(confusion: Confusion, classes: int) -> NDArray[np.float64]:
    """Return hits and union of each class; as in :func:`mtlaerial.scoring.metrics.semantic_scores`."""
    if not confusion:
        return np.zeros((2, classes))
    matrix = np.array(confusion, dtype=np.float64)
    hits = np.diag(matrix[:, :classes])
    return np.stack([hits, matrix.sum(axis=1) + matrix[:, :classes].sum(axis=0) - hits])


def _errors(tile: TileScores) -> NDArray[np.float64]:
    """Return the sum of absolute errors, and the number of cells."""
    sums: Mapping[str, float] = dict(zip(SUMS, tile.height.get("all", {}).get(OVERALL, ()), strict=False))
    return np.array([[sums.get("absolute", 0.0)], [sums.get("cells", 0.0)]])
