"""Cosines between the tasks' gradients over a training, from ``history.csv``: their number, sum, least and sign."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations
from math import isfinite
from pathlib import Path

from mtlaerial.config import Section, Task
from mtlaerial.config.weighting import Level
from mtlaerial.errors import DataError
from mtlaerial.runs.history_columns import LEVELS, cosine_column


class Cosines(Section):
    """Measured cosines between the gradients of two tasks at a level; sums, so that trainings add up."""

    level: Level
    tasks: tuple[Task, Task]
    measurements: int
    total: float
    """Their sum."""
    least: float
    negative: int
    """Number of them below 0."""

    @property
    def mean(self) -> float:
        """Their mean."""
        return self.total / self.measurements


def cosines(history: Path, tasks: Sequence[Task]) -> tuple[Cosines, ...]:
    """Return the cosines of each level and pair of tasks that a training recorded.

    Parameters
    ----------
    history : Path
        The training's ``history.csv``. Cosines without a level, of earlier versions, do not count.
    tasks : sequence of str
        In the order of the method.

    Raises
    ------
    DataError
        When the file is no history of a training.
    """
    if not history.is_file():
        return ()
    try:
        with history.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        return tuple(_summaries(rows, tasks))
    except (ValueError, csv.Error) as error:
        raise DataError(history, str(error), "the history of a training", "Copy the run's folder anew.") from None


def _summaries(rows: Sequence[dict[str, str]], tasks: Sequence[Task]) -> Iterator[Cosines]:
    for level in LEVELS:
        for pair in combinations(tasks, 2):
            texts = [row.get(cosine_column(level, *pair)) for row in rows]
            values = [value for value in map(float, filter(None, texts)) if isfinite(value)]
            if values:
                negative = sum(value < 0 for value in values)
                yield Cosines(
                    level=level,
                    tasks=pair,
                    measurements=len(values),
                    total=sum(values),
                    least=min(values),
                    negative=negative,
                )


def joined(parts: Iterable[Cosines]) -> tuple[Cosines, ...]:
    """Return the cosines of several trainings together, one for each level and pair of tasks."""
    groups: dict[tuple[Level, tuple[Task, Task]], list[Cosines]] = {}
    for part in parts:
        groups.setdefault((part.level, part.tasks), []).append(part)
    return tuple(
        Cosines(
            level=level,
            tasks=tasks,
            measurements=sum(part.measurements for part in group),
            total=sum(part.total for part in group),
            least=min(part.least for part in group),
            negative=sum(part.negative for part in group),
        )
        for (level, tasks), group in groups.items()
    )
