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
from mtlaerial.objects.frame import objects_frame
from mtlaerial.objects.interval import with_bounds
from mtlaerial.objects.notes import empty_columns, metadata_of, region_notes, summary
from mtlaerial.objects.region import Region, read_region
from mtlaerial.objects.regularise import regularise, require_regulariser
from mtlaerial.objects.search import Objects, ObjectSearch
from mtlaerial.objects.strip_reader import BLOCK_PIXELS, StripReader
from mtlaerial.rasters.ground_size import ground_cell_area
from mtlaerial.system.progress import Progress

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

log = logging.getLogger(__name__)
CACHE = {"GDAL_CACHEMAX": 128 * 2**20}
"""GDAL's block cache in bytes: a row of tiles of maps of 45,000 columns."""


def vectorise(
    maps: Sequence[Path],
    out: Path,
    spec: ObjectsSpec,
    rules: Mapping[str, ConsistencyRule] | None = None,
    ground: Path | None = None,
    replace: bool = False,
    calibration: Mapping[str, ObjectCalibration] | None = None,
) -> "GeoDataFrame":
    """Write the objects of maps as polygons with heights, and return their table.

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

    Returns
    -------
    GeoDataFrame
        The columns of :mod:`mtlaerial.objects.columns`.

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
    frame, left_out = find_objects(region, codes, spec, rules or {})
    kept_outlines = None
    if spec.regularise:
        frame, kept_outlines = regularise(frame, region.grid)
    notes = [*summary(frame, spec, left_out, kept_outlines), *empty_columns(region, bool(rules))]
    if calibration is None:
        notes.append("height_lower and height_upper are empty: no calibrated run is given.")
    else:
        frame, interval_notes = with_bounds(frame, calibration, spec.min_area)
        notes += interval_notes
    notes += write_objects(frame, out, metadata_of(region, spec, notes), ground)
    for note in notes:
        log.info("%s", note)
    return frame


def find_objects(
    region: Region,
    codes: Sequence[int],
    spec: ObjectsSpec,
    rules: Mapping[str, ConsistencyRule],
    block: int = BLOCK_PIXELS,
) -> tuple["GeoDataFrame", int]:
    """Return the table of a region's objects, and how many are left out as too small.

    Parameters
    ----------
    region : Region
    codes : sequence of int
        Codes of the classes.
    spec : ObjectsSpec
    rules : mapping of class to ConsistencyRule
    block : int
        Pixels of a strip, at most. No result depends on it.
    """
    cell = ground_cell_area(region.grid)
    # Quotients such as 10 / 0.1 exceed the whole number that they should be by rounding.
    smallest, smallest_hole = (round(area / cell, 6) for area in (spec.min_area, spec.min_hole))
    search = ObjectSearch(region.grid.width, codes, region.grid.transform, smallest, smallest_hole)
    with rasterio.Env(**CACHE), StripReader(region, rules, block) as reader:
        parts = list(_found(search, reader))
    frame = objects_frame(parts, region.classes, region.grid)
    return frame, search.left_out


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
