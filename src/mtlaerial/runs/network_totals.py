"""Parameters and training time of the networks that predict together."""

from pathlib import Path

from mtlaerial.runs.cost import load_cost
from mtlaerial.runs.run import RunDescription

COST = "cost.json"


def total_parameters(run: RunDescription) -> int:
    """Return the number of parameters of a run's network, or of all networks of an ensemble."""
    from mtlaerial.models.network_counts import count_parameters

    bands = len(run.statistics.bands)
    return sum(count_parameters(network.plan.model, bands, network.outputs) for network in run.networks)


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
