"""Split conformal intervals of objects' heights."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mtlaerial.calibration.bin_merging import merged_bins
from mtlaerial.calibration.quantile import hierarchical_quantile, units_needed
from mtlaerial.calibration.record import ObjectCalibration, percent
from mtlaerial.config.height_bins import bin_names
from mtlaerial.config.scoring import ScoringSpec
from mtlaerial.errors import ConfigError

EDGES = ScoringSpec().height_bins
"""Inner edges in metres of the bins of predicted height: those of the scores."""
LEVEL = 0.9
"""Level of the bounds ``height_lower`` and ``height_upper`` of objects."""


class ObjectInterval(NamedTuple):
    """Half-width in metres of the intervals of objects whose predicted height is in some neighbouring bins.

    ``objects`` is the number of validation objects behind it; the half-width is infinite where they are too few.
    """

    bins: tuple[int, ...]
    half_width: float
    objects: int


def object_intervals(part: ObjectCalibration, min_area: float, level: float = LEVEL) -> list[ObjectInterval]:
    """Return the intervals of the heights of objects of at least some size, by bins of the predicted height.

    Parameters
    ----------
    part : ObjectCalibration
        Errors on the validation objects of a class.
    min_area : float
        m²: the size from which objects are vectorised; validation objects that are smaller do not count.
    level : float
        1 - α, between 0 and 1.

    Returns
    -------
    list of ObjectInterval
        Of bins between ``EDGES``, merged until each has the validation objects that the level needs.

    Raises
    ------
    ConfigError
        When the calibration leaves out objects of that size.

    Notes
    -----
    Split conformal prediction (Lei et al. 2018, doi 10.1080/01621459.2017.1307116) with an object as the unit: the
    score of a validation object is the distance between the median of the true heights within its predicted outline
    and the median of the predicted ones, one score whatever its number of pixels. The half-width is the
    ⌈(n + 1)(1 - α)⌉-th smallest of the n scores, by :func:`mtlaerial.calibration.quantile.hierarchical_quantile` with a
    unit for each.

    The quantile is one per bin of the *predicted* height (Mondrian conformal prediction), as errors grow with height.

    What holds: if objects of a map and those of the validation tiles are exchangeable, the true median height within
    the outline of the next object of a bin is within the interval with a probability of at least 1 - α and, without
    ties, at most 1 - α + 1 / (n + 1). The probability is over objects, those of the validation tiles too. Not
    guaranteed: the same by true height or by size; for another landscape, season or sensor; for heights of a whole
    building whose outline is wrong.

    Examples
    --------
    >>> part = ObjectCalibration(min_area=10, areas=(50,) * 9, heights=(6,) * 9, errors=tuple(range(9)))
    >>> [interval.half_width for interval in object_intervals(part, 10)]
    [8.0]
    """
    if min_area < part.min_area:
        expected = f"at least {part.min_area:g} m², as in the calibration"
        remedy = "Raise it, or calibrate with smaller objects (objects.min_area)."
        raise ConfigError("objects.min_area", f"{min_area:g} m²", expected, remedy)
    counted = np.array(part.areas) >= min_area
    errors = np.array(part.errors, dtype=np.float64)[counted]
    bins = np.digitize(np.array(part.heights, dtype=np.float64)[counted], EDGES)
    occupied = bins[:, None] == np.arange(len(EDGES) + 1)
    intervals = []
    for merged in merged_bins(occupied, units_needed(level)):
        scores = errors[np.isin(bins, merged)]
        number = len(scores)
        (half_width,) = hierarchical_quantile(scores, np.arange(number), np.ones(number), [level])
        intervals.append(ObjectInterval(tuple(merged), float(half_width), number))
    return intervals


def joined(parts: Sequence[ObjectCalibration]) -> ObjectCalibration:
    """Return the calibration by the objects of several parts, from the largest of their least sizes.

    Of the folds of a cross-validation, each predicted by the run that was not trained on it, the errors are out of
    fold. Intervals about the heights of one of the runs, or of a further one of the same method, then hold as well as
    the runs are alike (cross-conformal prediction, Vovk 2015, doi 10.1007/s10472-013-9368-4).
    """
    columns = {key: tuple(v for part in parts for v in getattr(part, key)) for key in ("areas", "heights", "errors")}
    return ObjectCalibration(min_area=max(part.min_area for part in parts), **columns)


def interval_text(name: str, intervals: Sequence[ObjectInterval], level: float = LEVEL) -> str:
    """Return the sentence that states the intervals of a class, or why it has none."""
    if any(np.isinf(interval.half_width) for interval in intervals):
        needed = f"{sum(each.objects for each in intervals)} validation objects; at least {units_needed(level)} needed"
        return f"No {percent(level)} intervals of the heights of {name}: {needed}. Add validation tiles."
    inner = [EDGES[interval.bins[0] - 1] for interval in intervals[1:]]
    names = bin_names(inner) if inner else ["of any height"]
    widths = [
        f"{where} ± {interval.half_width:.2f} m ({interval.objects} validation objects)"
        for where, interval in zip(names, intervals, strict=True)
    ]
    return f"{percent(level)} intervals of the heights of {name}: {', '.join(widths)}."


def bounds(
    intervals: Sequence[ObjectInterval], heights: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return lower and upper bounds of the median heights of objects in metres; NaN without a height or an interval.

    Lower bounds below 0 are 0, as heights of maps are.
    """
    half_widths = np.full(len(EDGES) + 1, np.nan)
    for interval in intervals:
        if np.isfinite(interval.half_width):
            half_widths[list(interval.bins)] = interval.half_width
    half = half_widths[np.digitize(heights, EDGES)]
    return np.maximum(heights - half, 0.0), heights + half


class HeightBounds:
    """Bounds of the heights of objects, by class.

    Parameters
    ----------
    calibration : mapping of class to ObjectCalibration
    classes : sequence of str
        Classes of the objects.
    min_area : float
        m²: the size from which objects are vectorised.

    Raises
    ------
    ConfigError
        See :func:`object_intervals`.
    """

    def __init__(self, calibration: Mapping[str, ObjectCalibration], classes: Sequence[str], min_area: float) -> None:
        calibrated = [name for name in classes if name in calibration]
        self._intervals = {name: object_intervals(calibration[name], min_area) for name in calibrated}

    def columns(self, classes: NDArray[np.object_], heights: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        """Return the columns of bounds of objects, by their classes and median heights."""
        lower, upper = (np.full(len(heights), np.nan) for _ in range(2))
        for name, intervals in self._intervals.items():
            of_class = classes == name
            lower[of_class], upper[of_class] = bounds(intervals, heights[of_class])
        return {"height_lower": lower, "height_upper": upper}

    def notes(self, classes: Sequence[str]) -> list[str]:
        """Return a sentence on the intervals of each of some classes."""
        none = f"No {percent(LEVEL)} intervals of the heights of"
        return [
            interval_text(name, self._intervals[name])
            if name in self._intervals
            else f"{none} {name}: the run is not calibrated for it."
            for name in classes
        ]
