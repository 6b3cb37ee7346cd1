"""Weights of the tasks at the end of a training, from ``history.csv``."""

import csv
from collections.abc import Sequence
from math import isfinite
from pathlib import Path
from statistics import fmean

from mtlaerial.config import Task
from mtlaerial.errors import DataError
from mtlaerial.runs.history_columns import weight_column

HISTORY = "history.csv"
LAST_SHARE = 0.1
"""Share of the updates over which the weights are averaged: those of single updates vary."""


def final_weights(history: Path, tasks: Sequence[Task]) -> dict[Task, float]:
    """Return the mean weight of each task over the last tenth of a training's updates.

    Parameters
    ----------
    history : Path
        The training's ``history.csv``.
    tasks : sequence of str

    Returns
    -------
    dict of task to float
        Empty without such a file, as in imported runs and ensembles, and without weights, as with one task.

    Raises
    ------
    DataError
        When the file is no history of a training.
    """
    if not history.is_file():
        return {}
    try:
        with history.open(encoding="utf-8", newline="") as file:
            rows = [row for row in csv.DictReader(file) if all(row.get(weight_column(task)) for task in tasks)]
        first = (1 - LAST_SHARE) * max((float(row["step"]) for row in rows), default=0.0)
        last = [row for row in rows if float(row["step"]) > first]
        means = {task: fmean(float(row[weight_column(task)]) for row in last) for task in tasks if last}
    except (ValueError, KeyError, csv.Error) as error:
        raise DataError(history, str(error), "the history of a training", "Copy the run's folder anew.") from None
    return means if all(map(isfinite, means.values())) else {}
