"""Comparisons of the methods that learn several tasks, with constant weights and with learning each task alone."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import pandas as pd

from mtlaerial.config import Task
from mtlaerial.reporting.tables.comparison import MARGIN, Comparison, compare
from mtlaerial.reporting.tables.comparison_panel import Comparisons, Weightings, by_effect, comparison_panel, effect_of
from mtlaerial.reporting.tables.conflict import conflict_panel
from mtlaerial.reporting.tables.costs import Costs, with_costs
from mtlaerial.reporting.tables.gain import baselines
from mtlaerial.reporting.tables.panels import Document, Note, Panel
from mtlaerial.reporting.tables.values import Values
from mtlaerial.scoring.scores import Scores

EQUAL = "equal"
CONSTANT_WEIGHTS = (EQUAL, "fixed")
"""Weightings whose weights do not change during a training."""
NOTHING = (
    "Not available: weightings are compared where a method learns both tasks with equal weights, and at least one "
    "other method learns both; learning both tasks is compared with learning each alone where methods do that."
)
CHOSEN_BY_TEST = (
    "This baseline is the best of the constant weights on these very test tiles and seeds, which favours it: a method "
    "that is alike may be called worse more often than stated, and is hardly ever called better (docs/scores.md, "
    "How often verdicts are wrong)."
)
COLUMNS = (
    "baseline", "method", "weighting", "seeds", "tiles",
    "effect (%)", "low (%)", "high (%)", "p", "p (adjusted)", "margin (%)", "verdict",
)  # fmt: skip


def weightings(values: Values, costs: Costs, margin: float = MARGIN) -> Document:
    """Lay out the comparisons of the methods that learn the same tasks.

    Parameters
    ----------
    values : Values
        Values of one data set.
    costs : Costs
        Costs of the trainings; without any, the panels have no such columns.
    margin : float
        Effects up to it do not matter.

    Returns
    -------
    Document
        A panel against the first method with equal weights, one against the best method with constant weights if that
        is another one, and one against the methods that learn each task alone, where there is something to compare;
        then the conflict of the gradients, where it was recorded.
    """
    runs = comparable(values.runs)
    methods = {run.method: run.weighting for run in runs}
    panels: list[Panel] = []
    rows: list[tuple[object, ...]] = []
    left_out = tuple(map(Note, _not_compared(values.runs, runs)))
    for panel, comparisons in (*_with_constant(values, runs, costs, margin), *_with_single(values, runs, margin)):
        panels.append(replace(panel, notes=(*panel.notes, *left_out)))
        rows += [_wide_row(comparisons[m], methods[m]) for m in by_effect(comparisons, comparisons)]
    conflict = conflict_panel(values, runs)
    panels += [conflict] if conflict else []
    return Document(f"{values.dataset}_weightings", tuple(panels), pd.DataFrame(rows, columns=COLUMNS), NOTHING)


def comparable(runs: Sequence[Scores]) -> list[Scores]:
    """Return the runs that learn the same tasks as the first with several tasks and equal weights, or any several.

    Those that learn from another share of the truth, or of another data set, are left out.
    """
    joint = [run for run in runs if len(run.tasks) > 1]
    equal = next((run for run in joint if run.weighting == EQUAL), None)
    return [run for run in joint if equal is None or _learned(run) == _learned(equal)]


def _not_compared(runs: Sequence[Scores], compared: Sequence[Scores]) -> list[str]:
    """Return a sentence on the methods that learn several tasks, but no such ones; none where there are none."""
    names = {run.method for run in compared}
    others = dict.fromkeys(run.method for run in runs if len(run.tasks) > 1 and run.method not in names)
    text = "Not compared, as they learn other tasks, or from other data or another share of the truth: {}."
    return [text.format(", ".join(others))] if others else []


def compare_with_single(
    runs: Sequence[Scores], joint: Sequence[Scores], margin: float = MARGIN
) -> dict[str, Comparison]:
    """Compare runs that learn the same tasks with learning each alone; nothing where no method does that."""
    single = baselines(runs, joint[0]) if joint else {}
    if not joint or not set(joint[0].tasks) <= set(single):
        return {}
    chosen = {task: single[task] for task in joint[0].tasks}
    return compare([*joint, *_runs_of(runs, chosen)], chosen, margin)


def _learned(run: Scores) -> tuple[set[Task], Mapping[Task, float], str]:
    """Return the tasks of a run, the percent of their truth that it uses where that is not all, and its other data."""
    return set(run.tasks), run.labelled, run.trained_on


def _with_constant(
    values: Values, runs: Sequence[Scores], costs: Costs, margin: float
) -> Iterator[tuple[Panel, Comparisons]]:
    """Yield the comparisons with equal weights and with the best constant weights."""
    methods = {run.method: run.weighting for run in runs}
    equal = next((method for method, weighting in methods.items() if weighting == EQUAL), None)
    if equal is None or len(methods) == 1:
        return
    over_equal = compare(runs, equal, margin)
    constant = [equal, *(m for m, weighting in methods.items() if weighting in CONSTANT_WEIGHTS and m != equal)]
    best = max(constant, key=lambda method: effect_of(over_equal, method))
    subject = "task weightings compared with {} ({})"
    text = subject.format("equal weights", equal)
    panel = comparison_panel(values, methods, over_equal, "weightings", text, _choice(constant, best))
    ensembles = any(run.ensemble for run in runs)
    yield with_costs(panel, by_effect(methods, over_equal), equal, costs, values.runs, ensembles), over_equal
    if best != equal:
        over_best = compare(runs, best, margin)
        text = subject.format("the best constant weights", best)
        yield comparison_panel(values, methods, over_best, "weightings-constant", text, CHOSEN_BY_TEST), over_best


def _with_single(values: Values, runs: Sequence[Scores], margin: float) -> Iterator[tuple[Panel, Comparisons]]:
    """Yield the comparison with learning each task alone, if a method does that for each of the tasks.

    From the same share of its truth, that is.
    """
    over_single = compare_with_single(values.runs, runs, margin)
    if not over_single:
        return
    single = baselines(values.runs, runs[0])
    chosen = {task: single[task] for task in runs[0].tasks}
    methods: Weightings = {run.method: run.weighting for run in runs}
    subject = f"learning several tasks at once compared with learning each alone ({' and '.join(chosen.values())})"
    yield comparison_panel(values, methods, over_single, "weightings-single", subject), over_single


def _runs_of(runs: Sequence[Scores], chosen: Mapping[Task, str]) -> list[Scores]:
    return [run for run in runs if run.method in chosen.values()]


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


def _wide_row(entry: Comparison, weighting: str) -> tuple[object, ...]:
    difference = entry.difference
    percentages = [100 * number for number in (difference.effect, *entry.interval)]
    units = difference.seeds, difference.tiles
    verdict = (difference.p, entry.adjusted, 100 * entry.margin, entry.sentence)
    return entry.baseline, entry.method, weighting, *units, *percentages, *verdict
