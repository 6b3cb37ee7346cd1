"""The curves of a training as Visdom's plots: whole, and thinned to what a screen can show."""

from collections.abc import Iterable, Mapping, Sequence
from threading import Lock
from typing import Any

import numpy as np

from mtlaerial.config import Task, TrainingSpec
from mtlaerial.dashboard.client import SIZE, Window
from mtlaerial.figures.panels import Panel, learning_panels
from mtlaerial.figures.series import FEW
from mtlaerial.figures.style import CYCLE

POINTS = 500
"""Of a curve, at most."""
COLUMNS: dict[Task, tuple[str, ...]] = {
    "semantics": ("loss_semantics", "val_OA", "val_mIoU"),
    "height": ("loss_height", "val_MAE", "val_RMSE"),
}
"""What a history has of each task alone."""
COSINE = "cosine"
"""Unit of what lies between -1 and 1."""
AXIS = {"gridcolor": "#e8e8e8", "zerolinecolor": "#c0c0c0", "linecolor": "#808080", "automargin": True}
LAYOUT: dict[str, Any] = {
    "margin": {"l": 60, "r": 16, "t": 34, "b": 52},
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

    def thinned(self, column: str) -> tuple[list[float], list[float]]:
        """Return epochs and finite values of at most ``POINTS`` rows, the first and the last among them."""
        with self._lock:
            epochs, values = self._points.get(column, ([], []))
            picked = np.unique(np.linspace(0, len(epochs) - 1, min(POINTS, len(epochs))).round().astype(int)).tolist()
            pairs = [(epochs[index], values[index]) for index in picked]
        finite = [(epoch, value) for epoch, value in pairs if np.isfinite(value)]
        return [epoch for epoch, _ in finite], [value for _, value in finite]

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
        """Return in words the last validation scores that panels show; empty where there are none yet."""
        columns = [(column, panel) for panel in panels for column in panel.columns if column.startswith("val_")]
        ends = [(column, panel, self.thinned(column)[1][-1:]) for column, panel in columns]
        texts = [_score(column, panel, value) for column, panel, end in ends for value in end]
        return f"validation: {', '.join(texts)}" if texts else ""

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


def _score(column: str, panel: Panel, value: float) -> str:
    unit = panel.unit.partition("(")[2].rstrip(")")
    return f"{column.removeprefix('val_')} {panel.scale * value:.3g} {unit}"


def panels(training: TrainingSpec, tasks: Sequence[Task], validated: bool) -> dict[str, Panel]:
    """Return what a training's windows show, by their names, in the order they have on the page."""
    columns = {column for task in tasks for column in COLUMNS[task]}
    found = learning_panels(training, {column for column in columns if validated or not column.startswith("val_")})
    if len(tasks) > 1:
        found.append(Panel("agreement of the tasks' gradients", COSINE, [f"cosine_{'_'.join(tasks)}"]))
        found.append(Panel("weights of the tasks", "weight in the trunk", [f"weight_{task}" for task in tasks]))
    found.append(Panel("learning rate", "learning rate", ["learning_rate"]))
    return {panel.columns[0]: panel for panel in found}
