"""Size and training time of the ensembles of a report."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from mtlaerial.runs.network_totals import total_parameters, training_seconds
from mtlaerial.runs.run import read_description


@dataclass(frozen=True)
class EnsembleSize:
    """Networks and parameters of the ensemble that makes one map, and the time of its trainings.

    Attributes
    ----------
    method : str
    networks : int
    parameters : str
        In millions.
    hours : str
        Sum over the members' trainings of the ensemble of the first seed; empty where one was not measured.
    """

    method: str
    networks: int
    parameters: str
    hours: str


def ensemble_sizes(folders: Iterable[Path], folds: Mapping[str, str]) -> dict[str, list[EnsembleSize]]:
    """Return the size of each ensemble among some runs, by data set; of seeds and folds the first one's.

    Parameters
    ----------
    folders : iterable of Path
        Folders of runs and ensembles.
    folds : mapping of fold to data set
    """
    sizes: dict[str, dict[str, EnsembleSize]] = {}
    for folder in folders:
        run = read_description(folder)
        of_dataset = sizes.setdefault(folds.get(run.plan.dataset, run.plan.dataset), {})
        if run.members and run.plan.method not in of_dataset:
            seconds = training_seconds(folder, run)
            hours = "" if seconds is None else f"{seconds / 3600:.2g}"
            parameters = f"{total_parameters(run) / 1e6:.3g}"
            of_dataset[run.plan.method] = EnsembleSize(run.plan.method, len(run.networks), parameters, hours)
    return {dataset: list(of_dataset.values()) for dataset, of_dataset in sizes.items()}
