"""Costs of the scored runs; those of an ensemble are its members'."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from mtlaerial.reporting.folds import RunKey
from mtlaerial.runs.cost import Cost, PredictionCost, load_cost, load_prediction_cost
from mtlaerial.runs.run import read_description
from mtlaerial.scoring.scores import Scores


def run_costs(scores: Mapping[Path, Scores], files: Sequence[Path]) -> dict[RunKey, Cost]:
    """Return the cost of each scored run whose training, or whose members' trainings, measured it.

    Parameters
    ----------
    scores : mapping of folder to Scores
    files : sequence of Path
        Files of costs, each in the folder of its run, be that scored or the member of an ensemble alone.
    """
    measured = {path.parent.resolve(): load_cost(path) for path in files}
    costs: dict[RunKey, Cost] = {}
    for folder, run in scores.items():
        networks = read_description(folder).members if run.ensemble else {folder: None}
        of_networks = [measured[network.resolve()] for network in networks if network.resolve() in measured]
        if len(of_networks) == len(networks):
            costs[run.dataset, run.method, run.seed] = joint_cost(of_networks)
    return costs


def prediction_costs(scores: Mapping[Path, Scores], files: Sequence[Path]) -> dict[RunKey, PredictionCost]:
    """Return the cost of each scored run's prediction.

    Parameters
    ----------
    scores : mapping of folder to Scores
    files : sequence of Path
        Files of costs, each in the folder of its run.
    """
    runs = {folder.resolve(): run for folder, run in scores.items()}
    costs: dict[RunKey, PredictionCost] = {}
    for path in files:
        if run := runs.get(path.parent.resolve()):
            costs[run.dataset, run.method, run.seed] = load_prediction_cost(path)
    return costs


def joint_cost(costs: Sequence[Cost]) -> Cost:
    """Return the cost of trainings one after the other: the sum of their times, and the largest memory."""
    return Cost(
        seconds_per_step=sum(cost.seconds_per_step for cost in costs),
        peak_memory_mb=max(cost.peak_memory_mb for cost in costs),
        device=" and ".join(dict.fromkeys(cost.device for cost in costs)),
    )
