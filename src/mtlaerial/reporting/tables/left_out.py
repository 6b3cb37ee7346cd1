"""Classes that a second set of semantic scores leaves out, and sets of classes: the same in all rows of a data set."""

from collections.abc import Sequence
from itertools import chain

from mtlaerial.reporting.tables.consistency import ruled_alike
from mtlaerial.scoring.scores import Scores


def left_out_alike(runs: Sequence[Scores]) -> list[Scores]:
    """Return the runs with the same classes to leave out and sets of classes, so that a column is the same in all rows.

    Parameters
    ----------
    runs : sequence of Scores
        All runs on one data set. What any of them leaves out, all do; sets are those of the first run with some, and so
        are rules between tasks.
    """
    without = tuple(sorted({name for run in runs for name in run.without_classes}))
    sets = next((run.class_sets for run in runs if run.class_sets), {})
    names = set(chain(*sets.values()))
    changes = [{"without_classes": without, "class_sets": sets if names <= set(run.classes) else {}} for run in runs]
    return ruled_alike([run.model_copy(update=change) for run, change in zip(runs, changes, strict=True)])
