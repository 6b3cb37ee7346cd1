"""Scores over the share of a task's truth that is used: the points of curves, with paired intervals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np

from mtlaerial.config import Task, task_entry
from mtlaerial.config.label_efficiency import LabelEfficiency
from mtlaerial.config.tasks import leads
from mtlaerial.reporting.inference.differences import Difference
from mtlaerial.reporting.inference.intervals import Array
from mtlaerial.reporting.tables.bold import OF_SETS, Bold
from mtlaerial.reporting.tables.comparison import paired
from mtlaerial.reporting.tables.groups import OVERALL
from mtlaerial.reporting.tables.tile_sums import Source
from mtlaerial.scoring.scores import Scores

SINGLE, JOINT, GAIN = "single", "joint", "joint - single"
"""Curves: one task alone, joint learning, and the difference of both."""


@dataclass(frozen=True)
class Measure:
    """A score of the curves.

    Attributes
    ----------
    header : str
    key : str
        Name of the score among those of the sums.
    source : Source
    length : bool
        Whether it is an error in metres, whose difference is relative; else a fraction, whose difference is in points.
    """

    header: str
    key: str
    source: Source
    length: bool = False

    @property
    def unit(self) -> str:
        """Unit of the values."""
        return "m" if self.length else "%"

    @property
    def scale(self) -> float:
        """Factor from the score to its unit."""
        return 1.0 if self.length else 100.0

    def interval(self, score: Difference) -> tuple[float, float]:
        """Return the interval of a score as far as such values exist: errors from 0, fractions from 0 to 1."""
        low, high = score.interval()
        return max(low, 0.0), high if self.length else min(high, 1.0)

    def text(self, value: float) -> str:
        """Return a value in its unit."""
        return f"{self.scale * value:.{3 if self.length else 2}f}"


@dataclass(frozen=True)
class Share:
    """Both curves at one share of the truth; a method that was not scored there is empty.

    Attributes
    ----------
    percent : float
    single, joint : str
        Names of the methods.
    seeds, tiles : int
        Numbers that both have.
    scores : mapping of curve to Difference
        Of each method by itself the score with its interval; of ``GAIN`` the difference.
    """

    percent: float
    single: str
    joint: str
    seeds: int
    tiles: int
    scores: Mapping[str, Difference]


def measures(runs: Sequence[Scores], task: Task) -> list[Measure]:
    """Return the scores of a task that are compared; only those of the leading one have sets of classes."""
    if task_entry(task).metrics == "heights":
        source = ("height", "all", OVERALL)
        return [Measure(name, name, source, length=True) for name in ("MAE", "RMSE")]
    has_sets = any(run.class_sets for run in runs) and leads(task)
    of_sets = [Measure("mIoU of class sets", "mIoU", OF_SETS)] if has_sets else []
    return [Measure("mIoU", "mIoU", ("classes", "all")), *of_sets]


def compare_shares(bold: Bold, task: Task, curve: LabelEfficiency, measure: Measure) -> list[Share]:
    """Return both curves of a task at each share of its truth, the largest first.

    Parameters
    ----------
    bold : Bold
        Of all runs on one data set, whose draws it keeps.
    task : Task
    curve : LabelEfficiency
        Methods that were not scored are passed over, and of several with the same share all but the first.
    measure : Measure
    """
    by_share: dict[float, dict[str, str]] = {}
    for arm, methods in ((SINGLE, curve.single), (JOINT, curve.joint)):
        for method in methods:
            runs = [run for run in bold.runs if run.method == method]
            if runs:
                by_share.setdefault(runs[0].percent_of_truth(task), {}).setdefault(arm, method)
    shares = [_share(bold, task, percent, arms, measure) for percent, arms in sorted(by_share.items(), reverse=True)]
    return [share for share in shares if any(isfinite(score.effect) for score in share.scores.values())]


def _share(bold: Bold, task: Task, percent: float, arms: Mapping[str, str], measure: Measure) -> Share:
    single, joint = arms.get(SINGLE, ""), arms.get(JOINT, "")
    runs = {arm: _runs_of(bold.runs, method) for arm, method in arms.items()}
    if single and joint:
        runs[SINGLE], runs[JOINT] = paired(bold.runs, single, joint)
    further = None if leads(task) else task
    scores = {arm: bold.estimate(some, measure.source, measure.key, further) for arm, some in runs.items()}
    if runs.get(SINGLE) and runs.get(JOINT):
        pair, change = (runs[JOINT], runs[SINGLE]), _relative if measure.length else np.subtract
        scores[GAIN] = bold.difference(pair, measure.source, measure.key, OVERALL, change, further)
    seeds, tiles = (min(getattr(score, name) for score in scores.values()) for name in ("seeds", "tiles"))
    return Share(percent, single, joint, seeds, tiles, scores)


def _relative(scores: Array, reference: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        return scores / reference - 1


def _runs_of(runs: Sequence[Scores], method: str) -> list[Scores]:
    return sorted((run for run in runs if run.method == method), key=lambda run: run.seed)
