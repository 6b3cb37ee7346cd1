"""The folds of a data set with areas, joined: each tile is scored once, by the training that has not seen its area."""

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean, median

from mtlaerial.config import Section, Task
from mtlaerial.errors import DataError
from mtlaerial.reporting.tables import Costs
from mtlaerial.reporting.tables.costs import training_hours
from mtlaerial.runs.cosines import joined
from mtlaerial.runs.cost import Cost, PredictionCost
from mtlaerial.scoring.object_sums import RunObjects, added
from mtlaerial.scoring.scores import Scores

RunKey = tuple[str, str, int]
"""Data set, method and seed."""


class Evaluation(Section):
    """Evaluation of a data set: its folds and its protocol."""

    folds: tuple[str, ...] = ()
    """Names of its folds; empty for fixed splits."""
    protocol: str
    """The protocol as a phrase, from :attr:`mtlaerial.config.DatasetSpec.protocol`."""


Evaluations = Mapping[str, Evaluation]
"""By data set."""


def pool_folds(scores: Sequence[Scores], evaluations: Evaluations) -> list[Scores]:
    """Return one run per data set, method and seed: the sums of all folds' test tiles, with the protocol.

    The constant prediction of heights is, as each tile's sums are, that of the fold. The majority class is that of all
    folds' training tiles.

    Parameters
    ----------
    scores : sequence of Scores
        One per run, in the order of the tables.
    evaluations : mapping of data set to Evaluation

    Raises
    ------
    DataError
        When two folds of a run have the same tile.
    """
    sources = fold_sources(evaluations)
    groups: dict[RunKey, list[Scores]] = {}
    for run in scores:
        groups.setdefault((sources.get(run.dataset, run.dataset), run.method, run.seed), []).append(run)
    return [_joined(key[0], runs, evaluations) for key, runs in groups.items()]


def pool_costs(costs: Costs, evaluations: Evaluations) -> dict[RunKey, Cost]:
    """Return the costs of each run: of its folds the median time and the largest memory."""
    sources = fold_sources(evaluations)
    groups: dict[RunKey, list[Cost]] = {}
    for (dataset, method, seed), cost in costs.items():
        groups.setdefault((sources.get(dataset, dataset), method, seed), []).append(cost)
    return {key: _typical(of_folds) for key, of_folds in groups.items()}


def pool_hours(scores: Iterable[Scores], costs: Costs, evaluations: Evaluations) -> dict[RunKey, tuple[float, ...]]:
    """Return the hours of the trainings of each run, of folds of each; without those that are not known.

    Parameters
    ----------
    scores : iterable of Scores
        Of runs and folds; they tell their updates.
    costs : Costs
        Of runs and folds.
    evaluations : mapping of data set to Evaluation
    """
    sources = fold_sources(evaluations)
    groups: dict[RunKey, tuple[float, ...]] = {}
    for run in scores:
        cost = costs.get((run.dataset, run.method, run.seed))
        if cost and (hours := training_hours(run, cost)):
            key = (sources.get(run.dataset, run.dataset), run.method, run.seed)
            groups[key] = (*groups.get(key, ()), hours)
    return groups


def pool_prediction_costs(
    costs: Mapping[RunKey, PredictionCost], evaluations: Evaluations
) -> dict[RunKey, PredictionCost]:
    """Return the cost of each run's predictions: of its folds the sums of times and pixels, and the largest memory."""
    sources = fold_sources(evaluations)
    groups: dict[RunKey, list[PredictionCost]] = {}
    for (dataset, method, seed), cost in costs.items():
        groups.setdefault((sources.get(dataset, dataset), method, seed), []).append(cost)
    return {key: _summed(of_folds) for key, of_folds in groups.items()}


def fold_sources(evaluations: Evaluations) -> dict[str, str]:
    """Return the data set of each fold."""
    return {fold: name for name, evaluation in evaluations.items() for fold in evaluation.folds}


def _joined(dataset: str, runs: Sequence[Scores], evaluations: Evaluations) -> Scores:
    tiles = {name: tile for run in runs for name, tile in run.tiles.items()}
    if len(tiles) < sum(len(run.tiles) for run in runs):
        where = f"scores of {dataset}, {runs[0].method}, seed {runs[0].seed}"
        raise DataError(where, "a tile in two folds", "each tile in one fold", "Delete the scores of earlier areas.")
    pixels = zip(*(run.training_pixels for run in runs), strict=True)
    changes = {
        "dataset": dataset,
        "tiles": tiles,
        "training_pixels": tuple(map(sum, pixels)),
        "ended_early": _mean_end(runs),
        "final_weights": _mean_weights(runs),
        "cosines": joined(part for run in runs for part in run.cosines),
        "mtlaerial": _different(run.mtlaerial for run in runs),
        "code": _different(run.code for run in runs),
        "scoring_code": _different(run.scoring_code for run in runs),
        "finished": _different(run.finished for run in runs if run.finished),
        "calibration": tuple(dict.fromkeys(sentence for run in runs for sentence in run.calibration)),
        "ground": tuple(dict.fromkeys(sentence for run in runs for sentence in run.ground)),
        "objects": _objects(runs),
        "areas": _areas(dataset, runs) if dataset in fold_sources(evaluations).values() else {},
        "consistency": runs[0].consistency if all(run.consistency == runs[0].consistency for run in runs) else {},
    }
    if dataset in evaluations:
        changes["protocol"] = evaluations[dataset].protocol
    return runs[0].model_copy(update=changes)


def _mean_weights(runs: Sequence[Scores]) -> dict[Task, float]:
    """Return the mean of each task's weight over the folds that have it."""
    tasks = dict.fromkeys(task for run in runs for task in run.final_weights)
    return {task: fmean(run.final_weights[task] for run in runs if task in run.final_weights) for task in tasks}


def _mean_end(runs: Sequence[Scores]) -> int | None:
    """Return the mean epoch after which the trainings of the folds ended; None where all had all their epochs."""
    if not any(run.ended_early for run in runs):
        return None
    return round(fmean(run.ended_early or run.training.epochs for run in runs if run.training))


def _areas(dataset: str, folds: Sequence[Scores]) -> dict[str, tuple[str, ...]]:
    """Return the test tiles of each fold, by its name without that of the data set."""
    return {fold.dataset.removeprefix(f"{dataset}."): tuple(fold.tiles) for fold in folds}


def _objects(runs: Sequence[Scores]) -> RunObjects | None:
    """Return the sums over the objects of all folds; None where one has none, or others."""
    parts = [run.objects for run in runs if run.objects]
    alike = len(parts) == len(runs) and all(part.spec == parts[0].spec for part in parts)
    return added(parts) if alike else None


def _different(values: Iterable[str]) -> str:
    """Return the different ones of some values, so that a mixture shows."""
    return " and ".join(dict.fromkeys(values))


def _typical(costs: Sequence[Cost]) -> Cost:
    seconds = median(cost.seconds_per_step for cost in costs)
    memory = max(cost.peak_memory_mb for cost in costs)
    device = _different(cost.device for cost in costs)
    return Cost(seconds_per_step=seconds, peak_memory_mb=memory, device=device)


def _summed(costs: Sequence[PredictionCost]) -> PredictionCost:
    memories = [cost.peak_memory_mb for cost in costs if cost.peak_memory_mb is not None]
    return PredictionCost(
        seconds=sum(cost.seconds for cost in costs),
        mpixel=sum(cost.mpixel for cost in costs),
        peak_memory_mb=max(memories, default=None),
        device=_different(cost.device for cost in costs),
    )
