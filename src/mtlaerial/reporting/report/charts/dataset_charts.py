"""Charts of a data set: scores by class and by height, and calibration, of the methods that score best."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import zip_longest

import numpy as np

from mtlaerial.reporting.report.charts.dot_chart import dot_chart
from mtlaerial.reporting.report.charts.line_chart import line_chart
from mtlaerial.reporting.report.charts.svg import MARKERS
from mtlaerial.reporting.tables.columns import COVERAGE, HEIGHT, SEMANTICS, Column, by_group, class_f1
from mtlaerial.reporting.tables.groups import CLASS, OVERALL
from mtlaerial.reporting.tables.readings.scores import by_rank
from mtlaerial.reporting.tables.score_rows import CELLS
from mtlaerial.reporting.tables.uncertainty import levels_of
from mtlaerial.reporting.tables.values import Values
from mtlaerial.scoring.reliability import calibration_error, reliability_diagram
from mtlaerial.scoring.uncertainty import UncertaintySums

MOST = len(MARKERS)
"""Methods of a chart."""
LEAST_SHARE = 0.001
"""Share of the pixels below which a bin of probability has no point."""
(MIOU,) = (column for column in SEMANTICS if column.score == "mIoU")
(MAE,) = (column for column in HEIGHT if column.score == "MAE")
PERCENT = (0.0, 100.0)


@dataclass(frozen=True)
class Chart:
    """A chart, its title and what to know about it."""

    svg: str
    title: str
    note: str


def dataset_charts(values: Values) -> list[Chart]:
    """Return the charts of a data set; none of what no method learns, or what was not scored."""
    charts = _DatasetCharts(values)
    return [*charts.by_class(), *charts.by_height(), *charts.reliability(), *charts.coverage()]


class _DatasetCharts:
    """Charts of the same methods, each with its colour and marker: those that score best in mIoU or in MAE."""

    def __init__(self, values: Values) -> None:
        self.values = values
        rankings = [by_rank(values, values.methods, column) for column in (MIOU, MAE)]
        merged = dict.fromkeys(name for pair in zip_longest(*rankings) for name in pair if name)
        chosen = list(merged)[:MOST]
        self.methods = [method for method in values.methods if method in chosen]
        self.numbers = {method: number for number, method in enumerate(self.methods)}
        self.note = f"The {MOST} of {len(merged)} methods that are best in mIoU or MAE." if len(merged) > MOST else ""

    def by_class(self) -> Iterator[Chart]:
        """Yield F1 by class."""
        columns = self._scored(class_f1(self.values.runs[0].classes))
        if columns:
            rows = [column.group.removeprefix(CLASS) for column in columns]
            yield self._dots("f1", "F1 by class", "F1 (%)", rows, columns, "")

    def by_height(self) -> Iterator[Chart]:
        """Yield MAE and bias by true height."""
        for score, title in (("MAE", "MAE by true height"), ("bias", "Bias by true height: predicted minus true")):
            columns = self._scored(by_group(self.values.bins, score))
            if columns:
                rows = [f"{column.group} ({100 * self._share(column.group):.0f} %)" for column in columns]
                note = "In brackets: share of the valid cells."
                yield self._dots(score.lower(), title, f"{score} (m)", rows, columns, note)

    def reliability(self) -> Iterator[Chart]:
        """Yield the accuracy over the probability of the predicted class."""
        curves, numbers = {}, {}
        for method in self.methods:
            runs = [run for run in self.values.runs if run.method == method]
            pooled = reduce(UncertaintySums.plus, (run.uncertainty() for run in runs), UncertaintySums())
            sums = np.array(pooled.reliability)
            if sums.size:
                share, confidence, accuracy = 100 * reliability_diagram(sums).T
                name = f"{method}, ECE {100 * float(calibration_error(sums)):.1f} %"
                shown = np.flatnonzero(share >= 100 * LEAST_SHARE)
                curves[name] = list(zip(confidence[shown].tolist(), accuracy[shown].tolist(), strict=True))
                numbers[name] = self.numbers[method]
        if curves:
            title, labels = "Accuracy over the probability of the predicted class", ("probability (%)", "accuracy (%)")
            key = f"{self.values.dataset}-chart-reliability"
            svg = line_chart(key, title, labels, curves, numbers, PERCENT, diagonal=True)
            yield Chart(svg, title, "Dashed: calibrated; below it, probabilities are too high.")

    def coverage(self) -> Iterator[Chart]:
        """Yield the coverage of intervals of heights over their level."""
        levels = levels_of(self.values.runs)
        columns = {float(level.removesuffix(" %")): Column("", COVERAGE + level) for level in levels}
        curves = {}
        for method in self.methods:
            if self.values.has_any(method, list(columns.values())):
                curves[method] = [(level, 100 * self.values(method, column)[0]) for level, column in columns.items()]
        if curves:
            title, labels = "Coverage of the intervals of heights", ("level (%)", "covered cells (%)")
            key = f"{self.values.dataset}-chart-coverage"
            svg = line_chart(key, title, labels, curves, self.numbers, PERCENT, diagonal=True)
            yield Chart(svg, title, "Dashed: as stated; below it, intervals are too narrow.")

    def _dots(
        self, key: str, title: str, label: str, rows: Sequence[str], columns: Sequence[Column], note: str
    ) -> Chart:
        values, series = self.values, {}
        methods = [method for method in self.methods if values.has_any(method, columns)]
        scale = 1.0 if columns[0].length else 100.0
        for method in methods:
            scores = [values(method, column) for column in columns]
            series[method] = [(scale * mean, scale * deviation) for mean, deviation, _ in scores]
        key, of_lengths = f"{values.dataset}-chart-{key}", columns[0].length
        svg = dot_chart(key, title, label, rows, series, self.numbers, zero=of_lengths)
        several = any(values.seeds[method] > 1 for method in methods)
        spread = "Lines: standard deviation over seeds." if several else ""
        return Chart(svg, title, " ".join(filter(None, (note, spread, self.note))))

    def _scored(self, columns: Sequence[Column]) -> list[Column]:
        return [column for column in columns if any(self.values.has_score(method, column) for method in self.methods)]

    def _share(self, group: str) -> float:
        """Return a group's share of the valid cells, which is the same for all methods that learn heights."""
        method = next(method for method in self.methods if self.values.has_score(method, MAE))
        cells = [self.values(method, Column("", CELLS, group=name))[0] for name in (group, OVERALL)]
        return cells[0] / cells[1]
