"""Steps of an ablation: each row against the one before it and against the first, with paired intervals."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite

import numpy as np
import pandas as pd

from mtlaerial.reporting.inference.differences import Difference
from mtlaerial.reporting.inference.intervals import CONFIDENCE, Array
from mtlaerial.reporting.tables.comparison import paired
from mtlaerial.reporting.tables.ensembles import ensemble_notes
from mtlaerial.reporting.tables.groups import CLASS, OVERALL
from mtlaerial.reporting.tables.marks import change
from mtlaerial.reporting.tables.notes import origin_notes
from mtlaerial.reporting.tables.panels import Cell, Document, Note, Panel
from mtlaerial.reporting.tables.readings.comparisons import differences_reading
from mtlaerial.reporting.tables.score_rows import JOINT
from mtlaerial.reporting.tables.tile_sums import Source
from mtlaerial.reporting.tables.values import MISSING, Values

Chains = Sequence[Sequence[str]]
"""Methods in the order of their steps, for each ablation."""
NOTHING = "Not available: no two rows of the steps were scored on this data set."
COLUMNS = ("method", "baseline", "step", "score", "unit", "seeds", "tiles", "difference", "low", "high", "p")
BEFORE, FIRST = "before", "first"


@dataclass(frozen=True)
class Measure:
    """A score whose difference between two rows is shown."""

    header: str
    score: str
    source: Source
    relative: bool = False
    """Whether the difference is relative to the baseline, as for errors; else it is in points of percentage."""
    group: str = OVERALL

    @property
    def unit(self) -> str:
        """Unit of the difference."""
        return "%" if self.relative else "points"


@dataclass(frozen=True)
class Step:
    """Difference of one measure between two rows."""

    method: str
    baseline: str
    difference: Difference


def steps(values: Values, chains: Chains) -> Document:
    """Lay out the differences between the rows of ablations on one data set.

    Parameters
    ----------
    values : Values
    chains : sequence of sequence of str
        Rows that were not scored on the data set are left out.

    Returns
    -------
    Document
        For each ablation a panel of scores, and one of the IoU of each class, against the row before and against the
        first.
    """
    measures, by_class = _measures(values), _class_measures(values)
    panels: list[Panel] = []
    rows: list[tuple[object, ...]] = []
    for number, chain in enumerate(chains, start=1):
        methods = [method for method in chain if method in values.methods]
        passed_over = [method for method in chain if method not in methods]
        for step, pairs in _pairs(methods).items():
            for part, some in (("scores", measures), ("classes", by_class)):
                compared = {measure: [_compare(values, *pair, measure) for pair in pairs] for measure in some}
                key = f"{values.dataset}-steps-{number}-{step}-{part}"
                panels += [_panel(values, key, step, pairs, compared, passed_over)] if pairs and some else []
                rows += _wide(step, compared)
    return Document(f"{values.dataset}_steps", tuple(panels), pd.DataFrame(rows, columns=COLUMNS), NOTHING)


def _measures(values: Values) -> list[Measure]:
    height: tuple[str, ...] = ("height", "all")
    measures = [
        Measure("mIoU", "mIoU", ("classes", "all")),
        Measure("mIoU-3", JOINT, ("joint", "all")),
        Measure("MAE", "MAE", (*height, OVERALL), relative=True),
        Measure("RMSE", "RMSE", (*height, OVERALL), relative=True),
    ]
    alike = all(list(run.height_bins) == values.bins for run in values.runs if run.height_bins)
    if alike and len(values.bins) > 1:  # a few of the highest cells make up most of the squared error
        edge = values.bins[-1].removeprefix("from ")
        measures.append(Measure(f"RMSE, h < {edge}", "RMSE", (*height, *values.bins[:-1]), relative=True))
    return measures


def _class_measures(values: Values) -> list[Measure]:
    source = ("classes", "all")
    return [Measure(name, f"IoU {name}", source, group=CLASS + name) for name in values.runs[0].classes]


def _pairs(methods: Sequence[str]) -> dict[str, list[tuple[str, str]]]:
    """Return each row with its baseline; against the first those that are not after it."""
    before = [(method, baseline) for baseline, method in pairwise(methods)]
    return {BEFORE: before, FIRST: [(method, methods[0]) for method in methods[2:]]}


def _compare(values: Values, method: str, baseline: str, measure: Measure) -> Step:
    """Return the difference of a measure, over the seeds and tiles that both rows have."""
    runs = paired(values.runs, method, baseline)
    change = _relative if measure.relative else np.subtract
    difference = values.bold.difference(runs, measure.source, measure.score, measure.group, change)
    return Step(method, baseline, difference)


def _relative(scores: Array, reference: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        return scores / reference - 1


def _panel(
    values: Values,
    key: str,
    step: str,
    pairs: Sequence[tuple[str, str]],
    compared: Mapping[Measure, Sequence[Step]],
    passed_over: Sequence[str],
) -> Panel:
    against = "the row before" if step == BEFORE else f"the first row ({pairs[0][1]})"
    subject = "scores" if any(measure.relative for measure in compared) else "IoU of each class"
    cells = [[Cell(_text(entry)) for entry in entries] for entries in compared.values()]
    names = [_difference_name(*pair) for pair in pairs]
    rows = [(Cell(name), *row) for name, row in zip(names, zip(*cells, strict=True), strict=True)]
    methods = list(dict.fromkeys(name for pair in pairs for name in pair))
    missing = [f"Passed over, as not scored on this data set: {', '.join(passed_over)}."] if passed_over else []
    notes = [
        *_notes(compared),
        *missing,
        *values.notes,
        *(_change_notes(values, pairs) if step == BEFORE else ()),
        *ensemble_notes(values.runs, methods),
        *origin_notes(values),
    ]
    return Panel(
        key=key,
        dataset=values.dataset,
        title=values.title(),
        subject=f"{subject}: each row against {against}",
        details="Differences of means over seeds, test tiles pooled.",
        header=("", *(f"{measure.header} ({measure.unit})" for measure in compared)),
        rows=tuple(rows),
        notes=tuple(map(Note, notes)),
        reading=_reading(compared),
    )


def _reading(compared: Mapping[Measure, Sequence[Step]]) -> str:
    measure, entries = next(iter(compared.items()))
    score = measure.header if measure.group == OVERALL else measure.score
    return differences_reading(score, [entry.difference for entry in entries], measure.relative)


def _text(step: Step) -> str:
    difference = step.difference
    if not isfinite(difference.effect):
        return MISSING
    interval = " to ".join(map(_signed, difference.interval()))
    if not difference.tested:
        interval = "one seed" if difference.seeds == 1 else "one tile"
    return f"{_signed(difference.effect)} ({interval})"


def _signed(fraction: float) -> str:
    return f"{100 * fraction:+.2f}".replace("-", "−")


def _notes(compared: Mapping[Measure, Sequence[Step]]) -> Iterator[str]:
    entries = [entry for steps_of_one in compared.values() for entry in steps_of_one]
    seeds, tiles = (sorted({getattr(entry.difference, name) for entry in entries}) for name in ("seeds", "tiles"))
    if any(measure.relative for measure in compared):
        yield "Points: of percentage. Errors (MAE, RMSE): change in per cent of the baseline's; negative is better."
    yield (
        f"In brackets: {100 * CONFIDENCE:g} % interval of each difference by itself, not adjusted for their number, "
        f"over seeds ({_range(seeds)}) and test tiles ({_range(tiles)}), paired: docs/scores.md, Comparisons."
    )
    if seeds[0] < 2:
        yield "One seed: no interval, and a difference that another seed may turn round."


def _change_notes(values: Values, pairs: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Yield what each row does otherwise than the one before; nothing of single networks and ensembles beside them."""
    first = {run.method: run for run in reversed(values.runs)}
    for method, baseline in pairs:
        if text := change(first[method], first[baseline]):
            yield f"{_difference_name(method, baseline)}: {text}."


def _difference_name(method: str, baseline: str) -> str:
    return f"{method} − {baseline}"


def _range(numbers: Sequence[int]) -> str:
    return str(numbers[0]) if len(numbers) == 1 else f"{numbers[0]} to {numbers[-1]}"


def _wide(step: str, compared: Mapping[Measure, Sequence[Step]]) -> Iterator[tuple[object, ...]]:
    for measure, entries in compared.items():
        for entry in entries:
            difference = entry.difference
            percentages = [100 * number for number in (difference.effect, *difference.interval())]
            place = (entry.method, entry.baseline, step, measure.header, measure.unit)
            yield *place, difference.seeds, difference.tiles, *percentages, difference.p
