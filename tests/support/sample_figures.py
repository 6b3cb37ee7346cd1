"""Helpers for tests of figures: the description and the history of a run, and what a figure shows."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mtlaerial.config import D3NetSpec, TrainingSpec, WeightingSpec
from mtlaerial.figures.series import FEW
from mtlaerial.runs.history_columns import LEVELS
from mtlaerial.runs.plan import RunPlan
from mtlaerial.runs.run import RunDescription
from mtlaerial.tiles.statistics import BandStatistics, ClassStatistics, Statistics

FEW_ROWS, MANY_ROWS = FEW - 10, 400


def description(
    tasks=("semantics", "height"), generated=False, weighting="equal", epoch=1, selection="last"
) -> RunDescription:
    statistics = Statistics(
        dataset="town", title="Small town", generated=generated, licence="CC0", citation="", gsd=0.5, dtype="uint8",
        range=(0, 255), bands=[
            BandStatistics(name=name, index=index, mean=100, std=50)
            for index, name in enumerate(("red", "green", "blue"), start=1)
        ],
        classes=[ClassStatistics(name="road", colour=(90, 90, 90), pixels=10),
                 ClassStatistics(name="house", colour=(200, 0, 0), pixels=20)],
        height=None, zero_height=True, tiles={},
    )  # fmt: skip
    plan = RunPlan(dataset="town", method="joint", seed=3, tasks=tasks, weighting=WeightingSpec(name=weighting),
                   model=D3NetSpec(),
                   training=TrainingSpec(selection=selection))  # fmt: skip
    return RunDescription(mtlaerial="0.1.0", code="abc", sha256="", plan=plan, statistics=statistics, epoch=epoch)


def texts(figure: Figure) -> str:
    words = [text.get_text() for axes in figure.axes for text in axes.texts]
    legends = [axes.get_legend() for axes in figure.axes] + list(figure.legends)
    words += [text.get_text() for legend in legends if legend for text in legend.get_texts()]
    inset = [child for axes in figure.axes for child in axes.child_axes]
    words += [axes.get_xlabel() for axes in (*figure.axes, *inset)]
    words += [axes.get_ylabel() for axes in figure.axes]
    return "\n".join([*words, figure.get_suptitle()])


def history(rows=FEW_ROWS, seed=0, **columns) -> pd.DataFrame:
    """Make a history of ten epochs, each validated at its end; every tenth cosine of each level is missing."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame({"step": 5 * np.arange(1, rows + 1), "epoch": 10 * np.arange(1, rows + 1) / rows})
    for name in ("loss", "norm_features", "norm_parameters", "weight"):
        for task, scale in (("semantics", 0.1), ("height", 0.4)):
            table[f"{name}_{task}"] = scale * rng.uniform(1, 2, rows)
    for level in LEVELS:
        cosines = rng.uniform(-1, 1, rows)
        table[f"cosine_{level}_semantics_height"] = np.where(np.arange(rows) % 10 == 5, np.nan, cosines)
    for name in ("OA", "mIoU", "MAE", "RMSE"):
        table[f"val_{name}"] = np.where(table["epoch"] % 1 == 0, rng.uniform(0.2, 0.9, rows), np.nan)
    return table.assign(**columns)


def titled(figure: Figure, title: str) -> Axes:
    return next(axes for axes in figure.axes if axes.get_title() == title)


def drawn(axes: Axes) -> list[list[float]]:
    """Return the values of the lines over epochs, but for the line at 0."""
    return [list(line.get_ydata()) for line in axes.lines if len(line.get_xdata()) != 2]


def same(lines, series) -> bool:
    return len(lines) == len(series) and all(
        np.array_equal(line, values, equal_nan=True) for line, values in zip(lines, series, strict=True)
    )
