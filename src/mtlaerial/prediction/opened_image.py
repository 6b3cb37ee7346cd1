"""The open source of an image's pixels, as a run's network sees them, and that of its valid pixels on its own grid."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from rasterio.enums import Resampling

from mtlaerial.datasets.check.findings import percent
from mtlaerial.prediction.image_match import MatchingImage
from mtlaerial.prediction.prediction_area import in_projection
from mtlaerial.rasters.clipped import ClippedImage
from mtlaerial.rasters.converted import ConvertedImage
from mtlaerial.rasters.geotiff import open_raster
from mtlaerial.rasters.grid import Grid
from mtlaerial.rasters.image_source import ImageSource
from mtlaerial.rasters.projection import horizontal_projection
from mtlaerial.rasters.resampled import ResampledImage
from mtlaerial.rasters.validity import MaskedBands
from mtlaerial.tiles.statistics import Statistics

log = logging.getLogger(__name__)


@contextmanager
def open_file(image: MatchingImage, statistics: Statistics) -> Iterator[MaskedBands]:
    """Open the file of an image, and yield its bands; invalid pixels are told as in training.

    Raises
    ------
    DataError
        When it cannot be read.
    """
    with open_raster(image.path) as source:
        yield MaskedBands(source, image.bands or source.indexes, statistics.nodata)


class OpenedImage(NamedTuple):
    """An open image as the network sees it, and its conversion to the range of the training, if there is one."""

    pixels: ImageSource
    converted: ConvertedImage | None


@contextmanager
def open_image(image: MatchingImage, statistics: Statistics) -> Iterator[OpenedImage]:
    """Open an image on the grid that the network runs on, in the values of the training, clipped to its area.

    Raises
    ------
    DataError
        When it cannot be read.
    """
    with open_file(image, statistics) as bands:
        converted = None
        pixels: ImageSource = bands
        # Before resampling: a mean of clipped values is what the training's images would have had.
        if image.options.stated_range:
            dtype = statistics.dtype or str(bands.dtype)
            pixels = converted = ConvertedImage(bands, image.options.stated_range, statistics.range, dtype)
        if image.network_grid:
            resampling = resampling_of(image.grid, image.network_grid)
            pixels = ResampledImage(pixels, image.grid, image.network_grid, resampling)
        if image.area is not None:
            grid = image.predicted_grid
            pixels = ClippedImage(pixels, grid.transform, _area_on(image, grid))
        yield OpenedImage(pixels, converted)


@contextmanager
def own_grid_source(image: MatchingImage, statistics: Statistics) -> Iterator[ImageSource | None]:
    """Open an image that is resampled for the network on its own grid, clipped to its area; None for any other image.

    Raises
    ------
    DataError
        When it cannot be read.
    """
    if image.network_grid is None:
        yield None
        return
    with open_file(image, statistics) as bands:
        yield bands if image.area is None else ClippedImage(bands, image.grid.transform, image.area)


def report_reading(image: MatchingImage, opened: OpenedImage, unmapped: float) -> None:
    """Log the share of an image that is not mapped, and that of its values that were clipped.

    Parameters
    ----------
    image : MatchingImage
    opened : OpenedImage
        After it has been read.
    unmapped : float
        Share of the pixels that are no image or outside of the area.
    """
    if unmapped:
        outside = "no image" if image.area is None else "outside of the area, or no image,"
        log.info("%s: %s of the pixels are %s and not mapped", image.path, percent(unmapped), outside)
    if opened.converted and image.options.stated_range:
        share = opened.converted.clipped / max(1, opened.converted.values)
        low, high = image.options.stated_range
        log.info("%s: %s of the values are outside of %g to %g and clipped", image.path, percent(share), low, high)


def resampling_of(source: Grid, target: Grid) -> Resampling:
    """Return the mean where pixels become fewer, else cubic convolution."""
    # A mean over hardly more than a pixel would blur.
    fewer = source.height * source.width > 1.1**2 * target.height * target.width
    return Resampling.average if fewer else Resampling.cubic


def _area_on(image: MatchingImage, grid: Grid) -> object:
    """Return the area of an image in the CRS of a grid over it."""
    if grid.crs is None or image.grid.crs is None or grid.crs == image.grid.crs:
        return image.area
    source, target = (horizontal_projection(crs.to_wkt()) for crs in (image.grid.crs, grid.crs))
    return in_projection(image.area, source, target)
