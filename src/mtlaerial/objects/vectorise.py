"""From maps to a file of objects."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import rasterio

from mtlaerial.calibration.record import ObjectCalibration
from mtlaerial.config.consistency import ConsistencyRule
from mtlaerial.config.faults import did_you_mean
from mtlaerial.config.objects import ObjectsSpec
from mtlaerial.errors import ConfigError
from mtlaerial.objects.files import require_writable, write_objects
from mtlaerial.objects.frame import ground_scale, object_values
from mtlaerial.objects.ground import ground_under
from mtlaerial.objects.interval import HeightBounds
from mtlaerial.objects.notes import empty_columns, metadata_of, region_notes, summary
from mtlaerial.objects.object_store import ObjectStore
from mtlaerial.objects.region import Region, read_region
from mtlaerial.objects.regularise import regularise, require_regulariser
from mtlaerial.objects.search import Objects, ObjectSearch
from mtlaerial.objects.strip_reader import BLOCK_PIXELS, StripReader
from mtlaerial.rasters.ground_size import ground_cell_area
from mtlaerial.rasters.projection import horizontal_code
from mtlaerial.system.files import remove_leftovers
from mtlaerial.system.progress import Progress

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

log = logging.getLogger(__name__)
_SMALLEST_CACHE = 128 * 2**20
"""Least size of GDAL's block cache in bytes."""
_OPEN_SHEETS = 450
"""Sheets of a region that GDAL keeps open."""
_CACHED_ROW = 512 * (1 + 4)
"""Bytes of a column of a row of tiles: classes, and heights of at most four bytes."""


def vectorise(
    maps: Sequence[Path],
    out: Path,
    spec: ObjectsSpec,
    rules: Mapping[str, ConsistencyRule] | None = None,
    ground: Path | None = None,
    replace: bool = False,
    calibration: Mapping[str, ObjectCalibration] | None = None,
    block: int = BLOCK_PIXELS,
) -> int:
    """Write the objects of maps as polygons with heights, and return their number.

    Parameters
    ----------
    maps : sequence of Path
        Folders that a prediction wrote, on one grid; where they overlap, the first one counts.
    out : Path
        The file; its suffix is that of a format of :mod:`mtlaerial.objects.files`.
    spec : ObjectsSpec
    rules : mapping of class to ConsistencyRule, optional
        Rules between tasks, whose violations are counted.
    ground : Path, optional
        Ground model (DTM) in metres, on which a city model stands.
    replace : bool
        Replace an existing file.
    calibration : mapping of class to ObjectCalibration, optional
        Of the run that made the maps: gives the bounds of objects' heights.
    block : int
        Pixels of a strip, at most. The file does not depend on it.

    Returns
    -------
    int
        Number of objects, those that a city model leaves out included.

    Raises
    ------
    UserError
        When maps do not fit together or have no CRS in metres, for unknown classes, an existing file, a missing
        package, and where the file cannot be written.
    """
    require_writable(out, ground, replace)
    if spec.regularise:
        require_regulariser()
    region = read_region(maps)
    codes = class_codes("classes", spec.classes, region)
    class_codes("consistency", tuple(rules or ()), region)
    for note in region_notes(region):
        log.warning("%s", note)
    bounds = None if calibration is None else HeightBounds(calibration, spec.classes, spec.min_area)
    crs = horizontal_code(region.grid.crs)
    with ground_under(ground, crs):  # is refused before the search where it does not fit
        remove_leftovers(out.parent)
    with ObjectStore(crs, out) as store:
        left_out = store_objects(region, codes, spec, rules or {}, store, bounds, block)
        kept_outlines = regularise(store, region.grid) if spec.regularise else None
        counts = store.counts()
        notes = [*summary(counts, spec, left_out, kept_outlines), *empty_columns(region, bool(rules))]
        if bounds is None:
            notes.append("height_lower and height_upper are empty: no calibrated run is given.")
        else:
            notes += bounds.notes([name for name in spec.classes if counts.get(name)])
        notes += write_objects(store, region.grid, out, metadata_of(region, spec, notes), ground)
    for note in notes:
        log.info("%s", note)
    return sum(counts.values())


def find_objects(
    region: Region,
    codes: Sequence[int],
    spec: ObjectsSpec,
    rules: Mapping[str, ConsistencyRule],
    block: int = BLOCK_PIXELS,
) -> tuple["GeoDataFrame", int]:
    """Return the table of a region's objects in memory, and how many are left out; see :func:`store_objects`."""
    with ObjectStore(horizontal_code(region.grid.crs)) as store:
        left_out = store_objects(region, codes, spec, rules, store, block=block)
        return store.frame(), left_out


def store_objects(
    region: Region,
    codes: Sequence[int],
    spec: ObjectsSpec,
    rules: Mapping[str, ConsistencyRule],
    store: ObjectStore,
    bounds: HeightBounds | None = None,
    block: int = BLOCK_PIXELS,
) -> int:
    """Store a region's objects, and return how many are left out as too small.

    Parameters
    ----------
    region : Region
    codes : sequence of int
        Codes of the classes.
    spec : ObjectsSpec
    rules : mapping of class to ConsistencyRule
    store : ObjectStore
        Takes the objects.
    bounds : HeightBounds, optional
        Gives the bounds of their heights.
    block : int
        Pixels of a strip, at most. No result depends on it.
    """
    cell, scale = ground_cell_area(region.grid), ground_scale(region.grid)
    # Quotients such as 10 / 0.1 exceed the whole number that they should be by rounding.
    smallest, smallest_hole = (round(area / cell, 6) for area in (spec.min_area, spec.min_hole))
    search = ObjectSearch(region.grid.width, codes, region.grid.transform, smallest, smallest_hole)
    # Strips of wide maps have fewer rows than a tile, which each would decode anew without a whole row in the cache.
    cache = max(_SMALLEST_CACHE, _CACHED_ROW * region.grid.width)
    options = {"GDAL_CACHEMAX": cache, "GDAL_MAX_DATASET_POOL_SIZE": _OPEN_SHEETS}
    with rasterio.Env(**options), StripReader(region, rules, block) as reader:
        for objects in _found(search, reader):
            values = object_values(objects, region.classes, scale)
            if bounds:
                values |= bounds.columns(values["class"], values["height_median"])
            store.add(objects.tallies.first, objects.polygons, values)
    return search.left_out


def _found(search: ObjectSearch, reader: StripReader) -> Iterator[Objects]:
    """Yield the objects of each strip."""
    height = reader.region.grid.height
    bar = Progress(height, "vectorising", "row")
    for strip in reader.read():
        yield search.add(strip, last=strip.row + len(strip.codes) == height)
        bar.update(len(strip.codes))
    bar.close()


def class_codes(key: str, names: Sequence[str], region: Region) -> list[int]:
    """Return the codes of classes that a key names.

    Raises
    ------
    ConfigError
        When the maps have no such class.
    """
    for name in names:
        if name not in region.classes:
            remedy = did_you_mean(name, region.classes, "Choose some of them.")
            raise ConfigError(key, repr(name), f"classes of the maps: {', '.join(region.classes)}", remedy)
    return [region.classes.index(name) for name in names]
