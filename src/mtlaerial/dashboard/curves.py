"""Curves of a training as Visdom's plots, over all epochs and thinned to a screen's resolution."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from threading import Lock
from typing import Any

import numpy as np

from mtlaerial.config import Task, TrainingSpec
from mtlaerial.dashboard.client import SIZE, Window
from mtlaerial.figures.panels import Panel, learning_panels
from mtlaerial.figures.series import FEW
from mtlaerial.figures.style import CYCLE
from mtlaerial.runs.history_columns import LEVELS, cosine_column, loss_column, score_columns

POINTS = 500
"""Largest number of points of a curve."""
COSINE = "cosine"
"""Unit of values between -1 and 1."""
AXIS = {"gridcolor": "#e8e8e8", "zerolinecolor": "#c0c0c0", "linecolor": "#808080", "automargin": True}
LAYOUT: dict[str, Any] = {
    "margin": {"l": 60, "r": 16, "t": 34, "b": 52},
    "font": {"size": 12},
    "legend": {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"},
    "hovermode": "x unified",
}


class Curves:
    """Columns of a growing history, each over epochs."""

    def __init__(self) -> None:
        self._points: dict[str, tuple[list[float], list[float]]] = {}
        self._lock = Lock()

    def add(self, row: Mapping[str, Any]) -> None:
        """Add a row of the history; a row of the same epoch adds only columns that the first one lacked."""
        epoch = row["epoch"]
        with self._lock:
            for column, value in row.items():
                epochs, values = self._points.setdefault(column, ([], []))
                if not epochs or epochs[-1] < epoch:
                    epochs.append(epoch)
                    values.append(float(value))

    def thinned(self, column: str) -> tuple[list[float], list[float]]:
        """Return epochs and finite values of at most ``POINTS`` rows, the first and the last among them."""
        with self._lock:
            epochs, values = self._points.get(column, ([], []))
            places = np.linspace(0, len(epochs) - 1, min(POINTS, len(epochs))).round().astype(int)
            picked = [(epochs[index], values[index]) for index in np.unique(places).tolist()]
        finite = [(epoch, value) for epoch, value in picked if np.isfinite(value)]  # JSON has no NaN
        finite_epochs = [epoch for epoch, _ in finite]
        return finite_epochs, [value for _, value in finite]

    def plot(self, panel: Panel) -> Window:
        """Return a panel as a window."""
        lines = [self._line(column, colour, panel.scale) for column, colour in zip(panel.columns, CYCLE, strict=False)]
        values = {"range": [-1, 1]} if panel.unit == COSINE else {"rangemode": "tozero"}
        axes = {
            "xaxis": {**AXIS, "title": {"text": "epoch", "standoff": 8}, "rangemode": "tozero"},
            "yaxis": {**AXIS, "title": {"text": panel.unit}, **values},
        }
        layout = {**LAYOUT, **axes, "showlegend": len(lines) > 1}
        return {"data": lines, "layout": layout, "opts": {"title": panel.title, **SIZE}}

    def scores(self, panels: Iterable[Panel]) -> str:
        """Return the last validation scores of panels as text; empty before the first validation."""
        texts = []
        for panel in panels:
            for column in panel.columns:
                last = self.thinned(column)[1][-1:]
                if column.startswith("val_") and last:
                    texts.append(_score(column, panel, last[0]))
        return f"validation: {', '.join(texts)}" if texts else ""

    def _line(self, column: str, colour: str, scale: float) -> dict[str, Any]:
        epochs, values = self.thinned(column)
        scaled = [scale * value for value in values]
        return {
            "type": "scatter",
            "mode": "lines+markers" if len(epochs) <= FEW else "lines",
            "name": column.partition("_")[2].replace("_", " ") or column,
            "x": epochs,
            "y": scaled,
            "line": {"color": colour, "width": 2},
            "marker": {"size": 6},
        }  # fmt: skip


def _score(column: str, panel: Panel, value: float) -> str:
    unit = panel.unit.partition("(")[2].rstrip(")")
    return f"{column.removeprefix('val_')} {panel.scale * value:.3g} {unit}"


def panels(training: TrainingSpec, tasks: Sequence[Task], validated: bool) -> dict[str, Panel]:
    """Return the panels of a training's windows by the windows' names, in the order on the page."""
    columns = {loss_column(task) for task in tasks}
    if validated:
        columns |= {column for task in tasks for column in score_columns(task)}
    shown = learning_panels(training, tasks, columns)
    if len(tasks) > 1:
        for level, place in LEVELS.items():
            cosines = [cosine_column(level, first, second) for first, second in combinations(tasks, 2)]
            shown.append(Panel(f"agreement of the tasks' gradients, {place}", COSINE, cosines))
        shown.append(Panel("weights of the tasks", "weight in the trunk", [f"weight_{task}" for task in tasks]))
    shown.append(Panel("learning rate", "learning rate", ["learning_rate"]))
    return {panel.columns[0]: panel for panel in shown}
