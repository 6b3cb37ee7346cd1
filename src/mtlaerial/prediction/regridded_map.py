"""Maps of a resampled image: written on the network's grid first, then brought to the image's own."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

from rasterio.enums import Resampling
from rasterio.windows import Window

from mtlaerial.maps.layer import RasterLayer
from mtlaerial.prediction.exact_map import Write, open_exact
from mtlaerial.rasters.geotiff import open_raster
from mtlaerial.rasters.grid import Grid
from mtlaerial.rasters.image_source import ImageSource
from mtlaerial.rasters.resampled import ResampledImage
from mtlaerial.rasters.validity import Mask, MaskedBands, Pixels
from mtlaerial.system.files import discard, partial_path
from mtlaerial.system.progress import track

SIDE = 1024
"""Side of a part of a map that is resampled at once, in pixels of the image: tiles of the written file fit into it."""


class RegriddedMap:
    """A map on the network's grid in a temporary file, and the function that writes it on the image's grid.

    Parameters
    ----------
    path : Path
        The map's final path.
    layer : RasterLayer
        The map's exact values.
    network, image : Grid
    write : callable
        Takes the first row and column of a block on the image's grid, and its values.
    """

    def __init__(self, path: Path, layer: RasterLayer, network: Grid, image: Grid, write: Write) -> None:
        self.file = partial_path(path.with_name(f"{path.stem}.network{path.suffix}"))
        self.layer, self.network, self.image, self._write = layer, network, image, write

    def open(self) -> AbstractContextManager[Write]:
        """Return the context of the temporary file, which gives the function that writes blocks of it."""
        return open_exact(self.file, self.network, self.layer, {})

    @contextmanager
    def reader(self) -> Iterator[ImageSource]:
        """Yield the complete map on the image's grid."""
        with open_raster(self.file) as source:
            bands = MaskedBands(source, source.indexes)
            yield ResampledImage(bands, self.network, self.image, self._resampling())

    def write(self, pixels: Pixels, window: Window, outside: Mask | None) -> None:
        """Write the values of a window; no data where the image has none."""
        values, invalid = pixels
        for mask in (invalid, outside):
            if mask is not None:
                values[:, mask] = self.layer.nodata
        block = values if len(values) > 1 else values[0]
        self._write(int(window.row_off), int(window.col_off), block)

    def discard(self) -> None:
        """Remove the temporary file."""
        discard(self.file)

    def _resampling(self) -> Resampling:
        fewer = self.image.height * self.image.width < self.network.height * self.network.width
        if self.layer.resampling == "nearest":
            return Resampling.mode if fewer else Resampling.nearest
        return Resampling.average if fewer else Resampling.bilinear


def write_on_image_grid(maps: Sequence[RegriddedMap], image: ImageSource, grid: Grid) -> None:
    """Write complete maps on the grid of their image; pixels that are no image have no value.

    Parameters
    ----------
    maps : sequence of RegriddedMap
    image : ImageSource
        On its own grid, clipped to the area of the prediction.
    grid : Grid
        The image's.
    """
    windows = [
        Window(column, row, min(SIDE, grid.width - column), min(SIDE, grid.height - row))
        for row in range(0, grid.height, SIDE)
        for column in range(0, grid.width, SIDE)
    ]
    with ExitStack() as stack:
        readers = [stack.enter_context(each.reader()) for each in maps]
        for window in track(windows, len(windows), "resampling the maps", "part"):
            outside = image.read(window).invalid
            for each, reader in zip(maps, readers, strict=True):
                each.write(reader.read(window), window, outside)
