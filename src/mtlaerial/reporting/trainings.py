"""Facts on the trainings of a report: initial weights, budgets, and sizes of ensembles."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mtlaerial.reporting.budgets import budgets
from mtlaerial.reporting.ensembles import EnsembleSize, ensemble_sizes
from mtlaerial.reporting.initial_weights import initial_weights


@dataclass(frozen=True)
class TrainingFacts:
    """Facts on the trainings on a data set.

    Attributes
    ----------
    starts : sequence of str
        A line on each origin of the weights that trainings began with.
    budgets : sequence of str
        A line on each budget of a method's trainings.
    ensembles : sequence of EnsembleSize
        Sizes of the rows that are ensembles.
    """

    starts: Sequence[str] = ()
    budgets: Sequence[str] = ()
    ensembles: Sequence[EnsembleSize] = ()


def training_facts(folders: Collection[Path], folds: Mapping[str, str]) -> dict[str, TrainingFacts]:
    """Return the facts on the trainings of runs and ensembles, by data set.

    Parameters
    ----------
    folders : collection of Path
        Folders of runs and ensembles.
    folds : mapping of fold to data set

    Raises
    ------
    ConfigError, DataError
        When a folder has no run's description.
    """
    starts, spent, sizes = initial_weights(folders, folds), budgets(folders, folds), ensemble_sizes(folders, folds)
    names = dict.fromkeys((*starts, *spent, *sizes))
    return {name: TrainingFacts(starts.get(name, ()), spent.get(name, ()), sizes.get(name, ())) for name in names}
