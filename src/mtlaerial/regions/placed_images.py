"""Images of a region on its pixels, opened when they are read first."""

from collections import OrderedDict
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from rasterio.windows import Window

from mtlaerial.errors import DataError
from mtlaerial.prediction.image_match import MatchingImage
from mtlaerial.prediction.image_options import ImageOptions
from mtlaerial.prediction.opened_image import open_image
from mtlaerial.rasters.geotiff import reading
from mtlaerial.rasters.grid import Grid
from mtlaerial.rasters.image_source import ImageSource
from mtlaerial.rasters.validity import Pixels
from mtlaerial.regions.mosaic import Span
from mtlaerial.regions.region import Region, RegionImage, file_version
from mtlaerial.tiles.statistics import Statistics

MOST_OPEN = 32
"""Files that are open at once: each has a file handle and a part of GDAL's cache."""
ALIGNED = 1e-3
"""Largest distance in pixels between an image's grid and the region's that counts as rounding."""


@dataclass(frozen=True)
class PlacedImage:
    """An open image on the pixels of a region; see :class:`mtlaerial.regions.mosaic.PlacedSource`."""

    path: Path
    span: Span
    pixels: ImageSource

    def read(self, window: Window) -> Pixels:
        """Read a window, counted from the first pixel of its span.

        Raises
        ------
        DataError
            When the pixels are damaged; it names the file.
        """
        with reading(self.path):
            return self.pixels.read(window)


class OpenImages:
    """Images of a region that stay open from one sheet to the next. A context manager.

    All are opened and closed in the thread that asks for them, as rasterio requires; any thread may read them.

    Parameters
    ----------
    region : Region
    statistics : Statistics
        Those of the run, for range and no-data value.
    """

    def __init__(self, region: Region, statistics: Statistics) -> None:
        self.region, self.statistics = region, statistics
        self._open: OrderedDict[Path, tuple[ImageSource, ExitStack]] = OrderedDict()

    def __enter__(self) -> "OpenImages":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close_oldest(0)

    def placed(self, images: Sequence[RegionImage]) -> list[PlacedImage]:
        """Return images on the region's pixels; those of earlier sheets are closed, beyond ``MOST_OPEN``.

        Raises
        ------
        DataError
            When one is gone, or is not the file that the region was planned with.
        """
        placed = [PlacedImage(image.path, image.span, self._source(image)) for image in images]
        self._close_oldest(max(MOST_OPEN, len(images)))
        return placed

    def _source(self, image: RegionImage) -> ImageSource:
        if image.path not in self._open:
            _require_unchanged(image)
            stack = ExitStack()
            pixels = stack.enter_context(open_image(self._matching(image), self.statistics)).pixels
            self._open[image.path] = pixels, stack
        self._open.move_to_end(image.path)
        return self._open[image.path][0]

    def _close_oldest(self, most: int) -> None:
        while len(self._open) > most:
            _, (_, stack) = self._open.popitem(last=False)
            stack.close()

    def _matching(self, image: RegionImage) -> MatchingImage:
        grid = self.region.grid.window(image.span.row, image.span.column, image.span.rows, image.span.columns)
        network_grid = None if is_aligned(image.grid, grid) else grid
        options = ImageOptions(stated_range=self.region.stated_range)
        return MatchingImage(image.path, image.grid, image.bands, network_grid, options=options)


def is_aligned(image: Grid, region: Grid) -> bool:
    """Return whether the pixels of an image are pixels of a grid of the same CRS, wherever both begin."""
    if image.crs != region.crs:
        return False
    to_region = image.to(region)
    shift = to_region.c - round(to_region.c), to_region.f - round(to_region.f)
    across = (to_region.a - 1) * image.width, to_region.b * image.height
    down = to_region.d * image.width, (to_region.e - 1) * image.height
    return max(map(abs, (*shift, *across, *down))) < ALIGNED


def _require_unchanged(image: RegionImage) -> None:
    try:
        version = file_version(image.path)
    except OSError as error:
        raise DataError(image.path, f"no file ({error.strerror})", "an image of the region", "Restore it.") from None
    if version != image.version:
        observed = "a file that has been changed since the region was planned"
        remedy = "The same command plans the region again."
        raise DataError(image.path, observed, "an image of the region", remedy)
