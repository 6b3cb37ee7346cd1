"""Plan of a region: the grid that its images give, their places on it, and its sheets."""

import hashlib
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import shapely
from affine import Affine
from rasterio.warp import transform_bounds
from rasterio.windows import Window

from mtlaerial.errors import DataError, MismatchError
from mtlaerial.prediction.image_match import MatchingImage, match_image
from mtlaerial.prediction.image_options import ImageOptions
from mtlaerial.prediction.opened_image import open_file
from mtlaerial.prediction.prediction_area import Area, OutsideArea, area_on, in_projection
from mtlaerial.rasters.grid import Grid
from mtlaerial.rasters.projection import crs_name, horizontal_projection
from mtlaerial.rasters.resampled_grid import outer_bounds
from mtlaerial.rasters.sparse import require_all_parts
from mtlaerial.regions.mosaic import Span
from mtlaerial.regions.placed_images import is_aligned
from mtlaerial.regions.region import Region, RegionImage, bounding_span, file_version
from mtlaerial.regions.sheets import Sheet, sheets_of
from mtlaerial.runs.run import RunDescription
from mtlaerial.system.progress import track

log = logging.getLogger(__name__)
_MOST_WARNINGS = 5
"""Warnings on images that are logged."""


def plan_region(
    paths: Sequence[Path],
    description: RunDescription,
    side: int,
    options: ImageOptions | None = None,
    plan_id: str = "",
    earlier: Region | None = None,
) -> Region:
    """Return the region of some images, in the pixels of the first one.

    Parameters
    ----------
    paths : sequence of Path
        Images in the order by which overlaps are resolved: the first valid one counts.
    description : RunDescription
        The run that is to map them.
    side : int
        Side of a sheet in pixels.
    options : ImageOptions, optional
        How images are made to match; its area is the only part that is mapped.
    plan_id : str
        Hash of what the plan depends on.
    earlier : Region, optional
        An earlier plan; its images are not read again where file, run and options are the same.

    Raises
    ------
    MismatchError
        When an image does not match the run, or has other pixels than the first one and may not be resampled; or when
        none has a part of the area.
    DataError
        When an image cannot be read, or has no CRS.
    """
    options = options or ImageOptions()
    match_id = _match_id(description, options)
    known = {image.path: image for image in earlier.images} if earlier and earlier.match_id == match_id else {}
    images = list(_matching(paths, description, options, known))
    if not images:
        expected = "an area that overlaps an image"
        raise MismatchError(options.area.path if options.area else "images", "no image", expected, "Check both.")
    first = images[0].predicted_grid
    spans = [_span(image, first, options.resample) for image in images]
    whole = bounding_span(spans)
    grid = first.window(*whole)
    placed = []
    for image, span in zip(images, spans, strict=True):
        place = Span(span.row - whole.row, span.column - whole.column, span.rows, span.columns)
        placed.append(RegionImage(image.path, image.grid, image.bands or (), place, *file_version(image.path)))
    area = None if options.area is None else _area_on(options.area, grid)
    sheets = _sheets(placed, side, grid, area)
    return Region(grid, side, tuple(placed), sheets, area, options.stated_range, plan_id, match_id)


def _match_id(description: RunDescription, options: ImageOptions) -> str:
    """Return a hash of what decides whether an image matches, besides the area."""
    bands = None if options.bands is None else list(options.bands)
    values = [description.sha256, bands, options.resample, options.stated_range]
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()


def _matching(
    paths: Sequence[Path], description: RunDescription, options: ImageOptions, known: Mapping[Path, RegionImage]
) -> Iterator[MatchingImage]:
    """Yield the images that have a part of the area; say how many have none."""
    outside, warnings = 0, _Warnings()
    grid: Grid | None = None
    for path in track(paths, len(paths), "reading images", "image"):
        try:
            image = _known_image(known.get(path), options) if grid else None
            if image is None:
                image = _read_image(path, description, options, warnings)
        except OutsideArea:
            outside += 1
            continue
        grid = grid or image.predicted_grid
        yield image
    if outside:
        log.info("%d of %d images have nothing of the area and are left out", outside, len(paths))
    warnings.close()


class _Warnings:
    """Warnings on images, of which the first few are logged and the others counted."""

    def __init__(self) -> None:
        self.count = 0

    def add(self, text: str) -> None:
        """Add one."""
        self.count += 1
        if self.count <= _MOST_WARNINGS:
            log.warning(text)

    def close(self) -> None:
        """Log how many were not logged."""
        if self.count > _MOST_WARNINGS:
            log.warning("%d more warnings on images are not shown", self.count - _MOST_WARNINGS)


def _read_image(path: Path, description: RunDescription, options: ImageOptions, warnings: _Warnings) -> MatchingImage:
    """Return an image that matches and has all its parts."""
    image = match_image(path, description, options, warnings.add)
    if image.grid.crs is None:
        raise DataError(path, "no CRS", "images with a CRS, which have a place in a region", "Map it alone.")
    with open_file(image, description.statistics) as bands:
        require_all_parts(bands, Window(0, 0, image.grid.width, image.grid.height))
    return image


def _known_image(image: RegionImage | None, options: ImageOptions) -> MatchingImage | None:
    """Return an image of an earlier plan without reading it; None where its file is another one."""
    try:
        if image is None or image.version != file_version(image.path):
            return None
    except OSError:
        return None  # reading tells why
    area = None if options.area is None else area_on(options.area, image.path, image.grid)
    return MatchingImage(image.path, image.grid, image.bands, area=area, options=options)


def _span(image: MatchingImage, first: Grid, resample: bool) -> Span:
    """Return the pixels of an image, counted from the first pixel of the first image."""
    if is_aligned(image.grid, first):
        # Not the pixels that it covers: what rounding adds to its extent would be one more, beyond the file.
        to_first = image.grid.to(first)
        return Span(round(to_first.f), round(to_first.c), image.grid.height, image.grid.width)
    if resample:
        return Span(*first.covering(_outline_in(image.grid, first)))
    observed = f"pixels of {image.grid.pixel_size[1]:.6g} in {crs_name(image.grid.crs)}"
    if image.grid.crs == first.crs and image.grid.pixel_size == first.pixel_size:
        observed += ", which lie between those of the first image"
    expected = f"pixels of the first image's grid, {first.pixel_size[1]:.6g} in {crs_name(first.crs)}"
    raise MismatchError(image.path, observed, expected, "Resample it as it is read: map.resample: true")


def _outline_in(image: Grid, region: Grid) -> Grid:
    """Return a grid of one pixel over the bounds of an image in the CRS of a region."""
    west, south, east, north = outer_bounds(image)
    if image.crs != region.crs:
        west, south, east, north = transform_bounds(image.crs, region.crs, west, south, east, north)
    return Grid(region.crs, Affine(east - west, 0, west, 0, south - north, north), 1, 1)


def _area_on(area: Area, grid: Grid) -> object:
    if area.projection is None or grid.crs is None:
        return area.shape
    return in_projection(area.shape, area.projection, horizontal_projection(grid.crs.to_wkt()))


def _sheets(images: Sequence[RegionImage], side: int, grid: Grid, area: object) -> tuple[Sheet, ...]:
    """Return the sheets that have an image and a part of the area."""
    sheets = {sheet for image in images for sheet in sheets_of(image.span, side)}
    if area is None:
        return tuple(sorted(sheets))
    shapely.prepare(area)
    return tuple(sheet for sheet in sorted(sheets) if shapely.intersects(area, _outline(sheet, side, grid)))


def _outline(sheet: Sheet, side: int, grid: Grid) -> object:
    span = sheet.span(side, grid.height, grid.width)
    return shapely.box(*grid.window(*span).bounds)
