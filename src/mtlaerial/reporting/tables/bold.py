"""Bold numbers: the one rule of all tables.

The best method of a score is bold if the paired bootstrap over seeds and test tiles says that it is better than the
runner-up: p below 0.05, and at least five seeds in common. So a lone method, ties, and a lead that chance explains are
not bold, nor is a method that does not beat the constant prediction.
"""

from collections.abc import Sequence

from mtlaerial.reporting.tables.bootstrap import Gain, Summed, difference
from mtlaerial.reporting.tables.collect import CLASS, GAIN, JOINT
from mtlaerial.reporting.tables.columns import DETECTION_SCORES, RATIO_SCORES, Column
from mtlaerial.reporting.tables.comparison import ENOUGH_SEEDS, LEVEL, common_tiles, compare, paired
from mtlaerial.reporting.tables.tile_sums import tile_sums
from mtlaerial.scoring.detection import detection_scores
from mtlaerial.scoring.joint import iou3_scores
from mtlaerial.scoring.metrics import class_scores, length_scores
from mtlaerial.scoring.scores import Scores

RULE = (
    f"Bold: better than the runner-up by a paired bootstrap over seeds and test tiles (p < {LEVEL:g}, at least "
    f"{ENOUGH_SEEDS} seeds in common)."
)


class Bold:
    """Comparisons of methods on one data set, score by score.

    Parameters
    ----------
    runs : sequence of Scores
        All runs on the data set.
    """

    def __init__(self, runs: Sequence[Scores]) -> None:
        self._runs = runs

    def better(self, best: str, runner_up: str, column: Column) -> bool:
        """Return whether a method is significantly better in a score than another that is worse on average."""
        best_runs, other_runs = paired(self._runs, best, runner_up)
        tiles = common_tiles((*best_runs, *other_runs))
        if len(best_runs) < ENOUGH_SEEDS or len(tiles) < 2:
            return False
        if column.score == GAIN:  # the mean of relative gains in both tasks
            return compare((*best_runs, *other_runs), runner_up)[best].better
        sums = {column.score: _summed(best_runs, tiles, column)}
        baseline = {column.score: _summed(other_runs, tiles, column)}
        return difference(sums, baseline, gain=_signed(column)).p < LEVEL


def _signed(column: Column) -> Gain:
    sign = -1 if column.lower_is_better else 1
    return lambda _, value, baseline: sign * (value - baseline)


def _summed(runs: Sequence[Scores], tiles: Sequence[str], column: Column) -> Summed:
    """Return the sums behind a column's score, and the score."""
    names = runs[0].classes
    if column.score == JOINT:
        return Summed(tile_sums(runs, tiles, ("joint",)), lambda sums: iou3_scores(sums[..., :3, :], sums[..., 3, :]))
    if column.score in DETECTION_SCORES:
        return Summed(tile_sums(runs, tiles, ("detection",)), lambda sums: detection_scores(sums)[column.score])
    if column.length or column.score in RATIO_SCORES:
        sums_of_heights = tile_sums(runs, tiles, ("height", column.mask, column.group))
        return Summed(sums_of_heights, lambda sums: length_scores(sums)[column.score])
    of_class = column.group.removeprefix(CLASS) if column.group.startswith(CLASS) else ""
    key = f"{column.score} {of_class}".strip()
    return Summed(tile_sums(runs, tiles, ("classes", column.mask)), lambda sums: class_scores(sums, names)[key])
