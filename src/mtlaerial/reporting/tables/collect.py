"""Scores in long form, one row per number, and their mean and deviation over seeds."""

from collections import Counter
from collections.abc import Iterator, Sequence
from statistics import fmean

import pandas as pd

from mtlaerial.errors import ConfigError, DataError
from mtlaerial.reporting.tables.constant import CONSTANT, constant_run
from mtlaerial.reporting.tables.gain import GAIN, gain_over_baselines
from mtlaerial.reporting.tables.groups import OVERALL
from mtlaerial.reporting.tables.left_out import left_out_alike
from mtlaerial.reporting.tables.score_rows import CELLS, SQUARED_SHARE, score_rows
from mtlaerial.scoring.scores import Scores

POOLED, TILE_MEAN = "pooled", "tile mean"
POOLED_ALONE = (CELLS, SQUARED_SHARE)
"""Numbers without a mean over tiles: shares of single tiles, some of which lack a group, do not add up."""
COLUMNS = ["dataset", "method", "seed", "pooling", "mask", "group", "score", "value"]
PooledRow = tuple[str, str, str, str, float]
"""Pooling, mask, group, score, value."""


def collect(scores: Sequence[Scores]) -> pd.DataFrame:
    """Return every score of every run, one per row.

    Parameters
    ----------
    scores : sequence of Scores
        One per run, in the order of the tables.

    Returns
    -------
    DataFrame
        Columns ``dataset, method, seed, pooling, mask, group, score, value``. Values are fractions or metres.
        ``pooling`` is ``pooled``, from sums over the test tiles, or ``tile mean``, the plain mean of a score over the
        tiles that have it, as some publications give it. ``mask`` is ``all``; ``eroded`` for semantics without the
        pixels along class boundaries; ``without CLASS, …`` and ``eroded, without CLASS, …`` without the pixels of
        classes that a run leaves out (``scoring.without_classes``); ``positive`` for heights with 0 < h < 9000 m,
        ``objects`` with 1 m < h < 9000 m.
        ``group`` is ``overall``, ``class NAME``, a bin of true height or ``h > 3 m``; that of a task which is not the
        leading one of its metrics begins with the task. ``cells`` counts the heights of a
        group, in cells of the finest grid, and ``squared-error share`` is its share of the squared error of the mask's
        cells; both are pooled alone. ``seam TASK`` is the mean step from pixel to pixel at window borders
        relative to that elsewhere. ``checkerboard N px`` is the power of predicted heights at that period relative to
        its neighbours, and ``checkerboard`` the largest of these. ``violations`` is the share of cells that break a
        rule between tasks. ``ECE``, ``AUSE …``, ``coverage N %`` and ``width N %`` are scores of uncertainty, whose
        groups ``predicted …`` are bins of predicted height. Scores that a run lacks have no rows. Each data set ends
        with the method ``constant``, which has no seed.

    Raises
    ------
    ConfigError, DataError
        When a method is named ``constant``, or a run is given twice.
    """
    _require_distinct(scores)
    rows: list[tuple[str, str, int | None, str, str, str, str, float]] = []
    for dataset in dict.fromkeys(run.dataset for run in scores):
        runs = left_out_alike([run for run in scores if run.dataset == dataset])
        for run in runs:
            numbers = [*_both_poolings(run), *_gain(run, runs)]
            rows += [(dataset, run.method, run.seed, *row) for row in numbers]
        rows += [(dataset, CONSTANT, None, *row) for row in _both_poolings(constant_run(runs))]
    return pd.DataFrame(rows, columns=COLUMNS).astype({"seed": "Int64", "value": "float64"})


def mean_over_seeds(long: pd.DataFrame) -> pd.DataFrame:
    """Return mean and standard deviation over seeds.

    Parameters
    ----------
    long : DataFrame
        From :func:`collect`.

    Returns
    -------
    DataFrame
        Columns ``dataset, method, pooling, mask, group, score, mean, std, n``. The deviation is the sample standard
        deviation (n - 1 in the denominator), missing for a single value; n is the number of seeds with the score.
    """
    keys = [column for column in COLUMNS if column not in ("seed", "value")]
    groups = long.groupby(keys, sort=False)["value"]
    return groups.agg(mean="mean", std="std", n="size").reset_index()


def _require_distinct(scores: Sequence[Scores]) -> None:
    if any(run.method == CONSTANT for run in scores):
        raise ConfigError("run.methods", f"a method named {CONSTANT}", "another name", "The tables have such a row.")
    for key, times in Counter((run.dataset, run.method, run.seed) for run in scores).items():
        if times > 1:
            where = f"scores of {key[0]}, {key[1]}, seed {key[2]}"
            raise DataError(where, f"{times} files", "each run once", "Give each scores.json once.")


def _both_poolings(run: Scores) -> Iterator[PooledRow]:
    for row in score_rows(run):
        yield POOLED, *row
    values: dict[tuple[str, str, str], list[float]] = {}
    for name, tile in run.tiles.items():
        for mask, group, score, value in score_rows(run.model_copy(update={"tiles": {name: tile}})):
            values.setdefault((mask, group, score), []).append(value)
    for (mask, group, score), of_tiles in values.items():
        if score not in POOLED_ALONE:
            yield TILE_MEAN, mask, group, score, fmean(of_tiles)


def _gain(run: Scores, runs: Sequence[Scores]) -> Iterator[PooledRow]:
    gain = gain_over_baselines(run, runs)
    if gain is not None:
        yield POOLED, "all", OVERALL, GAIN, gain
