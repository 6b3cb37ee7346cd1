"""Number of objects of maps within polygons."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS as Projection

from mtlaerial.datasets.vector_file import require_plain
from mtlaerial.errors import DataError

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

CLASS = "class"
"""Column of objects that names their class."""
COMMAND = "mtlaerial vectorise MAPS --out objects.gpkg"
_BATCH = 100_000
"""Objects that are in memory at once."""


def count_objects(
    path: Path, polygons: NDArray[np.object_], projection: Projection, pixel: float
) -> dict[str, NDArray[np.int64]]:
    """Return the number of objects of each class whose inner point lies within each polygon.

    Parameters
    ----------
    path : Path
        GeoPackage that :func:`mtlaerial.objects.vectorise.vectorise` wrote; it is read in parts.
    polygons : array of shapely polygons or None
    projection : CRS
        Of the polygons.
    pixel : float
        Side of a pixel of the maps, in units of the CRS.

    Raises
    ------
    DataError
        When it is no such file.
    """
    tree = shapely.STRtree(polygons)
    # Inner points may lie on edges of pixels, as borders of polygons may: shifted, each is on one side.
    shift = np.array([pixel / 1000, pixel / 1700])
    counts: dict[str, NDArray[np.int64]] = {}
    for part in _parts(path):
        points = part.geometry.to_crs(projection).force_2d().representative_point()
        inside, within = tree.query(shapely.transform(np.asarray(points), lambda xy: xy + shift), predicate="within")
        names = part[CLASS].to_numpy()[inside]
        for name in dict.fromkeys(part[CLASS]):
            of_class = np.bincount(within[names == name], minlength=len(polygons))
            counts[name] = counts.get(name, 0) + of_class
    return counts


def read_layer_info(path: Path) -> dict[str, Any]:
    """Return pyogrio's description of a layer of objects.

    Raises
    ------
    DataError
        When the file has no objects of maps.
    """
    import pyogrio

    require_plain(path)
    with _reading(path):
        info: dict[str, Any] = pyogrio.read_info(path)
    if CLASS not in info["fields"] or info["crs"] is None:
        raise DataError(path, "a layer without classes or CRS", "objects of maps", f"Make it: {COMMAND}")
    return info


def _parts(path: Path) -> "Iterator[GeoDataFrame]":
    """Yield the objects of a file in parts."""
    import pyogrio

    count = read_layer_info(path)["features"]
    with _reading(path):
        for first in range(0, count, _BATCH):
            yield pyogrio.read_dataframe(path, columns=[CLASS], skip_features=first, max_features=_BATCH)


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Name the file in pyogrio's errors."""
    from pyogrio.errors import DataLayerError, DataSourceError

    try:
        yield
    except (DataSourceError, DataLayerError) as error:
        raise DataError(path, " ".join(str(error).split()), "objects of maps", "Make it anew.") from None
