"""Header of a raster file: grid, bands, data types, colour tags."""

from dataclasses import dataclass
from pathlib import Path

from mtlaerial.rasters.geotiff import open_raster
from mtlaerial.rasters.grid import Grid


@dataclass(frozen=True)
class RasterHeader:
    """Everything that a raster file states about itself.

    Attributes
    ----------
    path : Path
    grid : Grid
    dtypes : tuple of str
        Data type of each band.
    colours : tuple of str
        GDAL's colour interpretation of each band, e.g. ``red``, ``alpha``, ``undefined``.
    descriptions : tuple of str
        Description of each band; empty without one.
    tagged_nodata : bool
        Whether the file has a no-data tag.
    """

    path: Path
    grid: Grid
    dtypes: tuple[str, ...]
    colours: tuple[str, ...]
    descriptions: tuple[str, ...]
    tagged_nodata: bool

    @classmethod
    def read(cls, path: Path) -> "RasterHeader":
        """Read the header of a file.

        Raises
        ------
        DataError
            When the file is missing or no raster.
        """
        with open_raster(path) as source:
            return cls(
                path=path,
                grid=Grid.of(source),
                dtypes=tuple(source.dtypes),
                colours=tuple(colour.name for colour in source.colorinterp),
                descriptions=tuple(text or "" for text in source.descriptions),
                tagged_nodata=source.nodata is not None,
            )

    @property
    def count(self) -> int:
        """Number of bands, alpha included."""
        return len(self.dtypes)

    @property
    def alpha_bands(self) -> tuple[int, ...]:
        """Bands that hold transparency, counted from 1."""
        return tuple(band for band, colour in enumerate(self.colours, start=1) if colour == "alpha")

    @property
    def image_bands(self) -> tuple[int, ...]:
        """Bands without alpha, counted from 1."""
        return tuple(band for band in range(1, self.count + 1) if band not in self.alpha_bands)
