"""Reading of a table of objects: the best method in one score of its columns. These scores are not tested."""

import math
from collections.abc import Mapping, Sequence
from statistics import fmean

from mtlaerial.reporting.tables.object_columns import ObjectColumn
from mtlaerial.reporting.tables.readings.scores import sentence
from mtlaerial.scoring.object_sums import ObjectSums

BEST = {"f1": max, "mae": min}
"""Scores that a reading may be of, the first that a table has, and what is best of their means over seeds."""


def objects_reading(methods: Mapping[str, Sequence[ObjectSums]], columns: Sequence[ObjectColumn]) -> str:
    """Return the reading of a table; empty where no method has the score of each seed.

    Parameters
    ----------
    methods : mapping of method to sequence of ObjectSums
        The sums over all objects, of each seed.
    columns : sequence of ObjectColumn
        Of the table.
    """
    column = next((column for name in BEST for column in columns if column.name == name), None)
    if column is None:
        return ""
    # A mean without the seeds that found nothing would favour the method that fails most often.
    means = {method: fmean(map(column.value, seeds)) for method, seeds in methods.items()}
    complete = {method: mean for method, mean in means.items() if not math.isnan(mean)}
    if not complete:
        return ""
    method = BEST[column.name](complete, key=complete.__getitem__)
    score, _, unit = column.header.rstrip(")").partition(" (")
    number = f"{complete[method]:.{max(column.digits, 1)}f} {unit}"
    of_others = ", not tested" if len(complete) > 1 else ""
    return sentence([f"Best {score} over all objects: {method} ({number}{of_others})"])
