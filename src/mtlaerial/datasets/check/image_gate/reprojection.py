"""Commands that bring an image or a layer to another CRS, for error messages; they work as printed."""

import math
import shlex
from pathlib import Path

from pyproj import Transformer
from pyproj.exceptions import ProjError
from rasterio.crs import CRS
from shapely import box

from mtlaerial.datasets.check.image_gate.header import RasterHeader
from mtlaerial.datasets.check.image_gate.remedies import empty_corners, number, warp_command
from mtlaerial.rasters.grid import Grid
from mtlaerial.rasters.ground_size import centre_position, ground_pixel_size, ground_scales, unit_size
from mtlaerial.rasters.projection import horizontal_code, horizontal_projection, utm_code


def reproject_image_command(header: RasterHeader, gsd: float | None, crs: CRS | None = None) -> str | None:
    """Return the command that brings an image to a CRS, by default the UTM zone of its centre.

    Parameters
    ----------
    header : RasterHeader
    gsd : float or None
        Metres per pixel of the result; None for about those of the file.
    crs : CRS, optional
        The new one.

    Returns
    -------
    str or None
        None where the file has no place on Earth.
    """
    position = centre_position(header.grid)
    if position is None:
        return None
    target = crs or CRS.from_string(utm_code(*position))
    if not horizontal_projection(target.to_wkt()).is_projected:
        return None
    sides = ""
    if gsd:
        sides = resolution(*(gsd / metres for metres in unit_size(target, position)))
    return _reproject(header, target, f"{sides} --resampling cubic {empty_corners(header)}")


def reproject_layer_command(header: RasterHeader, crs: CRS, tile: Grid | None, empty: str) -> str | None:
    """Return the command that brings a layer to the CRS of its image, with cells as large as they are.

    Parameters
    ----------
    header : RasterHeader
    crs : CRS
    tile : Grid or None
        The grid of the image for a file that must have its bounds; None for a mosaic.
    empty : str
        Option that marks cells without data.

    Returns
    -------
    str or None
        None where the file has no place on Earth, or the CRS is not projected.
    """
    position = centre_position(header.grid)
    if position is None or not horizontal_projection(crs.to_wkt()).is_projected:
        return None
    cell = min(_cell_size(header.grid, position))
    height, width = (cell / metres for metres in unit_size(crs, position))
    bounds = ""
    if tile is not None:
        west, south, east, north = tile.bounds
        bounds = f" --bounds {' '.join(map(number, tile.bounds))}"
        height, width = _whole_part(north - south, height), _whole_part(east - west, width)
    # The nearest cell, so that codes, and no-data values without a tag, stay what they are.
    return _reproject(header, crs, f"{bounds}{resolution(height, width)} --resampling nearest {empty}")


def covers_ground_of(header: RasterHeader, image: Grid) -> bool:
    """Tell whether a layer covers ground of its image, if the CRSs that both state are right."""
    if header.grid.crs is None or image.crs is None:
        return False
    stated, target = (horizontal_projection(crs.to_wkt()) for crs in (header.grid.crs, image.crs))
    try:
        bounds = Transformer.from_crs(stated, target, always_xy=True).transform_bounds(*header.grid.bounds)
    except ProjError:  # no place on Earth
        return False
    return bool(box(*bounds).intersects(box(*image.bounds)))


def assign_crs_command(path: Path, crs: CRS) -> str:
    """Return the command that states another CRS in a file and changes nothing else."""
    return f"rio edit-info --crs {shlex.quote(horizontal_code(crs))} {shlex.quote(str(path))}"


def resolution(height: float, width: float) -> str:
    """Return the options for the size of a pixel in units of the CRS; one for square pixels."""
    sides = (f"{side:.9g}" for side in (width, height))
    return "".join(f" --res {side}" for side in dict.fromkeys(sides))


def _reproject(header: RasterHeader, crs: CRS, options: str) -> str:
    return warp_command(header.path, f"--dst-crs {shlex.quote(horizontal_code(crs))}{options}")


def _cell_size(grid: Grid, position: tuple[float, float]) -> tuple[float, float]:
    """Return height and width of a cell in metres on the ground, in a CRS in degrees too."""
    if grid.crs is None or not grid.crs.is_geographic:
        return ground_pixel_size(grid)
    height, width = grid.pixel_size
    along_y, along_x = ground_scales(horizontal_projection(grid.crs.to_wkt()), position) or (math.nan, math.nan)
    return height * along_y, width * along_x


def _whole_part(extent: float, side: float) -> float:
    """Return the size of which a whole number fills an extent."""
    part = extent / max(1, round(extent / side))
    # The number of cells is rounded up, so that a size rounded down would add one.
    return part if math.ceil(extent / float(f"{part:.9g}")) == round(extent / part) else part * (1 + 1e-8)
