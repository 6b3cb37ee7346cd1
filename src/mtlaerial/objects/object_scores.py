"""Sums of the scores of objects: detection, overlap, rotation and height, over all and by size and height."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from mtlaerial.config.height_bins import bin_names
from mtlaerial.config.scoring import ScoringSpec
from mtlaerial.objects.matching import Matches, Polygons, match_objects, rotation_errors
from mtlaerial.objects.object_set import ObjectSet
from mtlaerial.scoring.object_sums import OVERALL, Groups, ObjectSums

SIZE_EDGES = (50.0, 100.0, 200.0, 500.0, 1000.0)
"""Inner edges of the bins of sizes in m²."""
Mask = NDArray[np.bool_]
Bins = NDArray[np.int64]


@dataclass(frozen=True)
class ScoredObjects:
    """Sums over predicted and true objects, and over groups of them: sizes by area, heights by height."""

    overall: ObjectSums
    by_size: Groups
    by_height: Groups
    notes: tuple[str, ...]

    @property
    def groups(self) -> Groups:
        """All objects, and the groups that have any."""
        groups = {**self.by_size, **self.by_height}
        return {OVERALL: self.overall, **{name: sums for name, sums in groups.items() if sums.predicted or sums.true}}


def score_objects(predicted: ObjectSet, true: ObjectSet, within: Polygons | None = None) -> ScoredObjects:
    """Score predicted objects by true ones.

    Parameters
    ----------
    predicted, true : ObjectSet
        In one CRS.
    within : array of shapely polygons, optional
        The area that was mapped and has truth: objects whose inner point is outside do not count, but may be matched.

    Notes
    -----
    A predicted object is in the group of its own size or height, a true one in that of its own, and a match in that of
    the true one.
    """
    counted = _inside(predicted.polygons, within), _inside(true.polygons, within)
    comparison = _Comparison(predicted, true, match_objects(predicted.polygons, true.polygons))
    edges = ScoringSpec().height_bins

    def grouped(bins: tuple[Bins, Bins], names: Sequence[str]) -> Groups:
        masks = [
            [mask & (each == index) for mask, each in zip(counted, bins, strict=True)] for index in range(len(names))
        ]
        return {name: comparison.sums(*pair) for name, pair in zip(names, masks, strict=True)}

    return ScoredObjects(
        comparison.sums(*counted),
        grouped((_bins(predicted.areas, SIZE_EDGES), _bins(true.areas, SIZE_EDGES)), _size_names()),
        grouped((_bins(predicted.heights, edges), _bins(true.heights, edges)), bin_names(edges)),
        (*predicted.notes, *true.notes, *_outside_notes(predicted, true, within)),
    )


class _Comparison:
    """Matched objects and their errors, indexed by the true object."""

    def __init__(self, predicted: ObjectSet, true: ObjectSet, matches: Matches) -> None:
        self._matched = np.zeros(len(predicted), dtype=bool), np.zeros(len(true), dtype=bool)
        self._matched[0][matches.predicted], self._matched[1][matches.true] = True, True
        rotation = rotation_errors(predicted.polygons[matches.predicted], true.polygons[matches.true])
        heights = true.heights[matches.true]
        errors = predicted.heights[matches.predicted] - heights
        lower, upper = predicted.lower[matches.predicted], predicted.upper[matches.predicted]
        covered = np.where(np.isnan(lower + upper + heights), np.nan, (lower <= heights) & (heights <= upper))
        self._values = {
            name: _scattered(values, matches.true, len(true))
            for name, values in (
                ("iou", matches.iou),
                ("rotation", rotation),
                ("errors", errors),
                ("covered", covered),
            )
        }

    def sums(self, predicted: Mask, true: Mask) -> ObjectSums:
        """Return the sums over some predicted and some true objects."""
        values = {name: _there(each[true]) for name, each in self._values.items()}
        return ObjectSums(
            predicted=int(predicted.sum()),
            true=int(true.sum()),
            matched_predicted=int(self._matched[0][predicted].sum()),
            matched_true=int(self._matched[1][true].sum()),
            iou_sum=float(values["iou"].sum()),
            rotation_sum=float(values["rotation"].sum()),
            heights=len(values["errors"]),
            error_sum=float(values["errors"].sum()),
            absolute_error_sum=float(abs(values["errors"]).sum()),
            intervals=len(values["covered"]),
            within=int(values["covered"].sum()),
        )


def _scattered(values: NDArray[np.float64], indices: NDArray[np.int64], number: int) -> NDArray[np.float64]:
    scattered = np.full(number, np.nan)
    scattered[indices] = values
    return scattered


def _there(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the values that are not NaN."""
    return values[~np.isnan(values)]


def _inside(polygons: Polygons, within: Polygons | None) -> Mask:
    if within is None:
        return np.ones(len(polygons), dtype=bool)
    inside: Mask = shapely.intersects(shapely.point_on_surface(polygons), shapely.union_all(within))
    return inside


def _outside_notes(predicted: ObjectSet, true: ObjectSet, within: Polygons | None) -> list[str]:
    """Return a sentence on true objects beyond the predicted ones, where nothing says what was mapped."""
    if within is not None or not len(predicted):
        return []
    mapped = shapely.box(*shapely.total_bounds(predicted.polygons))
    beyond = int((~shapely.intersects(true.polygons, mapped)).sum())
    if not beyond:
        return []
    return [
        f"{beyond} true objects lie beyond all predicted ones and count as missed: if that place was not mapped, give "
        "the mapped area with --within."
    ]


def _bins(values: NDArray[np.float64], edges: Sequence[float]) -> Bins:
    """Return the bin of each value; -1 of NaN."""
    return np.where(np.isnan(values), -1, np.digitize(values, edges))


def _size_names() -> list[str]:
    return [name.replace(" m", " m²") for name in bin_names(SIZE_EDGES)]
