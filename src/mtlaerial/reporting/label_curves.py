"""Figures of label efficiency: the curves of a data set, from the scores of its runs."""

from collections.abc import Mapping, Sequence
from math import isfinite, nan
from pathlib import Path

from mtlaerial.config import Task, VectorFormat, task_entry
from mtlaerial.config.label_efficiency import LabelEfficiency
from mtlaerial.figures.label_efficiency import CurvePanel, Point, label_efficiency_figure
from mtlaerial.figures.style import save_vectors
from mtlaerial.reporting.inference.differences import Difference
from mtlaerial.reporting.tables.bold import Bold
from mtlaerial.reporting.tables.ground_truth import set_convention
from mtlaerial.reporting.tables.label_efficiency import LAYERS, Curves, other_truth, passed_over
from mtlaerial.reporting.tables.left_out import left_out_alike
from mtlaerial.reporting.tables.shares import JOINT, SINGLE, Measure, Share, compare_shares, measures
from mtlaerial.scoring.scores import Scores


def draw_curves(
    scores: Sequence[Scores],
    curves: Curves,
    notes: Mapping[str, Sequence[str]],
    paths: Mapping[str, Path],
    formats: Sequence[VectorFormat] = (),
) -> None:
    """Draw the curves of each data set, with its notes below them.

    Parameters
    ----------
    scores : sequence of Scores
        One per run; folds are pooled.
    curves : mapping of task to LabelEfficiency
    notes : mapping of data set to sequence of str
    paths : mapping of data set to Path
        The PNGs to write.
    formats : sequence of VectorFormat, optional
        Formats to write beside them.
    """
    for dataset, path in paths.items():
        runs = left_out_alike([run for run in scores if run.dataset == dataset])
        panels = curve_panels(Bold(runs), curves)
        sets = [set_convention(runs)] if any(run.class_sets for run in runs) else []
        passed = [sentence for task, curve in curves.items() for sentence in passed_over(runs, curve, task)]
        texts = [*notes.get(dataset, ()), *dict.fromkeys(passed), *sets]
        figure = label_efficiency_figure(panels, dataset, runs[0].title, runs[0].generated, texts, path)
        save_vectors(figure, path, formats)


def curve_panels(bold: Bold, curves: Curves) -> list[CurvePanel]:
    """Return the curves of a data set for its figure."""
    panels = []
    for task, curve in curves.items():
        for measure in measures(bold.runs, task):
            shares = compare_shares(bold, task, curve, measure)
            arms = {f"{task} alone": SINGLE, _joint_name(bold.runs, curve, task): JOINT}
            points = {name: _points(shares, arm, measure) for name, arm in arms.items()}
            if any(points.values()):
                layer = LAYERS[task_entry(task).truth]
                panels.append(CurvePanel(f"{task}: {measure.header}", measure.unit, layer, points))
    return panels


def _points(shares: Sequence[Share], arm: str, measure: Measure) -> list[Point]:
    pairs = [(share.percent, share.scores.get(arm, Difference(nan))) for share in shares]
    scale = measure.scale
    return [
        Point(percent, *(scale * number for number in (score.effect, *measure.interval(score))))
        for percent, score in pairs
        if isfinite(score.effect)
    ]


def _joint_name(runs: Sequence[Scores], curve: LabelEfficiency, task: Task) -> str:
    """Return what the joint methods learn besides, as a phrase."""
    beside = other_truth(runs, curve, task)
    return f"jointly, with {beside}" if beside else "jointly"
