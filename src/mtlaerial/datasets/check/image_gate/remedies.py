"""Commands that mend an image, for error messages; they work as printed.

All are of ``rio``, which comes with rasterio, so that every installation has it.
"""

import json
import shlex
from collections.abc import Mapping
from pathlib import Path

from mtlaerial.datasets.check.image_gate.header import RasterHeader
from mtlaerial.rasters.ground_size import ground_pixel_size

_FULL_SCALES = (1, 255, 1023, 2047, 4095, 10_000, 16_383, 32_767, 65_535)
"""Largest values of common encodings: reflectances, 8 to 16 bits, reflectances times 10,000."""
_SHARE_USED = 0.25
"""Share of a range that an image in its unit makes use of; bytes use less of 10 bits and more."""
_GDAL_DTYPES = {
    "uint8": "Byte",
    "int8": "Int8",
    "uint16": "UInt16",
    "int16": "Int16",
    "uint32": "UInt32",
    "int32": "Int32",
    "float32": "Float32",
    "float64": "Float64",
}


def north_up_command(header: RasterHeader, resampling: str, empty: str = "") -> str:
    """Return the command that brings a raster to a north-up grid with square pixels in its CRS.

    Parameters
    ----------
    header : RasterHeader
    resampling : str
    empty : str, optional
        Option that marks the corners that a rotated raster leaves empty.
    """
    grid = header.grid
    corners = [grid.transform @ corner for corner in _corners(grid.width, grid.height)]
    xs, ys = [x for x, _ in corners], [y for _, y in corners]
    side = min(grid.side_lengths)
    bounds = " ".join(number(value) for value in (min(xs), min(ys), max(xs), max(ys)))
    return warp_command(header.path, f"--bounds {bounds} --res {number(side)} --resampling {resampling} {empty}")


def resample_command(header: RasterHeader, gsd: float, stated_gsd: float | None = None) -> str:
    """Return the command that resamples an image to square pixels of a size on the ground, in its CRS."""
    if not header.grid.georeferenced:
        return _outsize(header, stated_gsd or gsd, gsd)
    ground, units = ground_pixel_size(header.grid), header.grid.pixel_size
    resolutions = [f"{gsd * unit / metres:.9g}" for metres, unit in zip(ground, units, strict=True)]
    across = " ".join(f"--res {side}" for side in dict.fromkeys(reversed(resolutions)))
    return warp_command(header.path, f"{across} --resampling {_resampling(max(ground), gsd)}")


def _outsize(header: RasterHeader, stated_gsd: float, gsd: float) -> str:
    """Return the command for an image without georeference, which `rio warp` does not take."""
    columns, rows = (max(1, round(side * stated_gsd / gsd)) for side in (header.grid.width, header.grid.height))
    return _translate_command(header.path, f"outsize={columns},{rows}&r={_resampling(stated_gsd, gsd)}")


def _resampling(gsd: float, new_gsd: float) -> str:
    """Return ``average`` where pixels become fewer, else ``cubic``: a mean of less than a pixel is its value."""
    return "average" if gsd <= new_gsd else "cubic"


def convert_command(header: RasterHeader, dtype: str, source: tuple[float, float], target: tuple[float, float]) -> str:
    """Return the command that converts an image to a data type and scales its values.

    Parameters
    ----------
    header : RasterHeader
    dtype : str
        The new data type.
    source, target : tuple of float
        Values before and after, each from smallest to largest.
    """
    scale = ",".join(map(number, (*source, *target)))
    # A VRT limits values to the data type's range, where `rio convert --scale-ratio` lets them wrap around.
    return _translate_command(header.path, f"ot={_GDAL_DTYPES.get(dtype, dtype)}&scale={scale}")


def like_command(path: Path, template: Path) -> str:
    """Return the command that resamples heights to the cells of another file."""
    return warp_command(path, f"--like {shlex.quote(str(template))} --resampling bilinear")


def unset_crs_command(header: RasterHeader) -> str:
    """Return the command that removes the CRS of a file."""
    # `rio edit-info --unset-crs` of rasterio 1.4 raises CRSError, and gdal_translate 3.6 does not know `-a_srs none`.
    statement = f'import rasterio; rasterio.open({json.dumps(str(header.path))}, "r+").crs = rasterio.crs.CRS()'
    return f"python -c {shlex.quote(statement)}"


def unset_nodata_command(path: Path) -> str:
    """Return the command that removes the no-data tag of a file."""
    return f"rio edit-info --unset-nodata {shlex.quote(str(path))}"


def expand_command(path: Path) -> str:
    """Return the command that writes the colours of a colour table as bands."""
    return _translate_command(path, "expand=rgb")


def _translate_command(path: Path, options: str) -> str:
    """Return a call of `rio convert` that writes beside the file, with options of gdal_translate as a VRT takes them.

    See https://gdal.org/en/stable/drivers/raster/vrt.html#vrt-connection-string.
    """
    source, (_, new) = shlex.quote(f"vrt://{path}?{options}"), _files(path)
    return f"rio convert {source} {new}"


def colour_tags_command(header: RasterHeader, colours: Mapping[int, str]) -> str:
    """Return the command that sets the colour tags of some bands, counted from 1; others keep theirs."""
    # A tag must not stand twice: bands that had one of the new colours lose it.
    unique = ["undefined" if colour in colours.values() else colour for colour in header.colours]
    tags = [colours.get(band, colour) for band, colour in enumerate(unique, start=1)]
    return f"rio edit-info --colorinterp {','.join(tags)} {shlex.quote(str(header.path))}"


def full_scale(values: tuple[float, float], limits: tuple[float, float]) -> tuple[float, float]:
    """Return the smallest and largest value of the encoding that an image probably has.

    Parameters
    ----------
    values : tuple of float
        Smallest and largest value of the image.
    limits : tuple of float
        Values that the run was trained on; an image that makes use of them has them.

    Examples
    --------
    >>> full_scale((0.02, 0.93), (0, 255)), full_scale((0, 3817), (0, 255)), full_scale((8, 2900), (0, 3000))
    ((0, 1), (0, 4095), (0, 3000))
    """
    lowest, highest = values
    low, high = limits
    if low <= lowest and low + _SHARE_USED * (high - low) <= highest <= high:
        return limits
    return min(0, lowest), next((scale for scale in _FULL_SCALES if highest <= scale), highest)


def _corners(width: int, height: int) -> tuple[tuple[int, int], ...]:
    return (0, 0), (width, 0), (0, height), (width, height)


def empty_corners(header: RasterHeader) -> str:
    """Return the option that marks the corners that a turned image leaves empty as no-data, where nothing else does."""
    if header.tagged_nodata or header.alpha_bands:
        return ""
    return "--src-nodata nan" if header.dtypes[0].startswith("float") else "--src-nodata 0"


def warp_command(path: Path, options: str) -> str:
    """Return a call of `rio warp` that writes beside the file."""
    return f"rio warp {' '.join(_files(path))} {options}".rstrip()


def _files(path: Path) -> tuple[str, str]:
    """Return a file and the one to write, quoted for a shell."""
    return shlex.quote(str(path)), shlex.quote(str(path.with_name(f"{path.stem}_new.tif")))


def number(value: float) -> str:
    """Format a number with the digits that a coordinate in metres needs, without trailing zeros."""
    return f"{value:.12g}"
