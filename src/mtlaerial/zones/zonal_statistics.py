"""Zonal statistics: from maps and a layer of polygons to a file."""

import logging
from collections.abc import Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import shapely
from numpy.typing import NDArray

from mtlaerial.errors import ConfigError
from mtlaerial.maps.map_folder import MapFolder, read_folder
from mtlaerial.objects.region import projection_of
from mtlaerial.rasters.metric_crs import require_metric_crs
from mtlaerial.system.process_pool import results_in_processes
from mtlaerial.system.progress import Progress
from mtlaerial.version import __version__
from mtlaerial.zones.files import require_writable, write_zones
from mtlaerial.zones.object_counts import count_objects
from mtlaerial.zones.object_origin import other_origin
from mtlaerial.zones.polygon_layer import read_polygons
from mtlaerial.zones.table import class_columns, height_columns, joined, notes_on, object_columns

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from mtlaerial.zones.map_sums import MapSums

log = logging.getLogger(__name__)
PACKAGE = "exactextract"
_BATCH = 10_000
"""Polygons that a process takes at once, at most; it opens the maps for them."""


def require_exactextract(key: str) -> None:
    """Require the package that sums up the pixels of polygons.

    Raises
    ------
    ConfigError
        When it is not installed.
    """
    if find_spec(PACKAGE) is None:
        remedy = "Install it with: pip install 'mtlaerial[objects]'"
        raise ConfigError(key, f"no package {PACKAGE}", "it to be installed", remedy)


def write_zonal_statistics(
    maps: Path,
    polygons: Path,
    outs: Sequence[Path],
    objects: Path | None = None,
    jobs: int = 1,
    replace: bool = False,
) -> "GeoDataFrame":
    """Write a layer of polygons with classes and heights of maps in each, and return the table.

    Parameters
    ----------
    maps : Path
        Folder that a prediction or the mapping of a region wrote, in a CRS with metres.
    polygons : Path
        Vector file of polygons in any CRS; their attributes are kept.
    outs : sequence of Path
        Files, in formats of :mod:`mtlaerial.zones.files`.
    objects : Path, optional
        GeoPackage of the objects of the maps, which are counted; those of another run or image with a warning.
    jobs : int
        Number of processes.
    replace : bool
        Replace existing files.

    Returns
    -------
    GeoDataFrame
        In the order and the CRS of the layer, with columns ``map_area`` (m²), ``map_no_data`` (share of the area),
        ``map_area_CLASS`` (m²), ``map_height_mean``, ``map_height_median``, ``map_height_p90``, ``map_height_max``
        (metres; NaN without heights) and ``map_objects_CLASS``.

    Raises
    ------
    UserError
        When maps, polygons or objects cannot be used, the layer has columns of these names, for an existing file, a
        missing package, and where a file cannot be written.
    """
    require_exactextract("mtlaerial zones")
    require_writable(outs, replace)
    folder = read_folder(maps)
    require_metric_crs(folder.class_map, folder.grid)
    layer = read_polygons(polygons)
    projection = projection_of(folder.grid)
    assert projection is not None  # maps in metres have one
    shapes = layer.on(projection)
    warnings = [] if objects is None else other_origin(objects, folder.origin)
    for warning in warnings:
        log.warning("%s", warning)
    sums = _map_sums(folder, shapes, jobs)
    columns = {**class_columns(folder, layer, shapes, sums), **height_columns(sums)}
    if objects is not None:
        columns |= object_columns(count_objects(objects, shapes, projection, folder.grid.pixel_size[0]))
    frame = joined(layer, columns)
    notes = notes_on(folder, layer, frame)
    text = " ".join([*notes, *warnings])
    metadata = {"MTLAERIAL": __version__, **folder.origin, "POLYGONS": polygons.name, "NOTES": text}
    for out in outs:
        write_zones(frame, out, metadata, columns)
    for note in notes:
        log.info("%s", note)
    return frame


def _map_sums(folder: MapFolder, shapes: NDArray[np.object_], jobs: int) -> "MapSums":
    """Return classes and heights of polygons; no class and no height for those outside of the maps."""
    from mtlaerial.zones.map_sums import Batch, MapSums, sum_batch

    sums = MapSums.empty(len(shapes), len(folder.classes))
    ordered = _neighbours(folder, shapes)
    size = min(_BATCH, max(1, -(-len(ordered) // (4 * jobs))))
    parts = (ordered[first : first + size] for first in range(0, len(ordered), size))
    batches = [Batch(numbers, shapely.to_wkb(shapes[numbers]).tolist()) for numbers in parts]
    bar = Progress(len(ordered), "summing up", "polygon")
    for batch, result in results_in_processes(partial(sum_batch, folder), batches, jobs):
        sums.cells[batch.numbers] = result.cells
        sums.heights[batch.numbers] = result.heights
        bar.update(len(batch.numbers))
    bar.close()
    return sums


def _neighbours(folder: MapFolder, shapes: NDArray[np.object_]) -> NDArray[np.intp]:
    """Return the numbers of the polygons that reach the maps, along a curve that fills the plane."""
    from geopandas import GeoSeries

    reaching = np.flatnonzero(shapely.intersects(shapes, shapely.box(*folder.grid.bounds)))
    places = GeoSeries(shapes[reaching]).hilbert_distance(total_bounds=folder.grid.bounds)
    return reaching[np.argsort(places.to_numpy(), kind="stable")]
