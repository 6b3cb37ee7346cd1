"""Check points of a map: a stratified random sample whose strata are the mapped classes."""

import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mtlaerial.accuracy.allocation import allocate, allocate_for_error, expected_error
from mtlaerial.accuracy.class_map import ClassMap
from mtlaerial.accuracy.drawing import draw_pixels
from mtlaerial.accuracy.points import point_table
from mtlaerial.datasets.geopackage import require_geopackage, write_geopackage
from mtlaerial.errors import ConfigError, DataError

log = logging.getLogger(__name__)
LAYER = "points"
DEFAULT_USERS = 0.9
"""User's accuracy that is expected of classes that the user says nothing of."""


def sample_points(
    maps: Path,
    out: Path,
    number: int | None,
    standard_error: float | None,
    users: Mapping[str, float],
    minimum: int,
    seed: int,
    blind: bool = False,
    replace: bool = False,
) -> dict[str, int]:
    """Draw check points of a map, and write them as a GeoPackage for people to label.

    Parameters
    ----------
    maps : Path
        Folder of the maps.
    out : Path
        The GeoPackage.
    number : int, optional
        Number of points, unless ``standard_error`` decides.
    standard_error : float, optional
        Of the overall accuracy, as a fraction; see :func:`mtlaerial.accuracy.allocation.allocate_for_error`.
    users : mapping of class to float
        Expected user's accuracies as fractions; of other classes it is ``DEFAULT_USERS``.
    minimum : int
        Least number of points of a class.
    seed : int
    blind : bool
        Leave the mapped class out of the file; :func:`mtlaerial.accuracy.assess.assess_points` reads it from the map.
    replace : bool
        Replace an existing file.

    Returns
    -------
    dict of class to int
        Number of points of each class of the map.

    Raises
    ------
    UserError
        When the maps cannot be sampled, the numbers do not fit together, or the file cannot be written.
    """
    require_geopackage(out, replace)
    _require_one_size(number, standard_error, users)
    class_map = ClassMap.of(maps)
    expected = _expected_users(class_map, users)
    counts = class_map.count()
    if not counts.any():
        raise DataError(class_map.path, "no pixel with a class", "a map of classes", "Predict another image.")
    if standard_error is not None:
        sizes = allocate_for_error(counts, expected, standard_error, minimum)
        error = expected_error(sizes, counts, expected)
        log.info("Expected standard error of the overall accuracy: %.2g", error)
    else:
        assert number is not None
        sizes = allocate(number, counts, minimum)
    _warn(class_map, counts, sizes, minimum)
    pixels = draw_pixels(class_map, counts, sizes, seed)
    write_geopackage([point_table(class_map, pixels, class_map.identity(counts), blind)], out, LAYER, "Point")
    return dict(zip(class_map.names, sizes.tolist(), strict=True))


def _require_one_size(number: int | None, standard_error: float | None, users: Mapping[str, float]) -> None:
    """Refuse two numbers of points, none, and accuracies that decide nothing."""
    if number is None and standard_error is None:
        raise ConfigError("--points", "nothing", "a number of points, or --standard-error", "For example --points 500.")
    if number is not None and standard_error is not None:
        raise ConfigError("--points", f"{number} beside --standard-error", "one of them", "Leave one out.")
    if users and standard_error is None:
        beside = f"expected accuracies beside --points {number}"
        raise ConfigError("--expected", beside, "--standard-error, which they serve", "Leave them out, or --points.")


def _expected_users(class_map: ClassMap, users: Mapping[str, float]) -> list[float]:
    for name, value in users.items():
        if name not in class_map.names:
            expected = f"one of {', '.join(class_map.names)}"
            raise ConfigError("--expected", f"the class {name!r}", expected, "Correct its name.")
        if not 0 < value < 1:
            raise ConfigError("--expected", f"{name}={value:g}", "a fraction between 0 and 1", "For example 0.85.")
    return [users.get(name, DEFAULT_USERS) for name in class_map.names]


def _warn(class_map: ClassMap, counts: NDArray[np.int64], sizes: NDArray[np.int64], minimum: int) -> None:
    """Say which classes have no points, and which have fewer than the minimum."""
    for name, count, size in zip(class_map.names, counts, sizes, strict=True):
        if count == 0:
            log.warning("%s: no points of %s, which no pixel is mapped as", class_map.path, name)
        elif size < minimum:
            log.warning("%s: %d points of %s, one on each of its pixels", class_map.path, size, name)
