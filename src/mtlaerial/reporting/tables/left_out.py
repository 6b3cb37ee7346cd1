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
        All runs on one data set. What any of them leaves out, all do; sets are those of the first run with some, which
        a note says of runs with others, and so are rules between tasks.
    """
    without = tuple(sorted({name for run in runs for name in run.without_classes}))
    sets = next((run.class_sets for run in runs if run.class_sets), {})
    names = set(chain(*sets.values()))
    alike = []
    for run in runs:
        others = run.had_other_sets or (bool(run.class_sets) and run.class_sets != sets)
        of_classes = sets if names <= set(run.classes) else {}
        changes = {"without_classes": without, "class_sets": of_classes, "had_other_sets": others}
        alike.append(run.model_copy(update=changes))
    return ruled_alike(alike)
