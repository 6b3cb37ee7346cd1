"""Split conformal intervals of objects' heights."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mtlaerial.calibration.quantile import hierarchical_quantile, units_needed
from mtlaerial.calibration.record import ObjectCalibration, percent
from mtlaerial.errors import ConfigError

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

LEVEL = 0.9
"""Level of the bounds ``height_lower`` and ``height_upper`` of objects."""


class ObjectInterval(NamedTuple):
    """Half-width in metres of the interval of an object's height, and the validation objects behind it.

    The half-width is infinite where there are too few of them.
    """

    half_width: float
    objects: int


def object_interval(part: ObjectCalibration, min_area: float, level: float = LEVEL) -> ObjectInterval:
    """Return the interval of the height of objects of at least some size.

    Parameters
    ----------
    part : ObjectCalibration
        Errors on the validation objects of a class.
    min_area : float
        m²: the size from which objects are vectorised; validation objects that are smaller do not count.
    level : float
        1 - α, between 0 and 1.

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

    What holds: if objects of a map and those of the validation tiles are exchangeable, the true median height within
    the outline of the next object is within the interval with a probability of at least 1 - α and, without ties, at
    most 1 - α + 1 / (n + 1). The probability is over objects, those of the validation tiles too. Not guaranteed: the
    same for tall or large objects alone; for another landscape, season or sensor; for heights of a whole building whose
    outline is wrong.

    Examples
    --------
    >>> part = ObjectCalibration(min_area=10, areas=(50,) * 9, errors=tuple(range(9)))
    >>> object_interval(part, 10).half_width
    8.0
    """
    if min_area < part.min_area:
        expected = f"at least {part.min_area:g} m², as in the calibration"
        remedy = "Raise it, or calibrate with smaller objects (objects.min_area)."
        raise ConfigError("objects.min_area", f"{min_area:g} m²", expected, remedy)
    errors = np.array(part.errors, dtype=np.float64)[np.array(part.areas) >= min_area]
    number = len(errors)
    (half_width,) = hierarchical_quantile(errors, np.arange(number), np.ones(number), [level])
    return ObjectInterval(float(half_width), number)


def joined(parts: Sequence[ObjectCalibration]) -> ObjectCalibration:
    """Return the calibration by the objects of several parts, from the largest of their least sizes.

    Of the folds of a cross-validation, each predicted by the run that was not trained on it, the errors are out of
    fold. Intervals about the heights of one of the runs, or of a further one of the same method, then hold as well as
    the runs are alike (cross-conformal prediction, Vovk 2015, doi 10.1007/s10472-013-9368-4).
    """
    areas = tuple(area for part in parts for area in part.areas)
    errors = tuple(error for part in parts for error in part.errors)
    return ObjectCalibration(min_area=max(part.min_area for part in parts), areas=areas, errors=errors)


def missing_text(name: str, interval: ObjectInterval, level: float = LEVEL) -> str:
    """Return the sentence that says why objects of a class have no interval; empty where they have one."""
    if np.isfinite(interval.half_width):
        return ""
    needed = f"{interval.objects} validation objects; at least {units_needed(level)} needed"
    return f"No {percent(level)} intervals of the heights of {name}: {needed}. Add validation tiles."


def bounds(interval: ObjectInterval, heights: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return lower and upper bounds of the median heights of objects in metres; NaN without a height or an interval.

    Lower bounds below 0 are 0, as heights of maps are.
    """
    half = interval.half_width if np.isfinite(interval.half_width) else np.nan
    return np.maximum(heights - half, 0.0), heights + half


def with_bounds(
    frame: "GeoDataFrame", calibration: Mapping[str, ObjectCalibration], min_area: float
) -> tuple["GeoDataFrame", list[str]]:
    """Return the table of objects with the bounds of their heights, and a sentence on each class.

    Parameters
    ----------
    frame : GeoDataFrame
        The columns of :mod:`mtlaerial.objects.columns`.
    calibration : mapping of class to ObjectCalibration
    min_area : float
        m²: the size from which objects were vectorised.

    Raises
    ------
    ConfigError
        See :func:`object_interval`.
    """
    lower, upper = (np.full(len(frame), np.nan) for _ in range(2))
    notes = []
    for name in dict.fromkeys(frame["class"]):
        of_class = (frame["class"] == name).to_numpy()
        if name not in calibration:
            notes.append(f"No {percent(LEVEL)} intervals of the heights of {name}: the run is not calibrated for it.")
            continue
        interval = object_interval(calibration[name], min_area)
        heights = frame["height_median"].to_numpy(dtype=np.float64)[of_class]
        lower[of_class], upper[of_class] = bounds(interval, heights)
        reach = f"± {interval.half_width:.2f} m, by {interval.objects} validation objects"
        notes.append(missing_text(name, interval) or f"{percent(LEVEL)} intervals of the heights of {name}: {reach}.")
    return frame.assign(height_lower=lower, height_upper=upper), notes
