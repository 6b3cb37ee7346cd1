"""Maps and descriptions of the runs of a report, from their folders."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from mtlaerial.reporting.folds import RunKey
from mtlaerial.reporting.report.tiles.datasets import DatasetMaps, PredictedMaps
from mtlaerial.runs.run import RunDescription, read_description
from mtlaerial.scoring.scores import Scores


def dataset_maps(
    scores: Mapping[Path, Scores], maps: Sequence[Path], tiles: Sequence[Path], folds: Mapping[str, str]
) -> dict[str, DatasetMaps]:
    """Return test tiles and maps by data set.

    Parameters
    ----------
    scores : mapping of folder to Scores
        Of the runs that are here.
    maps : sequence of Path
        Folders of maps, each in the folder of its run; of each method and fold one.
    tiles : sequence of Path
        Folders of the prepared test tiles, ``DATASET/tiles/TILE``.
    folds : mapping of fold to data set

    Raises
    ------
    ConfigError, DataError
        When a folder has no run's description.
    """
    by_dataset: dict[str, dict[str, list[PredictedMaps]]] = {}
    for folder in maps:
        run = read_description(folder.parent)
        name = folds.get(run.plan.dataset, run.plan.dataset)
        methods = by_dataset.setdefault(name, {})
        methods.setdefault(run.plan.method, []).append(PredictedMaps(folder, run, scores.get(folder.parent)))
    return {
        name: DatasetMaps([tile for tile in tiles if _dataset_of(tile, folds) == name], methods)
        for name, methods in by_dataset.items()
    }


def descriptions(runs: Collection[Path], folds: Mapping[str, str]) -> dict[RunKey, RunDescription]:
    """Return the descriptions of runs by data set, method and seed; of several folds that of the first.

    Raises
    ------
    ConfigError, DataError
        When a folder has no run's description.
    """
    described: dict[RunKey, RunDescription] = {}
    for folder in runs:
        run = read_description(folder)
        key = folds.get(run.plan.dataset, run.plan.dataset), run.plan.method, run.plan.seed
        described.setdefault(key, run)
    return described


def _dataset_of(tile: Path, folds: Mapping[str, str]) -> str:
    name = tile.parents[1].name
    return folds.get(name, name)
