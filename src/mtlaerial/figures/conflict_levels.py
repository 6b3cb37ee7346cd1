"""Levels of the tasks' gradients in the histories of a method."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

import pandas as pd

from mtlaerial.config import Task
from mtlaerial.config.weighting import Level
from mtlaerial.figures.series import Histories
from mtlaerial.runs.history_columns import LEVELS, cosine_column, norm_column


def with_levels(histories: Histories, tasks: Sequence[Task]) -> Histories:
    """Return histories whose norms and cosines name their level: those of older versions are at the features.

    A training that an older version began has both names, of which each row has one. Columns that only some runs have
    are empty in the others.

    Parameters
    ----------
    histories : mapping of name to DataFrame
    tasks : sequence of Task
        The method's, in its order.
    """
    new_names = dict(_older_names(tasks))
    tables = {run: _renamed(history, new_names) for run, history in histories.items()}
    columns = dict.fromkeys(column for table in tables.values() for column in table)
    return {run: table.reindex(columns=list(columns)) for run, table in tables.items()}


def recorded_levels(histories: Histories, tasks: Sequence[Task]) -> list[Level]:
    """Return the levels at which the runs have cosines: older versions recorded those at the features alone."""
    columns = {level: list(cosine_columns(level, tasks).values()) for level in LEVELS}
    return [level for level in LEVELS if all(set(columns[level]) <= set(table) for table in histories.values())]


def cosine_columns(level: Level, tasks: Sequence[Task]) -> dict[str, str]:
    """Return the column of each pair of tasks by the pair's name."""
    return {f"{first} and {second}": cosine_column(level, first, second) for first, second in combinations(tasks, 2)}


def _renamed(history: pd.DataFrame, new_names: Mapping[str, str]) -> pd.DataFrame:
    table = history.copy()
    for name in [name for name in new_names if name in table]:
        older, new_name = table.pop(name), new_names[name]
        table[new_name] = table[new_name].fillna(older) if new_name in table else older
    return table


def _older_names(tasks: Sequence[Task]) -> Iterator[tuple[str, str]]:
    """Yield the names of columns without a level, and those with it."""
    for task in tasks:
        yield f"norm_{task}", norm_column("features", task)
    for first, second in combinations(tasks, 2):
        yield f"cosine_{first}_{second}", cosine_column("features", first, second)
