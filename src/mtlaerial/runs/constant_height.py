"""The constant prediction of a task of heights."""

from mtlaerial.config import TaskEntry
from mtlaerial.tiles.statistics import Statistics


def constant_of(entry: TaskEntry, statistics: Statistics) -> float:
    """Return the constant prediction in metres: the median height of the training tiles, or 0 for what is derived.

    Nothing is measured of derived values; most of them are near 0, as most ground and roofs are smooth.

    Parameters
    ----------
    entry : TaskEntry
    statistics : Statistics
        Of the training tiles; 0 without heights.
    """
    if entry.derivation or statistics.height is None:
        return 0.0
    return statistics.height.median
