"""The table that compares task weightings: with equal weights, and with the best constant ones."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import inf, isfinite

import pandas as pd

from mtlaerial.reporting.tables.bootstrap import DRAWS
from mtlaerial.reporting.tables.columns import GAINS
from mtlaerial.reporting.tables.comparison import ENOUGH, LEVEL, Comparison, compare
from mtlaerial.reporting.tables.costs import Costs, with_costs
from mtlaerial.reporting.tables.panels import Cell, Document, Note, Panel
from mtlaerial.reporting.tables.values import MISSING, Values

EQUAL = "equal"
CONSTANT_WEIGHTS = (EQUAL, "fixed")
"""Weightings whose weights stay as they are through a training."""
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
"""The weighting of each method that learns both tasks."""
Comparisons = Mapping[str, Comparison]
"""Of each method but the baseline."""


def weightings(values: Values, costs: Costs) -> Document:
    """Lay out the comparison of the methods that learn both tasks.

    Parameters
    ----------
    values : Values
        Of one data set.
    costs : Costs
        What trainings cost, as far as it shall be shown.

    Returns
    -------
    Document
        A panel against the first method with equal weights, and one against the best method with constant weights
        where that is another. None where no method has equal weights, or there is nothing to compare with it.
    """
    runs = [run for run in values.runs if len(run.tasks) == 2]
    methods = {run.method: run.weighting for run in runs}
    stem = f"{values.dataset}_weightings"
    equal = next((method for method, weighting in methods.items() if weighting == EQUAL), None)
    if equal is None or len(methods) == 1:
        return Document(stem, (), pd.DataFrame(columns=COLUMNS), NOTHING)
    found = compare(runs, equal)
    constant = [equal, *(m for m, weighting in methods.items() if weighting in CONSTANT_WEIGHTS and m != equal)]
    best = max(constant, key=lambda method: _effect(found, method))
    panel = _panel(values, methods, found, "weightings", f"equal weights ({equal})", _choice(constant, best))
    panels, rows = [with_costs(panel, list(methods), equal, costs)], _wide(methods, found)
    if best != equal:
        found = compare(runs, best)
        panels.append(_panel(values, methods, found, "weightings-constant", f"the best constant weights ({best})"))
        rows += _wide(methods, found)
    return Document(stem, tuple(panels), pd.DataFrame(rows, columns=COLUMNS))


def _effect(over_equal: Comparisons, method: str) -> float:
    """Return the effect over equal weights: 0 for these themselves, and the lowest where it is not known."""
    effect = over_equal[method].difference.effect if method in over_equal else 0.0
    return effect if isfinite(effect) else -inf


def _choice(constant: Sequence[str], best: str) -> str:
    """Say which method has the best constant weights, and what choosing it means."""
    equal, *others = constant
    if not others:
        return f"No other method has constant weights; {equal} is also the best of these."
    also = "this is also the comparison with the best constant weights"
    told = also if best == equal else "the table below compares with it"
    return (
        f"Of the methods with constant weights ({', '.join(constant)}), {best} has the highest effect on the test "
        f"tiles: {told}. Choosing by test scores favours constant weights."
    )


def _panel(values: Values, methods: Weightings, found: Comparisons, key: str, baseline: str, *others: str) -> Panel:
    gains = any(values.known(method, GAIN) for method in methods)
    rows = []
    for method, weighting in methods.items():
        gain = [Cell(values.text(method, GAIN))] if gains else []
        rows.append((Cell(values.label(method)), Cell(weighting), *gain, *_cells(found.get(method))))
    return Panel(
        key=f"{values.dataset}-{key}",
        dataset=values.dataset,
        title=values.title(),
        subject=f"task weightings compared with {baseline}",
        details=" ".join((values.sampling(), values.gain() if gains else "")).strip(),
        header=(
            "",
            "weighting",
            *((GAIN.header,) if gains else ()),
            "effect (%)",
            "95 % interval",
            "p (Holm)",
            "verdict",
        ),
        rows=tuple(rows),
        notes=tuple(Note(text) for text in (*_notes(found), *others, values.coverage()) if text),
    )


def _cells(comparison: Comparison | None) -> Iterator[Cell]:
    if comparison is None:
        yield from map(Cell, (MISSING, MISSING, MISSING, "baseline"))
        return
    difference = comparison.difference
    yield Cell(_signed(difference.effect))
    yield Cell(f"{_signed(difference.low)} to {_signed(difference.high)}" if isfinite(difference.low) else MISSING)
    yield Cell(_p(comparison.adjusted))
    yield Cell(comparison.verdict, bold=comparison.better)


def _signed(fraction: float) -> str:
    return f"{100 * fraction:+.2f}".replace("-", "−") if isfinite(fraction) else MISSING


def _p(value: float) -> str:
    if not isfinite(value):
        return MISSING
    return f"{value:.3f}" if value >= 0.001 else "< 0.001"


def _notes(found: Comparisons) -> Iterator[str]:
    comparisons = list(found.values())
    seeds, tiles = (_range(getattr(entry, unit) for entry in comparisons) for unit in ("seeds", "tiles"))
    tested = sum(isfinite(entry.adjusted) for entry in comparisons)
    yield (
        f"Effect: mean of the relative gains in mIoU and MAE over {comparisons[0].baseline}; positive is better. "
        "Scores are pooled over the test tiles and averaged over the seeds that both methods have."
    )
    yield (
        f"Interval (of each method by itself) and p: bootstrap of {DRAWS:,} draws, each of seeds ({seeds}) and of test "
        f"tiles ({tiles}) with replacement, the same for both methods; percentiles, widened as few seeds or tiles ask "
        "for, and p at least that of Student's t. p (Holm): two-sided, adjusted after Holm and Bonferroni; compared "
        f"here: {tested}."
    )
    yield (
        f"better, worse: p (Holm) below {LEVEL:g}; better needs {ENOUGH} seeds, too. Not distinguishable does not mean "
        "equal: the interval has the differences that remain possible."
    )
    yield "Compared are whole methods: where they differ in more than the weighting, that counts too."


def _range(numbers: Iterable[int]) -> str:
    low, *_, high = sorted([*numbers] * 2)
    return str(low) if low == high else f"{low} to {high}"


def _wide(methods: Weightings, found: Comparisons) -> list[tuple[object, ...]]:
    return [
        (
            entry.baseline, entry.method, methods[entry.method], entry.seeds, entry.tiles,
            *(100 * value for value in (entry.difference.effect, entry.difference.low, entry.difference.high)),
            entry.difference.p, entry.adjusted, entry.verdict,
        )
        for entry in found.values()
    ]  # fmt: skip
