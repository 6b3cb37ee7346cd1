"""Deviations of earlier runs, from their scores: what the power of a planned comparison follows from."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from mtlaerial.config.comparison import NoiseSpec
from mtlaerial.errors import DataError
from mtlaerial.reporting.folds import Evaluation, Evaluations, pool_folds
from mtlaerial.reporting.inference.differences import Difference
from mtlaerial.reporting.inference.power import noise_of
from mtlaerial.reporting.tables.comparison import compare
from mtlaerial.scoring.finished_row import load_row
from mtlaerial.scoring.scores import Scores
from mtlaerial.scoring.scores_file import load_scores

SCORES, ROWS = "scores.json", "*.seed*.json"


def pilot_noise(paths: Sequence[Path]) -> tuple[NoiseSpec, int]:
    """Return the deviations of the differences between methods in earlier runs, and the number of differences.

    Parameters
    ----------
    paths : sequence of Path
        Files ``scores.json``, finished rows, or folders with such files at any depth. On each data set the methods that
        learn the same tasks are compared with the first one, or with the first of equal weights. Areas that are tested
        in turn are pooled, as in the tables: a seed has a training, and its luck, for each of them.

    Raises
    ------
    DataError
        When a file is none of these, or no two methods have two seeds and two test tiles in common.
    """
    runs = [load_row(path).scores if path.name != SCORES else load_scores(path) for path in _files(paths)]
    once = list({(run.dataset, run.method, run.seed): run for run in runs}.values())
    differences = list(_differences(pool_folds(once, _folds(once))))
    noise = noise_of(differences)
    if noise is None:
        where = " ".join(map(str, paths))
        expected = "two methods that learn the same tasks with two seeds and two test tiles in common"
        raise DataError(where, f"{len(runs)} scored runs without them", expected, "Name the folder of a larger study.")
    return noise, sum(each.tested for each in differences)


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted({*path.rglob(SCORES), *path.rglob(ROWS)})
        elif path.is_file():
            yield path
        else:
            raise DataError(path, "no such file", "scores of runs, or a folder of them", "Name what was scored.")


def _folds(runs: Sequence[Scores]) -> Evaluations:
    """Return the folds of data sets: those with names of one beginning, ``NAME.AREA``, that share no test tile."""
    tiles: dict[str, dict[str, set[str]]] = {}
    for run in runs:
        name = run.dataset.rpartition(".")[0]
        tiles.setdefault(name, {}).setdefault(run.dataset, set()).update(run.tiles)
    folds = {}
    for name, of_folds in tiles.items():
        distinct = set[str]().union(*of_folds.values())
        if name and len(distinct) == sum(map(len, of_folds.values())):
            folds[name] = Evaluation(folds=tuple(of_folds), protocol="")
    return folds


def _differences(runs: Sequence[Scores]) -> Iterator[Difference]:
    by_task: dict[tuple[object, ...], list[Scores]] = {}
    for run in runs:
        by_task.setdefault((run.dataset, *sorted(run.tasks)), []).append(run)
    for group in by_task.values():
        baseline = next((run.method for run in group if run.weighting == "equal"), group[0].method)
        yield from (comparison.difference for comparison in compare(group, baseline).values())
