"""The curves of a training as Visdom's plots: whole, and thinned to what a screen can show."""

from collections.abc import Mapping, Sequence
from threading import Lock
from typing import Any

import numpy as np

from mtlaerial.config import Task, TrainingSpec
from mtlaerial.dashboard.client import Window
from mtlaerial.figures.panels import Panel, learning_panels
from mtlaerial.figures.series import FEW
from mtlaerial.figures.style import CYCLE

POINTS = 500
"""Of a curve, at most."""
SIZE = {"width": 460, "height": 300}
"""Of a plot, in pixels."""
AXIS = {"gridcolor": "#e8e8e8", "zerolinecolor": "#c0c0c0", "linecolor": "#808080", "automargin": True}
LAYOUT: dict[str, Any] = {
    "margin": {"l": 58, "r": 14, "t": 30, "b": 44},
    "font": {"size": 12},
    "legend": {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"},
    "hovermode": "x unified",
}


class Curves:
    """The columns of a history that grows, each over epochs."""

    def __init__(self) -> None:
        self._points: dict[str, tuple[list[float], list[float]]] = {}
        self._lock = Lock()

    def add(self, row: Mapping[str, Any]) -> None:
        """Take in a row of the history; one that was there before is completed by what is new in it."""
        epoch = row["epoch"]
        with self._lock:
            for column, value in row.items():
                epochs, values = self._points.setdefault(column, ([], []))
                if not epochs or epochs[-1] < epoch:
                    epochs.append(epoch)
                    values.append(float(value))

    @property
    def columns(self) -> set[str]:
        """The columns there are."""
        return set(self._points)

    def thinned(self, column: str) -> tuple[list[float], list[float]]:
        """Return epochs and finite values of at most ``POINTS`` rows, the first and the last among them."""
        with self._lock:
            epochs, values = self._points[column]
            picked = np.unique(np.linspace(0, len(epochs) - 1, min(POINTS, len(epochs))).round().astype(int)).tolist()
            pairs = [(epochs[index], values[index]) for index in picked]
        finite = [(epoch, value) for epoch, value in pairs if np.isfinite(value)]
        return [epoch for epoch, _ in finite], [value for _, value in finite]

    def plot(self, panel: Panel) -> Window:
        """Return a panel as a window."""
        lines = [self._line(column, colour, panel.scale) for column, colour in zip(panel.columns, CYCLE, strict=False)]
        axes = {
            "xaxis": {**AXIS, "title": {"text": "epoch"}, "rangemode": "tozero"},
            "yaxis": {**AXIS, "title": {"text": panel.unit}, "rangemode": "tozero"},
        }
        layout = {**LAYOUT, **axes, "showlegend": len(lines) > 1}
        return {"data": lines, "layout": layout, "opts": {"title": panel.title, **SIZE}}

    def _line(self, column: str, colour: str, scale: float) -> dict[str, Any]:
        epochs, values = self.thinned(column)
        return {
            "type": "scatter",
            "mode": "lines+markers" if len(epochs) <= FEW else "lines",
            "name": column.partition("_")[2].replace("_", " ") or column,
            "x": epochs,
            "y": [scale * value for value in values],
            "line": {"color": colour, "width": 2},
            "marker": {"size": 6},
        }  # fmt: skip


def panels(training: TrainingSpec, tasks: Sequence[Task], present: set[str]) -> dict[str, Panel]:
    """Return what a training's windows show, by their names, as far as the history has it yet."""
    found = learning_panels(training, present)
    if len(tasks) > 1:
        pair = " and ".join(tasks)
        found.append(Panel("weights of the tasks", "weight in the trunk", [f"weight_{task}" for task in tasks]))
        found.append(Panel(f"gradients of {pair}", "cosine", [f"cosine_{'_'.join(tasks)}"]))
    found.append(Panel("learning rate", "learning rate", ["learning_rate"]))
    return {panel.columns[0]: panel for panel in found if present.issuperset(panel.columns)}
