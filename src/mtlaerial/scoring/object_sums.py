"""Sums over objects that all scores of objects follow from, by group."""

import math
from collections.abc import Mapping, Sequence

from mtlaerial.config import Section
from mtlaerial.config.objects import ObjectsSpec

OVERALL = "all"
"""The group of all objects; others are bins of sizes and of heights."""


class ObjectSums(Section):
    """Sums over predicted and true objects, and over the pairs of them that match; they add up."""

    predicted: int = 0
    true: int = 0
    """Number of objects."""
    matched_predicted: int = 0
    matched_true: int = 0
    """Number of those that are matched. The two of a pair may be in two groups, by their own sizes and heights."""
    iou_sum: float = 0.0
    rotation_sum: float = 0.0
    """Over the matched true objects: IoU, and angle in degrees."""
    heights: int = 0
    """Number of matched true objects with both heights."""
    error_sum: float = 0.0
    absolute_error_sum: float = 0.0
    """Over these, predicted minus true, in metres."""
    intervals: int = 0
    within: int = 0
    """Number of these with an interval, and of those whose true height is in it."""

    @property
    def precision(self) -> float:
        """Share of the predicted objects that are matched, as a fraction; NaN without any, as all quotients here."""
        return _quotient(self.matched_predicted, self.predicted)

    @property
    def recall(self) -> float:
        """Share of the true objects that are matched, as a fraction."""
        return _quotient(self.matched_true, self.true)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; 0 where there are objects, predicted or true, and none is matched."""
        if not self.matched_predicted + self.matched_true:
            return _quotient(0, self.predicted + self.true)
        return 2 * self.precision * self.recall / (self.precision + self.recall)

    @property
    def iou(self) -> float:
        """Mean IoU of the matched true objects."""
        return _quotient(self.iou_sum, self.matched_true)

    @property
    def rotation(self) -> float:
        """Mean rotation error of the matched true objects, in degrees."""
        return _quotient(self.rotation_sum, self.matched_true)

    @property
    def bias(self) -> float:
        """Mean error of the heights, predicted minus true, in metres."""
        return _quotient(self.error_sum, self.heights)

    @property
    def mae(self) -> float:
        """Mean absolute error of the heights, in metres."""
        return _quotient(self.absolute_error_sum, self.heights)

    @property
    def covered(self) -> float:
        """Share of the intervals that the true height is in, as a fraction."""
        return _quotient(self.within, self.intervals)


SCORES = ("precision", "recall", "f1", "iou", "rotation", "bias", "mae", "covered")
"""Names of the scores: properties of the sums."""
Groups = dict[str, ObjectSums]


class RunObjects(Section):
    """Sums over the objects of a run's maps."""

    spec: ObjectsSpec
    """What became an object."""
    classes: dict[str, Groups]
    """Sums by class and group."""


def added(parts: Sequence[RunObjects]) -> RunObjects:
    """Return the sums of the folds of a run, whose objects are of one specification."""
    names = dict.fromkeys(name for part in parts for name in part.classes)
    classes = {name: _added_groups([part.classes.get(name, {}) for part in parts]) for name in names}
    return RunObjects(spec=parts[0].spec, classes=classes)


def _added_groups(parts: Sequence[Mapping[str, ObjectSums]]) -> Groups:
    names = dict.fromkeys(name for part in parts for name in part)
    return {name: _total([part[name] for part in parts if name in part]) for name in names}


def _total(parts: Sequence[ObjectSums]) -> ObjectSums:
    return ObjectSums(**{key: sum(getattr(part, key) for part in parts) for key in ObjectSums.model_fields})


def _quotient(total: float, number: int) -> float:
    return total / number if number else math.nan
