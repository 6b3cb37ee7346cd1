"""Assessment of a map by labelled check points."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mtlaerial.accuracy.class_map import ClassMap
from mtlaerial.accuracy.estimators import MapAccuracy, estimate_accuracy
from mtlaerial.accuracy.height_errors import HeightErrors, estimate_height_errors
from mtlaerial.accuracy.map_values import heights_at, values_at
from mtlaerial.accuracy.points import MAP_CLASS, REFERENCE, REFERENCE_HEIGHT, LabelledPoints, read_points
from mtlaerial.config import IGNORED
from mtlaerial.errors import DataError
from mtlaerial.rasters.geotiff import open_raster

FEWEST = 2
"""Points of a stratum that a variance can be estimated from."""


@dataclass(frozen=True)
class Assessment:
    """Accuracy of a map by its check points.

    Attributes
    ----------
    names : tuple of str
        Classes, in the order of the estimates.
    level : float
        Level of the intervals, as a fraction.
    accuracy : MapAccuracy
        Areas in m².
    heights : HeightErrors or None
        None where no point has a surveyed height.
    notes : tuple of str
        Sentences on points that were left out and on limits of the estimates.
    """

    names: tuple[str, ...]
    level: float
    accuracy: MapAccuracy
    heights: HeightErrors | None
    notes: tuple[str, ...]


def assess_points(maps: Path, path: Path, level: float) -> Assessment:
    """Estimate areas, accuracies and height errors of a map from the labels of its check points.

    Parameters
    ----------
    maps : Path
        Folder of the maps that the points were drawn from.
    path : Path
        The points, with the labels of people.
    level : float
        Level of the intervals, 0 to 1.

    Raises
    ------
    UserError
        When map and points do not belong together, or a stratum has fewer than two labelled points.
    """
    class_map = ClassMap.of(maps)
    counts = class_map.count()
    points = read_points(path, class_map, class_map.identity(counts))
    strata = _strata(path, class_map, points)
    labelled = points.references >= 0
    matrix = np.zeros((len(counts), len(counts)), dtype=np.int64)
    np.add.at(matrix, (strata[labelled], points.references[labelled]), 1)
    _require_labels(path, class_map.names, counts, matrix)
    areas = counts.astype(np.float64) * class_map.pixel_area
    complete = matrix.sum(axis=1) == counts
    accuracy = estimate_accuracy(matrix, areas, complete)
    heights, height_notes = _height_errors(maps, class_map, points, strata, areas, level)
    notes = (
        *_deletion_notes(class_map.names, points, strata),
        *_label_notes(labelled),
        *_precision_notes(class_map.names, accuracy, complete),
        *height_notes,
    )
    return Assessment(class_map.names, level, accuracy, heights, notes)


def _strata(path: Path, class_map: ClassMap, points: LabelledPoints) -> NDArray[np.int64]:
    """Return the mapped class of each point."""
    with open_raster(class_map.path) as source:
        codes = values_at(source, points.rows, points.columns).astype(np.int64)
    expected = f"points of {class_map.path}"
    if (codes == IGNORED).any():
        raise DataError(
            path, f"{(codes == IGNORED).sum()} points without a class", expected, "Draw points of this map."
        )
    if points.mapped is not None:
        different = np.array(class_map.names, dtype=object)[codes] != points.mapped
        if different.any():
            observed = f"{different.sum()} points with another {MAP_CLASS} than that map"
            raise DataError(path, observed, expected, f"Restore the column {MAP_CLASS}; labels go to {REFERENCE}.")
    return codes


def _require_labels(path: Path, names: tuple[str, ...], counts: NDArray[np.int64], matrix: NDArray[np.int64]) -> None:
    labelled = matrix.sum(axis=1)
    few = [
        f"{name} ({number})"
        for name, number, count in zip(names, labelled, counts, strict=True)
        if number < min(FEWEST, count)
    ]
    if few:
        observed = f"labels of {labelled.sum()} points, and fewer than {FEWEST} where the map says {', '.join(few)}"
        expected = f"at least {FEWEST} labelled points of each mapped class"
        raise DataError(path, observed, expected, f"Fill in the column {REFERENCE} of more points.")


def _deletion_notes(names: tuple[str, ...], points: LabelledPoints, strata: NDArray[np.int64]) -> list[str]:
    """Return a sentence on points that were drawn and are no longer in the file."""
    if points.drawn is None:
        missing, of_classes = points.largest_id - len(strata), ""
    else:
        lost = points.drawn - np.bincount(strata, minlength=len(names))
        missing = int(lost.sum())
        of_classes = f" ({', '.join(f'{name} {number}' for name, number in zip(names, lost, strict=True) if number)})"
    if missing <= 0:
        return []
    return [
        f"{missing} points that were drawn are not in the file{of_classes}: the estimates are biased if what a point "
        "shows decided on its deletion."
    ]


def _label_notes(labelled: NDArray[np.bool_]) -> list[str]:
    missing = int((~labelled).sum())
    if not missing:
        return []
    return [
        f"{missing} of {len(labelled)} points have no reference class and are left out: the estimates hold if it is by "
        "chance which, not if they were hard to tell."
    ]


def _precision_notes(names: tuple[str, ...], accuracy: MapAccuracy, complete: NDArray[np.bool_]) -> list[str]:
    """Return a sentence on classes whose points are all right or all wrong, so that their standard error is 0.

    Where every pixel has a point that is no limit: nothing else of the class may differ.
    """
    points, users = accuracy.counts.sum(axis=1), accuracy.users.values
    uniform = [
        f"{name} ({number} points)"
        for name, number, value, whole in zip(names, points, users, complete, strict=True)
        if value in (0, 1) and not whole
    ]
    if not uniform:
        return []
    return [
        f"All points of {', '.join(uniform)} are alike, right or wrong: the standard error of 0 is that of the sample. "
        "With n such points up to 3/n of the class may differ (95 %)."
    ]


def _height_errors(
    maps: Path,
    class_map: ClassMap,
    points: LabelledPoints,
    strata: NDArray[np.int64],
    areas: NDArray[np.float64],
    level: float,
) -> tuple[HeightErrors | None, list[str]]:
    """Return the height errors at surveyed points, and sentences on points and classes that are left out."""
    surveyed = ~np.isnan(points.heights)
    if not surveyed.any():
        return None, [f"No height errors: no point has a {REFERENCE_HEIGHT}."]
    mapped = heights_at(maps, class_map.grid, points.rows, points.columns)
    both = surveyed & ~np.isnan(mapped)
    numbers = np.bincount(strata[both], minlength=len(areas))
    used = both & (numbers[strata] >= FEWEST)
    notes = []
    if (surveyed & ~both).any():
        notes.append(f"{(surveyed & ~both).sum()} surveyed points have no mapped height and are left out.")
    few = (areas > 0) & (numbers < FEWEST)
    if few.any():
        absent, share = np.array(class_map.names)[few], areas[few].sum() / areas.sum()
        notes.append(
            f"Height errors are not those of {', '.join(absent)}, {100 * share:.1f} % of the mapped area, which have "
            f"fewer than {FEWEST} points with a surveyed and a mapped height."
        )
    if not used.any():
        return None, notes
    errors = mapped[used] - points.heights[used]
    return estimate_height_errors(errors, strata[used], areas, level), notes
