"""The values of one data set's tables, by method and column."""

import math
from collections.abc import Sequence

import pandas as pd

from mtlaerial.reporting.tables.collect import CLASS, OVERALL, POOLED, baselines
from mtlaerial.reporting.tables.columns import Column
from mtlaerial.reporting.tables.constant import CONSTANT
from mtlaerial.reporting.tables.published import Citations
from mtlaerial.scoring.scores import Scores, TileScores

MISSING = "–"


class Values:
    """Means, deviations and their texts.

    Parameters
    ----------
    runs : sequence of Scores
        All of one data set.
    summary : DataFrame
        From :func:`mtlaerial.reporting.tables.summarise`.
    citations : Citations
        What others publish on the data set.

    Attributes
    ----------
    dataset : str
    methods : list of str
        In the given order; the last is the constant prediction.
    classes, bins : list of str
        The groups of heights.
    seeds : dict of method to int
        Number of seeds.
    unit : float or None
        Metres per unit in which height errors are given too.
    """

    def __init__(self, runs: Sequence[Scores], summary: pd.DataFrame, citations: Citations) -> None:
        self.runs = runs
        self.citations = citations
        self.unit = next((run.height_unit for run in runs if run.height_unit), None)
        self.dataset = runs[0].dataset
        self.methods = [*dict.fromkeys(run.method for run in runs), CONSTANT]
        self.classes = [CLASS + name for name in runs[0].classes]
        groups = dict.fromkeys(group for run in runs for group in run.height("all"))
        self.bins = [group for group in groups if group not in (OVERALL, *self.classes)]
        self.seeds = {method: sum(run.method == method for run in runs) for method in self.methods}
        own = summary[summary["dataset"] == self.dataset].set_index(["method", "pooling", "mask", "group", "score"])
        self._values = dict(zip(own.index, own[["mean", "std", "n"]].itertuples(index=False, name=None), strict=True))

    def __call__(self, method: str, column: Column, pooling: str = POOLED) -> tuple[float, float, int]:
        """Return mean, deviation and number of seeds; NaN where there is none."""
        key = (method, pooling, column.mask, column.group, column.score)
        mean, std, n = self._values.get(key, (math.nan, math.nan, 0))
        return float(mean), float(std), int(n)

    def known(self, method: str, column: Column) -> bool:
        """Tell whether a method has a score."""
        return math.isfinite(self(method, column)[0])

    def text(self, method: str, column: Column, pooling: str = POOLED) -> str:
        """Return "mean ± std", or a dash; the number of seeds is given where some lack the score."""
        mean, std, n = self(method, column, pooling)
        if not math.isfinite(mean):
            return MISSING
        spread = f" ± {column.text(std)}" if math.isfinite(std) else ""
        return column.text(mean) + spread + (f" (n = {n})" if n < self.seeds[method] else "")

    def best(self, column: Column) -> float:
        """Return the best value as shown, over all methods; NaN without any."""
        shown = [column.shown(self(method, column)[0]) for method in self.methods if self.known(method, column)]
        if not shown:
            return math.nan
        return min(shown) if column.lower_is_better else max(shown)

    def label(self, method: str) -> str:
        """Return the name of a row, with its number of seeds where these differ."""
        numbers = {self.seeds[other] for other in self.methods if other != CONSTANT}
        return method if len(numbers) == 1 or method == CONSTANT else f"{method} ({_count(self.seeds[method], 'seed')})"

    def title(self) -> str:
        """Return the data set's title, and whether it is generated."""
        return self.runs[0].title + (" (generated data)" if self.runs[0].generated else "")

    def sampling(self) -> str:
        """Say over what the numbers are."""
        numbers = [self.seeds[method] for method in self.methods if method != CONSTANT]
        low, high = min(numbers), max(numbers)
        seeds = _count(high, "seed") if low == high else f"{low} to {high} seeds"
        over = f"Mean ± standard deviation over {seeds}" if high > 1 else "One seed"
        return f"{over}; {_count(len(self.runs[0].tiles), 'test tile')}, pooled."

    def coverage(self) -> str:
        """Say where only some of the test tiles have truth; every run is scored on the same."""
        tiles: dict[str, list[TileScores]] = {}
        for name, tile in (item for run in self.runs for item in run.tiles.items()):
            tiles.setdefault(name, []).append(tile)
        layers = {"classes": "confusion", "heights": "height"}
        known = {what: sum(any(getattr(t, at) for t in own) for own in tiles.values()) for what, at in layers.items()}
        parts = [f"{what} in {number}" for what, number in known.items() if 0 < number < len(tiles)]
        return f"Known and scored, of {len(tiles)} test tiles: {', '.join(parts)}." if parts else ""

    def gain(self) -> str:
        """Say what delta-m is relative to."""
        return (
            f"Δm: mean relative gain in mIoU and MAE over {' and '.join(baselines(self.runs).values())}, seed by seed."
        )

    def shares(self, groups: Sequence[str]) -> str:
        """Say how the heights are spread over groups; every run is scored on the same."""

        def cells(group: str) -> float:
            found = (self(method, Column("", "cells", group=group))[0] for method in self.methods)
            return next((number for number in found if number > 0), 0.0)

        parts = [
            f"{group.removeprefix(CLASS)} {100 * cells(group) / cells(OVERALL):.1f} %"
            for group in groups
            if cells(group)
        ]
        return f"Shares of the valid cells: {', '.join(parts)}." if parts else ""


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
