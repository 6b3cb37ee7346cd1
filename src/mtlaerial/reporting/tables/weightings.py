"""Comparison of task weightings with equal weights, and with the best constant weights."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import inf, isfinite

import pandas as pd

from mtlaerial.config import Task
from mtlaerial.reporting.tables.bootstrap import DRAWS
from mtlaerial.reporting.tables.columns import GAINS
from mtlaerial.reporting.tables.comparison import ENOUGH_SEEDS, LEVEL, Comparison, compare
from mtlaerial.reporting.tables.costs import Costs, with_costs
from mtlaerial.reporting.tables.ensembles import ensemble_notes
from mtlaerial.reporting.tables.ground_truth import coverage, different_tiles, mixed_grids, protocol
from mtlaerial.reporting.tables.notes import mark_notes
from mtlaerial.reporting.tables.panels import Cell, Document, Note, Panel
from mtlaerial.reporting.tables.values import MISSING, Values
from mtlaerial.scoring.scores import Scores

EQUAL = "equal"
CONSTANT_WEIGHTS = (EQUAL, "fixed")
"""Weightings whose weights do not change during a training."""
NOTHING = (
    "Not available: weightings are compared where a method learns both tasks with equal weights, and at least one "
    "other method learns both."
)
COLUMNS = (
    "baseline", "method", "weighting", "seeds", "tiles",
    "effect (%)", "low (%)", "high (%)", "p", "p (Holm)", "verdict",
)  # fmt: skip
(GAIN,) = GAINS
Weightings = Mapping[str, str]
"""The weighting of each method that is compared."""
Comparisons = Mapping[str, Comparison]
"""The comparison of each method but the baseline."""


def weightings(values: Values, costs: Costs) -> Document:
    """Lay out the comparison of the methods that learn the same tasks.

    Parameters
    ----------
    values : Values
        Values of one data set.
    costs : Costs
        Costs of the trainings; without any, the panels have no such columns.

    Returns
    -------
    Document
        A panel against the first method with equal weights, and one against the best method with constant weights if
        that is another one. No panel if no method has equal weights, or there is nothing to compare with it.
    """
    runs = _comparable(values.runs)
    methods = {run.method: run.weighting for run in runs}
    stem = f"{values.dataset}_weightings"
    equal = next((method for method, weighting in methods.items() if weighting == EQUAL), None)
    if equal is None or len(methods) == 1:
        return Document(stem, (), pd.DataFrame(columns=COLUMNS), NOTHING)
    over_equal = compare(runs, equal)
    constant = [equal, *(m for m, weighting in methods.items() if weighting in CONSTANT_WEIGHTS and m != equal)]
    best = max(constant, key=lambda method: _effect(over_equal, method))
    panel = _panel(values, methods, over_equal, "weightings", f"equal weights ({equal})", _choice(constant, best))
    ensembles = any(run.ensemble for run in runs)
    panels, rows = [with_costs(panel, list(methods), equal, costs, ensembles)], _wide(methods, over_equal)
    if best != equal:
        over_best = compare(runs, best)
        panels.append(_panel(values, methods, over_best, "weightings-constant", f"the best constant weights ({best})"))
        rows += _wide(methods, over_best)
    return Document(stem, tuple(panels), pd.DataFrame(rows, columns=COLUMNS))


def _comparable(runs: Sequence[Scores]) -> list[Scores]:
    """Return the runs that learn the same tasks as the first with several tasks and equal weights, or any several.

    Those that learn from another share of the truth are left out.
    """
    joint = [run for run in runs if len(run.tasks) > 1]
    equal = next((run for run in joint if run.weighting == EQUAL), None)
    return [run for run in joint if equal is None or _learned(run) == _learned(equal)]


def _learned(run: Scores) -> tuple[set[Task], Mapping[Task, float]]:
    """Return the tasks of a run, and the percent of their truth that it uses where that is not all."""
    return set(run.tasks), run.training.labelled if run.training else {}


def _effect(over_equal: Comparisons, method: str) -> float:
    """Return the effect over equal weights: 0 for equal weights themselves, minus infinity if it is not known."""
    effect = over_equal[method].difference.effect if method in over_equal else 0.0
    return effect if isfinite(effect) else -inf


def _choice(constant: Sequence[str], best: str) -> str:
    """Return the note on the choice of the best constant weights."""
    equal, *rest = constant
    if not rest:
        return f"No other method has constant weights; {equal} is also the best of these."
    also = "this is also the comparison with the best constant weights"
    reference = also if best == equal else "the table below compares with it"
    return (
        f"Of the methods with constant weights ({', '.join(constant)}), {best} has the highest effect on the test "
        f"tiles: {reference}. Choosing by test scores favours constant weights."
    )


def _panel(
    values: Values, methods: Weightings, comparisons: Comparisons, key: str, baseline: str, *notes: str
) -> Panel:
    gains = any(values.has_score(method, GAIN) for method in methods)
    gain_header = (GAIN.header,) if gains else ()
    rows = []
    for method, weighting in methods.items():
        gain = [Cell(values.text(method, GAIN))] if gains else []
        rows.append((Cell(values.label(method)), Cell(weighting), *gain, *_cells(comparisons.get(method))))
    truth = (different_tiles(values.runs), coverage(values.runs), mixed_grids(values.runs), protocol(values.runs))
    about_methods = (*values.notes, *ensemble_notes(values.runs, list(methods)), *mark_notes(values, list(methods)))
    sentences = filter(None, (*_notes(comparisons), *notes, *about_methods, *truth))
    return Panel(
        key=f"{values.dataset}-{key}",
        dataset=values.dataset,
        title=values.title(),
        subject=f"task weightings compared with {baseline}",
        details=" ".join((values.sampling(), values.gain() if gains else "")).strip(),
        header=("", "weighting", *gain_header, "effect (%)", "95 % interval", "p (Holm)", "verdict"),
        rows=tuple(rows),
        notes=tuple(map(Note, sentences)),
    )


def _cells(comparison: Comparison | None) -> Iterator[Cell]:
    if comparison is None:
        yield from map(Cell, (MISSING, MISSING, MISSING, "baseline"))
        return
    difference = comparison.difference
    yield Cell(_signed(difference.effect))
    yield Cell(f"{_signed(difference.low)} to {_signed(difference.high)}" if isfinite(difference.low) else MISSING)
    yield Cell(_p(comparison.adjusted))
    yield Cell(comparison.verdict)


def _signed(fraction: float) -> str:
    return f"{100 * fraction:+.2f}".replace("-", "−") if isfinite(fraction) else MISSING


def _p(value: float) -> str:
    if not isfinite(value):
        return MISSING
    return f"{value:.3f}" if value >= 0.001 else "< 0.001"


def _notes(comparisons: Comparisons) -> Iterator[str]:
    entries = list(comparisons.values())
    seeds = _range(entry.seeds for entry in entries)
    tiles = _range(entry.tiles for entry in entries)
    tested = sum(isfinite(entry.adjusted) for entry in entries)
    yield (
        f"Effect: mean of the relative gains in mIoU and MAE over {entries[0].baseline}; positive is better. "
        "Scores are pooled over the test tiles and averaged over the seeds that both methods have."
    )
    yield (
        f"Interval (of each method by itself) and p: bootstrap of {DRAWS:,} draws, each of seeds ({seeds}) and of test "
        f"tiles ({tiles}) with replacement, the same for both methods; percentiles, widened as few seeds or tiles ask "
        "for, and p at least that of Student's t. p (Holm): two-sided, adjusted after Holm and Bonferroni; compared "
        f"here: {tested}."
    )
    yield (
        f"better, worse: p (Holm) below {LEVEL:g}; better needs {ENOUGH_SEEDS} seeds, too. Not distinguishable does "
        "not mean equal: the interval has the differences that remain possible."
    )
    yield "Compared are whole methods: where they differ in more than the weighting, that counts too."


def _range(numbers: Iterable[int]) -> str:
    distinct = sorted(set(numbers))
    return str(distinct[0]) if len(distinct) == 1 else f"{distinct[0]} to {distinct[-1]}"


def _wide(methods: Weightings, comparisons: Comparisons) -> list[tuple[object, ...]]:
    return [_wide_row(entry, methods[entry.method]) for entry in comparisons.values()]


def _wide_row(entry: Comparison, weighting: str) -> tuple[object, ...]:
    difference = entry.difference
    percentages = (100 * difference.effect, 100 * difference.low, 100 * difference.high)
    units = (entry.seeds, entry.tiles)
    return entry.baseline, entry.method, weighting, *units, *percentages, difference.p, entry.adjusted, entry.verdict
