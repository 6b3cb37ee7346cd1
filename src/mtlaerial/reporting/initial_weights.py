"""Origins and licences of the weights that the trainings of a report began with."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from mtlaerial.runs.run import read_description


def initial_weights(folders: Iterable[Path], folds: Mapping[str, str]) -> dict[str, list[str]]:
    """Return a line on each origin of initial weights, by data set.

    Parameters
    ----------
    folders : iterable of Path
        Folders of runs.
    folds : mapping of fold to data set

    Raises
    ------
    ConfigError, DataError
        When a folder has no run's description.
    """
    lines: dict[str, list[str]] = {}
    for folder in folders:
        run = read_description(folder)
        dataset = folds.get(run.plan.dataset, run.plan.dataset)
        if run.start and run.start.text not in lines.setdefault(dataset, []):
            lines[dataset].append(run.start.text)
    return lines
