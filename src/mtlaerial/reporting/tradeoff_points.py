"""Figure of the trade-off between two tasks: its points, from the scores of the runs on a data set."""

from collections.abc import Sequence
from math import isfinite, nan
from pathlib import Path
from statistics import fmean

from mtlaerial.config import Task, VectorFormat
from mtlaerial.config.tasks import leading_task
from mtlaerial.figures.style import save_vectors
from mtlaerial.figures.tradeoff import Axis, Point, Score, tradeoff_figure
from mtlaerial.reporting.tables.collect import collect, mean_over_seeds
from mtlaerial.reporting.tables.columns import HEIGHT, SEMANTICS, Column
from mtlaerial.reporting.tables.gain import baselines
from mtlaerial.reporting.tables.left_out import left_out_alike
from mtlaerial.reporting.tables.published import Citations
from mtlaerial.reporting.tables.values import Values
from mtlaerial.reporting.tables.weightings import CONSTANT_WEIGHTS, comparable
from mtlaerial.scoring.scores import Scores

CONSTANT = "constant weights"
"""The sweep of all methods whose weights do not change."""
CURVES = "Thin lines join constant weights, and methods of one weighting, by the height's share of the weights."
(MIOU,) = (column for column in SEMANTICS if column.score == "mIoU")
(MAE,) = (column for column in HEIGHT if column.score == "MAE")


def draw_tradeoff(
    scores: Sequence[Scores], notes: Sequence[str], path: Path, formats: Sequence[VectorFormat] = ()
) -> None:
    """Draw the trade-off on a data set.

    Parameters
    ----------
    scores : sequence of Scores
        One per run on the data set; folds are pooled.
    notes : sequence of str
        Sentences for below the figure.
    path : Path
        The PNG to write.
    formats : sequence of VectorFormat, optional
        Formats to write beside it.
    """
    runs = left_out_alike(scores)
    values = Values(runs, mean_over_seeds(collect(runs)), Citations(()))
    joint = comparable(runs)
    points = tradeoff_points(values, joint)
    singles = baselines(runs, joint[0]) if joint else {}
    horizontal = _axis(values, leading_task("heights"), MAE, singles.get(leading_task("heights"), ""))
    vertical = _axis(values, leading_task("classes"), MIOU, singles.get(leading_task("classes"), ""))
    texts = [f"{values.sampling()} {CURVES}", *notes]
    first = runs[0]
    figure = tradeoff_figure(points, (horizontal, vertical), first.dataset, first.title, first.generated, texts, path)
    save_vectors(figure, path, formats)


def tradeoff_points(values: Values, joint: Sequence[Scores]) -> list[Point]:
    """Return the points of some runs that learn both tasks.

    Sweeps begin in the order of the runs. Methods of one weighting are a sweep, and so are all constant weights; its
    points are in the order of the height's share of the weights at the end, where all have one.
    """
    weightings = {run.method: run.weighting for run in joint}
    sweeps = {method: CONSTANT if name in CONSTANT_WEIGHTS else name for method, name in weightings.items()}
    points: list[Point] = []
    for sweep in dict.fromkeys(sweeps.values()):
        methods = [method for method in sweeps if sweeps[method] == sweep]
        shares = {method: _height_share([run for run in joint if run.method == method]) for method in methods}
        if all(map(isfinite, shares.values())):
            methods.sort(key=shares.__getitem__)
        pairs = [(method, _score(values, method, MAE), _score(values, method, MIOU)) for method in methods]
        points += [Point(method, sweep, x, y) for method, x, y in pairs if isfinite(x.mean) and isfinite(y.mean)]
    return points


def _height_share(runs: Sequence[Scores]) -> float:
    """Return the height's share of a method's weights at the end, a mean over seeds; NaN without weights."""
    task = leading_task("heights")
    weighted = [run.final_weights for run in runs if any(run.final_weights.values())]
    shares = [weights[task] / sum(weights.values()) for weights in weighted]
    return fmean(shares) if len(shares) == len(runs) else nan


def _score(values: Values, method: str, column: Column) -> Score:
    mean, deviation, _ = values(method, column)
    factor = 1 if column.length else 100
    return Score(factor * mean, factor * deviation)


def _axis(values: Values, task: Task, column: Column, single: str) -> Axis:
    label = f"{task}: {column.header}"
    return Axis(label, single, _score(values, single, column)) if single else Axis(label)
