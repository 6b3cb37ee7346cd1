"""Classes that the second set of a data set's semantic scores leaves out: the same in all rows."""

from collections.abc import Sequence

from mtlaerial.scoring.scores import Scores


def left_out_alike(runs: Sequence[Scores]) -> list[Scores]:
    """Return the runs with one set of classes to leave out, so that a column has the same pixels in all rows.

    Parameters
    ----------
    runs : sequence of Scores
        All runs on one data set. What any of them leaves out, all do.
    """
    without = tuple(sorted({name for run in runs for name in run.without_classes}))
    return [run.model_copy(update={"without_classes": without}) for run in runs]
