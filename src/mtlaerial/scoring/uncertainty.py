"""Scores of uncertainty: sums of one tile, added up block by block, and the scores of pooled sums."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray

from mtlaerial.config import Section
from mtlaerial.config.height_bins import bin_names
from mtlaerial.scoring.coverage import coverage_scores, interval_sums
from mtlaerial.scoring.error_retention import retention_sums, sparsification_error
from mtlaerial.scoring.reliability import calibration_error, reliability_sums
from mtlaerial.scoring.tile_sums import OVERALL

PREDICTED = "predicted "
"""Prefix of the groups by predicted height; those by true height have none."""
Rows = tuple[tuple[float, ...], ...]
Bounds = Mapping[str, tuple[NDArray[np.float32], NDArray[np.float32]]]
"""Lower and upper bounds in metres by level, such as ``90 %``."""
Score = tuple[str, str, float]
"""Group, score, value."""


class UncertaintySums(Section):
    """Sums over one tile, or over several; those of an absent layer are empty."""

    reliability: Rows = ()
    """By bin of confidence, see :mod:`mtlaerial.scoring.reliability`."""
    reliability_before: Rows = ()
    """The same before the temperature of a calibration; empty without one."""
    class_retention: tuple[Rows, ...] = ()
    """Wrong classes by order and bin of entropy, see :mod:`mtlaerial.scoring.error_retention`."""
    height_retention: tuple[Rows, ...] = ()
    """Height errors by order and bin of the deviation."""
    intervals: dict[str, dict[str, tuple[float, ...]]] = {}
    """By level, such as ``90 %``, and group, see :mod:`mtlaerial.scoring.coverage`. Groups: ``overall``,
    ``class NAME``, ``LOW-HIGH m`` by true height, ``predicted LOW-HIGH m`` by predicted height."""

    @property
    def empty(self) -> bool:
        """Whether nothing is summed."""
        return not (self.reliability or self.class_retention or self.height_retention or self.intervals)

    def plus(self, added: Self, label_weight: float = 1.0, height_weight: float = 1.0) -> Self:
        """Return the sums with those of another tile, or block, whose pixels and cells have some weight."""
        intervals = {level: dict(groups) for level, groups in self.intervals.items()}
        for level, groups in added.intervals.items():
            of_level = intervals.setdefault(level, {})
            for group, sums in groups.items():
                of_level[group] = tuple(_added(of_level.get(group, ()), sums, height_weight).tolist())
        return self.model_copy(
            update={
                "reliability": _rows(_added(self.reliability, added.reliability, label_weight)),
                "reliability_before": _rows(_added(self.reliability_before, added.reliability_before, label_weight)),
                "class_retention": _tables(_added(self.class_retention, added.class_retention, label_weight)),
                "height_retention": _tables(_added(self.height_retention, added.height_retention, height_weight)),
                "intervals": intervals,
            }
        )


def class_sums(probabilities: NDArray[np.float32], true: NDArray[np.uint8]) -> UncertaintySums:
    """Return the sums of a block of class probabilities.

    Parameters
    ----------
    probabilities : array of float32, shape (classes, …)
        Probabilities, or positive scores, which are divided by their sum. Pixels without (NaN, or all 0) have no
        confidence; if they have a true class, they are the most uncertain, and wrong.
    true : array of uint8, shape (…)
        Classes; pixels with a code of no class are left out.
    """
    uncertainty = entropy(probabilities)
    # argmax means nothing where there are no probabilities: such pixels are wrong.
    wrong = (probabilities.argmax(axis=0) != true) | np.isnan(uncertainty)
    error = np.where(true < len(probabilities), wrong.astype(np.float64), np.nan)
    return UncertaintySums(
        reliability=_rows(reliability_sums(probabilities, true)),
        class_retention=_tables(retention_sums(error, uncertainty)),
    )


def sums_before(probabilities: NDArray[np.float32], true: NDArray[np.uint8]) -> UncertaintySums:
    """Return the sums of a block of class probabilities before their calibration; see :func:`class_sums`."""
    return UncertaintySums(reliability_before=_rows(reliability_sums(probabilities, true)))


def entropy(probabilities: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the entropy of class probabilities relative to that of equal ones, 0 to 1; NaN where there are none.

    Parameters
    ----------
    probabilities : array, shape (classes, …)
        Probabilities, or positive scores, which are divided by their sum.
    """
    total = probabilities.sum(axis=0, dtype=np.float64)
    total = np.where((total > 0) & np.isfinite(total), total, np.nan)
    nats = np.zeros(total.shape)
    for scores in probabilities:  # class by class: a block of all in float64 would be large
        p = scores / total
        nats -= p * np.log(np.maximum(p, np.finfo(np.float64).tiny))
    relative: NDArray[np.float64] = np.maximum(nats, 0.0) / np.log(len(probabilities))
    return relative


def height_sums_of(
    true: NDArray[np.float32],
    predicted: NDArray[np.float32],
    deviation: NDArray[np.float32] | None,
    bounds: Bounds,
    classes: NDArray[np.integer],
    names: Sequence[str],
    bins: Sequence[float],
) -> UncertaintySums:
    """Return the sums of a block of heights.

    Parameters
    ----------
    true, predicted : array of float32, metres
        Cells whose truth is NaN are left out.
    deviation : array of float32 or None
        Uncertainty that errors are ordered by; None for a predictor without one.
    bounds : mapping of level to pair of arrays
        Lower and upper bounds in metres.
    classes : array of int
        True class of each cell; a code outside the classes for none.
    names : sequence of str
        The classes, in the order of their codes.
    bins : sequence of float
        Inner edges in metres of the bins by true and by predicted height.
    """
    by_height = bin_names(bins)
    groupings = (
        ([OVERALL], np.zeros(true.shape, dtype=np.int64)),
        ([f"class {name}" for name in names], classes),
        (by_height, np.digitize(true, bins)),
        # Where there is no prediction, there is no bin.
        ([PREDICTED + name for name in by_height], np.where(np.isfinite(predicted), np.digitize(predicted, bins), -1)),
    )
    intervals: dict[str, dict[str, tuple[float, ...]]] = {}
    for level, (lower, upper) in bounds.items():
        intervals[level] = {}
        for groups, indices in groupings:
            rows = interval_sums(true, lower, upper, indices, len(groups))
            intervals[level] |= {name: tuple(row) for name, row in zip(groups, rows.tolist(), strict=True)}
    retention = () if deviation is None else _tables(retention_sums(predicted - true, deviation))
    return UncertaintySums(intervals=intervals, height_retention=retention)


def pooled_uncertainty(
    tiles: Mapping[str, UncertaintySums], label_weights: Mapping[str, float], height_weights: Mapping[str, float]
) -> UncertaintySums:
    """Return the sums over tiles, whose pixels and cells weigh by area."""
    total = UncertaintySums()
    for name, sums in tiles.items():
        total = total.plus(sums, label_weights.get(name, 1.0), height_weights.get(name, 1.0))
    return total


def uncertainty_scores(sums: UncertaintySums) -> list[Score]:
    """Return group, name and value of each score; those without a value are left out.

    ``ECE``, ``ECE before calibration``, ``AUSE of classes``, ``AUSE, MAE``, ``AUSE, RMSE``; per level and group
    ``coverage 90 %``, ``width 90 %``.
    """
    return [entry for entry in _scores(sums) if np.isfinite(entry[2])]


def _scores(sums: UncertaintySums) -> Iterator[Score]:
    if sums.reliability:
        yield OVERALL, "ECE", float(calibration_error(np.array(sums.reliability)))
    if sums.reliability_before:
        yield OVERALL, "ECE before calibration", float(calibration_error(np.array(sums.reliability_before)))
    if sums.class_retention:
        yield OVERALL, "AUSE of classes", sparsification_error(np.array(sums.class_retention), "MAE")
    if sums.height_retention:
        for score in ("MAE", "RMSE"):
            yield OVERALL, f"AUSE, {score}", sparsification_error(np.array(sums.height_retention), score)
    for level, groups in sums.intervals.items():
        for group, row in groups.items():
            for score, value in coverage_scores(np.array(row)).items():
                yield group, f"{score} {level}", float(value)


def _added(first: object, second: object, weight: float) -> NDArray[np.float64]:
    """Return first + weight * second; an empty one counts as zeros."""
    augend, addend = np.array(first, dtype=np.float64), np.array(second, dtype=np.float64)
    if not addend.size:
        return augend
    return weight * addend if not augend.size else augend + weight * addend


def _rows(table: NDArray[np.float64]) -> Rows:
    return tuple(tuple(row) for row in table.tolist())


def _tables(tables: Iterable[NDArray[np.float64]]) -> tuple[Rows, ...]:
    return tuple(_rows(table) for table in tables)
