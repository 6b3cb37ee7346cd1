"""Groups of pixels that scores are of: all, a class, a bin of heights; those of further tasks begin with the task."""

from mtlaerial.config import Task
from mtlaerial.scoring import tile_sums

OVERALL = tile_sums.OVERALL
CLASS = "class "
"""Prefix of the groups of classes."""
_SEPARATOR = ": "


def group_of(task: Task, group: str) -> str:
    """Return a group of a task that is not the leading one of its metrics.

    Examples
    --------
    >>> group_of("roof", OVERALL)
    'roof: overall'
    """
    return f"{task}{_SEPARATOR}{group}"


def split_group(group: str) -> tuple[Task | None, str]:
    """Return the further task that a group is of, None for the leading ones, and the group itself.

    Examples
    --------
    >>> split_group("roof: class road"), split_group("class road: unpaved")
    (('roof', 'class road'), (None, 'class road: unpaved'))
    """
    task, separator, rest = group.partition(_SEPARATOR)
    is_task = bool(separator) and task.isidentifier()
    return (task, rest) if is_task else (None, group)
