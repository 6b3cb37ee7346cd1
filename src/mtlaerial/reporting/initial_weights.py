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
        of_dataset = lines.setdefault(folds.get(run.plan.dataset, run.plan.dataset), [])
        texts = [network.start.text for network in run.networks if network.start]
        of_dataset += [text for text in dict.fromkeys(texts) if text not in of_dataset]
    return lines
