"""Label efficiency: scores over the share of a task's truth that is used, one task alone beside joint learning."""

from collections.abc import Iterator, Mapping, Sequence
from math import isfinite, nan

import pandas as pd

from mtlaerial.config import Task, task_entry
from mtlaerial.config.label_efficiency import LabelEfficiency
from mtlaerial.config.labelled import WHOLE
from mtlaerial.reporting.inference.differences import Difference
from mtlaerial.reporting.inference.intervals import CONFIDENCE
from mtlaerial.reporting.tables.bold import OF_SETS
from mtlaerial.reporting.tables.costs import Costs
from mtlaerial.reporting.tables.ground_truth import set_convention
from mtlaerial.reporting.tables.network_costs import cost_panel
from mtlaerial.reporting.tables.notes import mark_notes
from mtlaerial.reporting.tables.panels import Cell, Document, Note, Panel
from mtlaerial.reporting.tables.readings.comparisons import differences_reading
from mtlaerial.reporting.tables.shares import GAIN, JOINT, SINGLE, Measure, Share, compare_shares, measures
from mtlaerial.reporting.tables.values import MISSING, Values
from mtlaerial.scoring.scores import Scores

Curves = Mapping[Task, LabelEfficiency]
"""The methods of both curves of each task."""
LAYERS = {"labels": "labels", "height": "heights"}
"""The layers of truth, as texts name them."""
NOTHING = "Not available: no two methods of the curves were scored on this data set."
COLUMNS = ("task", "score", "unit", "percent", "curve", "method", "seeds", "tiles", "value", "low", "high", "p")


def label_efficiency(values: Values, curves: Curves, costs: Costs | None = None) -> Document:
    """Lay out the curves of a data set: for each task and score a panel, then the costs of the networks.

    Parameters
    ----------
    values : Values
    curves : mapping of task to LabelEfficiency
    costs : Costs, optional
        Costs of the trainings, which differ from run to run.
    """
    panels: list[Panel] = []
    rows: list[tuple[object, ...]] = []
    for task, curve in curves.items():
        for measure in measures(values.runs, task):
            shares = compare_shares(values.bold, task, curve, measure)
            if shares:
                beside = other_truth(values.runs, curve, task)
                panels.append(_panel(values, task, measure, shares, beside, passed_over(values.runs, curve, task)))
                rows += _wide(task, measure, shares)
    costly = cost_panel(values, curves, costs or {}) if panels else None
    panels += [costly] if costly else []
    return Document(f"{values.dataset}_label_efficiency", tuple(panels), pd.DataFrame(rows, columns=COLUMNS), NOTHING)


def other_truth(runs: Sequence[Scores], curve: LabelEfficiency, task: Task) -> str:
    """Return the truth of other tasks that joint methods use, as a phrase; empty where none was scored."""
    percents: dict[str, set[float]] = {}
    for run in [run for run in runs if run.method in curve.joint]:
        for name in run.tasks:
            if name != task:
                percents.setdefault(LAYERS[task_entry(name).truth], set()).add(run.percent_of_truth(name))
    texts = []
    for layer, shares in percents.items():
        listed = " or ".join(f"{share:g} %" for share in sorted(shares))
        texts.append(f"all {layer}" if shares == {WHOLE} else f"{listed} of the {layer}")
    return " and ".join(texts)


def passed_over(runs: Sequence[Scores], curve: LabelEfficiency, task: Task) -> list[str]:
    """Return a sentence on each method that has the same share of the truth as one before it in its curve."""
    percents = {run.method: run.percent_of_truth(task) for run in runs}
    sentences = []
    for methods in (curve.single, curve.joint):
        shown: dict[float, str] = {}
        for method in [method for method in methods if method in percents]:
            first = shown.setdefault(percents[method], method)
            if first != method:
                sentences.append(f"Passed over: {method}, as {first} uses {percents[method]:g} % of the truth too.")
    return sentences


def _panel(
    values: Values, task: Task, measure: Measure, shares: Sequence[Share], beside: str, passed: Sequence[str]
) -> Panel:
    layer = LAYERS[task_entry(task).truth]
    difference = "%" if measure.length else "points"
    header = (f"{layer} used", f"single ({measure.unit})", f"joint ({measure.unit})", f"joint − single ({difference})")
    rows = []
    for share in shares:
        alone, both = (_score_text(share.scores.get(arm), measure) for arm in (SINGLE, JOINT))
        rows.append(tuple(map(Cell, (f"{share.percent:g} %", alone, both, _gain_text(share.scores.get(GAIN))))))
    # The rows say themselves what share they are of.
    alike = [name for name, mark in values.marks.items() if mark.of_share]
    methods = [name for share in shares for name in (share.single, share.joint) if name and name not in alike]
    sets = [set_convention(values.runs)] if measure.source == OF_SETS else []
    gains = [share.scores[GAIN] for share in shares if GAIN in share.scores]
    sentences = [*_notes(measure, layer, shares, beside), *passed, *sets, *values.notes, *mark_notes(values, methods)]
    return Panel(
        key=f"{values.dataset}-label-efficiency-{task}-{measure.header}".lower().replace(" ", "-"),
        dataset=values.dataset,
        title=values.title(),
        subject=f"label efficiency of {task}, {measure.header}",
        details=f"One task alone beside joint learning, by the share of the {layer}; test tiles pooled.",
        header=header,
        rows=tuple(rows),
        notes=tuple(map(Note, dict.fromkeys(sentences))),
        reading=differences_reading(measure.header, gains, measure.length),
    )


def _score_text(score: Difference | None, measure: Measure) -> str:
    if score is None or not isfinite(score.effect):
        return MISSING
    interval = f" ({' to '.join(map(measure.text, measure.interval(score)))})" if score.tested else ""
    return measure.text(score.effect) + interval


def _gain_text(gain: Difference | None) -> str:
    if gain is None or not isfinite(gain.effect):
        return MISSING
    interval = f" ({' to '.join(map(_signed, gain.interval()))})" if gain.tested else ""
    return _signed(gain.effect) + interval


def _signed(fraction: float) -> str:
    return f"{100 * fraction:+.2f}".replace("-", "−")


def _notes(measure: Measure, layer: str, shares: Sequence[Share], beside: str) -> Iterator[str]:
    seeds, tiles = (sorted({getattr(share, name) for share in shares}) for name in ("seeds", "tiles"))
    yield (
        f"Share: of the training area with {layer}, in whole blocks; smaller shares lie within larger ones, and both "
        "methods of a row and a seed use the same."
    )
    if beside:
        yield f"The joint methods learn from {beside} besides."
    if any(score.tested for share in shares for score in share.scores.values()):
        yield _interval_note(seeds, tiles)
    if measure.length:
        yield "The difference is in per cent of the single task's error; negative is better."
    if seeds[0] < 2:
        yield "One seed: no interval, and a difference that another seed may turn round."


def _interval_note(seeds: Sequence[int], tiles: Sequence[int]) -> str:
    return (
        f"In brackets: {100 * CONFIDENCE:g} % interval by itself, not adjusted for the number of rows, over seeds "
        f"({_range(seeds)}) and test tiles ({_range(tiles)}), paired for the difference: docs/scores.md, Comparisons."
    )


def _range(numbers: Sequence[int]) -> str:
    return str(numbers[0]) if len(numbers) == 1 else f"{numbers[0]} to {numbers[-1]}"


def _wide(task: Task, measure: Measure, shares: Sequence[Share]) -> Iterator[tuple[object, ...]]:
    relative = "%" if measure.length else "points"
    for share in shares:
        names = {SINGLE: share.single, JOINT: share.joint, GAIN: f"{share.joint} - {share.single}"}
        for arm, score in share.scores.items():
            unit, scale = (relative, 100.0) if arm == GAIN else (measure.unit, measure.scale)
            interval = score.interval() if arm == GAIN else measure.interval(score)
            place = (task, measure.header, unit, share.percent, arm, names[arm], share.seeds, share.tiles)
            p = score.p if arm == GAIN else nan
            yield *place, *(scale * number for number in (score.effect, *interval)), p
