"""Parameters and training time of the networks that predict together."""

from pathlib import Path

from mtlaerial.errors import ConfigError, DataError
from mtlaerial.runs.cost import load_cost
from mtlaerial.runs.run import RunDescription
from mtlaerial.runs.weights import DESCRIPTION

COST = "cost.json"


def total_parameters(run: RunDescription) -> int:
    """Return the number of parameters of a run's network, or of all networks of an ensemble.

    Raises
    ------
    ConfigError, DataError
        When no network can be built with the keys that a run states.
    """
    return sum(map(_parameters, run.networks))


def parameters_text(run: RunDescription) -> str:
    """Return the number of parameters in words, or why they cannot be counted here, as without the encoder's package.

    Raises
    ------
    DataError
        When the sizes that a run states are those of no network.
    """
    try:
        return f"{total_parameters(run) / 1e6:.3g} million parameters"
    except ConfigError as error:
        return f"parameters not counted ({error.where}: {error.found})"


def _parameters(run: RunDescription) -> int:
    from mtlaerial.models.network_counts import count_parameters

    try:
        return count_parameters(run.plan.model, len(run.statistics.bands), run.outputs)
    except RuntimeError as error:
        where, remedy = f"{run.name}: {DESCRIPTION}, key plan.model", "Get the file anew: it is damaged."
        raise DataError(where, f"sizes that cannot be ({error})", "the sizes of its weights", remedy) from None


def training_seconds(folder: Path, run: RunDescription) -> float | None:
    """Return how long all trainings of a run, or of an ensemble's members, took; None where one was not measured.

    It is the median time of an update times the number of updates.
    """
    total = 0.0
    for path, network in (run.members or {folder: run}).items():
        seconds = load_cost(path / COST).seconds_per_step if (path / COST).exists() else 0
        if not seconds or network.imported:
            return None
        training, epochs = network.plan.training, network.ended_early
        total += seconds * (training.steps if epochs is None else epochs * training.steps_per_epoch)
    return total
