"""The values of one data set's tables, by method and column."""

import math
from collections import Counter
from collections.abc import Callable, Sequence

import pandas as pd

from mtlaerial.config.tasks import leads
from mtlaerial.reporting.tables.bold import Bold
from mtlaerial.reporting.tables.collect import POOLED
from mtlaerial.reporting.tables.columns import Column
from mtlaerial.reporting.tables.constant import CONSTANT
from mtlaerial.reporting.tables.gain import learned_tasks
from mtlaerial.reporting.tables.groups import CLASS, OVERALL
from mtlaerial.reporting.tables.marks import marks
from mtlaerial.reporting.tables.origins import MARK, is_finished
from mtlaerial.reporting.tables.published import Citations
from mtlaerial.scoring.scores import Scores

MISSING = "–"


class Values:
    """Means and standard deviations of one data set, and their texts.

    Parameters
    ----------
    runs : sequence of Scores
        All runs on one data set, from :func:`mtlaerial.reporting.tables.left_out.left_out_alike`.
    summary : DataFrame
        From :func:`mtlaerial.reporting.tables.mean_over_seeds`.
    citations : Citations
        Published numbers on the data set.
    notes : sequence of str
        Sentences on methods and runs, for below the tables.

    Attributes
    ----------
    dataset : str
    tasks, further_tasks : list of Task
        Those of the runs, the package's first; and those of them that are not the leading ones of their metrics.
    methods : list of str
        In the order of the runs; the last is the constant prediction.
    classes, bins : list of str
        The groups of heights.
    class_sets : list of str
        Names of the sets of classes that are scored as one class.
    left_out : list of tuple of str
        Classes that a second set of semantic scores leaves out, those of the runs first; then those of published ones.
    seeds : dict of method to int
        Number of seeds.
    unit : float or None
        Metres per unit of a second presentation of height errors.
    bold : Bold
        Comparison of the best method with the runner-up.
    marks : dict of method to Mark
        Methods whose training differs from the others'.
    """

    def __init__(
        self,
        runs: Sequence[Scores],
        summary: pd.DataFrame,
        citations: Citations,
        notes: Sequence[str] = (),
    ) -> None:
        self.runs = runs
        self.citations = citations
        self.bold = Bold(runs)
        self.marks = marks(runs)
        self.notes = notes
        self.unit = next((run.height_unit for run in runs if run.height_unit), None)
        self.dataset = runs[0].dataset
        self.methods = [*dict.fromkeys(run.method for run in runs), CONSTANT]
        self.tasks = learned_tasks(runs)
        self.further_tasks = [task for task in self.tasks if not leads(task)]
        self.left_out = [runs[0].without_classes, *citations.left_out]
        self.class_sets = next((list(run.class_sets) for run in runs if run.class_sets), [])
        self.classes = [CLASS + name for name in runs[0].classes]
        self.bins = list(dict.fromkeys(group for run in runs for group in run.height_bins))
        counts = Counter(run.method for run in runs)
        self.seeds = {method: counts[method] for method in self.methods}
        rows = summary[summary["dataset"] == self.dataset].set_index(["method", "pooling", "mask", "group", "score"])
        # A dictionary, since look-ups in a DataFrame's index of five levels are slow.
        self._values = dict(zip(rows.index, rows[["mean", "std", "n"]].itertuples(index=False, name=None), strict=True))

    def __call__(self, method: str, column: Column, pooling: str = POOLED) -> tuple[float, float, int]:
        """Return mean, standard deviation and number of seeds; NaN, NaN and 0 without a score."""
        if not column.unit_stated:
            return math.nan, math.nan, 0
        key = (method, pooling, column.mask, column.group, column.score)
        mean, std, n = self._values.get(key, (math.nan, math.nan, 0))
        return float(mean), float(std), int(n)

    def has_score(self, method: str, column: Column) -> bool:
        """Return whether a method has a score."""
        return math.isfinite(self(method, column)[0])

    def has_any(self, method: str, columns: Sequence[Column]) -> bool:
        """Return whether a method has any of some scores."""
        return any(self.has_score(method, column) for column in columns)

    def text(self, method: str, column: Column, pooling: str = POOLED) -> str:
        """Return "mean ± std", or a dash; with the number of seeds if some of the method's lack the score."""
        mean, std, n = self(method, column, pooling)
        if not math.isfinite(mean):
            return MISSING
        spread = f" ± {column.text(std)}" if math.isfinite(std) else ""
        return column.text(mean) + spread + (f" (n = {n})" if n < self.seeds[method] else "")

    def winner(self, column: Column) -> str | None:
        """Return the method to print in bold, see :mod:`mtlaerial.reporting.tables.bold`; None without any."""
        if not column.ranked:
            return None
        scored = [method for method in self.methods if self.has_score(method, column)]
        learned = sorted((method for method in scored if method != CONSTANT), key=self._rank(column))
        if len(learned) < 2:
            return None
        best, runner_up = learned[:2]
        # A lead that rounding hides is a tie.
        rivals = [method for method in (runner_up, CONSTANT) if method in scored]
        ahead = all(self._rank(column)(best) < self._rank(column)(rival) for rival in rivals)
        return best if ahead and self.bold.better(best, runner_up, column) else None

    def _rank(self, column: Column) -> Callable[[str], float]:
        sign = 1 if column.lower_is_better else -1
        return lambda method: sign * column.shown(self(method, column)[0])

    def label(self, method: str) -> str:
        """Return the name of a row, with the number of seeds if methods differ in it."""
        numbers = {number for name, number in self.seeds.items() if name != CONSTANT}
        uneven = len(numbers) > 1 and method != CONSTANT
        seeds = f" ({_count(self.seeds[method], 'seed')})" if uneven else ""
        mark = self.marks.get(method)
        finished = MARK if is_finished(self.runs, method) else ""
        return method + finished + (f" ({mark.letter})" if mark else "") + seeds

    def title(self) -> str:
        """Return the data set's title, marked when the data are generated."""
        return self.runs[0].title + (" (generated data)" if self.runs[0].generated else "")

    def sampling(self) -> str:
        """Return the numbers of seeds and tiles as a sentence."""
        numbers = [number for name, number in self.seeds.items() if name != CONSTANT]
        low, high = min(numbers), max(numbers)
        seeds = _count(high, "seed") if low == high else f"{low} to {high} seeds"
        over = f"Mean ± standard deviation over {seeds}" if high > 1 else "One seed"
        tiles = sorted({len(run.tiles) for run in self.runs})
        fewest = f"{tiles[0]} to " if len(tiles) > 1 else ""
        return f"{over}; {fewest}{_count(tiles[-1], 'test tile')}, pooled."

    def shares(self, groups: Sequence[str]) -> str:
        """Return the distribution of heights over groups as a sentence."""
        total = self._cells(OVERALL)
        parts = []
        for group in groups:
            number = self._cells(group)
            if number:
                parts.append(f"{group.removeprefix(CLASS)} {100 * number / total:.1f} %")
        return f"Shares of the valid cells: {', '.join(parts)}." if parts else ""

    def _cells(self, group: str) -> float:
        """Return the heights of a group, from the first method that has any: all are scored on the same."""
        numbers = [self(method, Column("", "cells", group=group))[0] for method in self.methods]
        return next((number for number in numbers if number > 0), 0.0)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
