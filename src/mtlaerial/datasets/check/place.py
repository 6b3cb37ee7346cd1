"""Where a file lies: its CRS, its pixel size, and whether layers cover the ground of their image."""

from dataclasses import dataclass
from pathlib import Path

from pyproj import CRS as Projection
from rasterio.crs import CRS

from mtlaerial.datasets.catalog import Dataset
from mtlaerial.datasets.check.findings import Findings, percent
from mtlaerial.rasters.grid import Grid

GSD_TOLERANCE = 0.01
"""Relative difference from the specified GSD up to which an image is right."""
PIXEL = 0.999
"""Edges that differ by this many pixels differ by one: coordinates are rounded."""

CORNER = 1.0
"""Units of the CRS by which a tile may be off the corner in its name, where it is rounded."""


@dataclass(frozen=True)
class ImagePlace:
    """Where the image of a tile lies."""

    grid: Grid
    """The tile's; placed at the origin where the file has no georeference."""
    georeferenced: bool


def check_image_place(dataset: Dataset, path: Path, grid: Grid, findings: Findings) -> bool:
    """Check an image file's georeference; tell whether layers can be compared with it."""
    spec = dataset.spec
    if not grid.georeferenced:
        if spec.gsd is None:
            remedy = "Set gsd in the data set's specification, or add the georeference."
            findings.error(path, "no georeference", "one, or gsd in the specification", remedy)
        return True
    if not _upright(path, grid, findings):
        return False
    _check_crs(path, grid.crs, dataset.crs, findings)
    if grid.crs is not None and grid.crs.is_geographic:
        remedy = "Reproject the data set, e.g. with gdalwarp -t_srs, to a CRS in metres."
        findings.error(path, f"the CRS {grid.crs.to_string()}, in degrees", "a projected CRS", remedy)
    else:
        _check_gsd(dataset, path, grid, findings)
    return True


def check_corner(dataset: Dataset, tile: str, path: Path, grid: Grid, findings: Findings) -> None:
    """Check that a tile lies where its name says, if names say that."""
    named = dataset.corner(tile)
    if named and max(abs(a - b) for a, b in zip(named, grid.bounds, strict=False)) > CORNER:
        found = "a lower-left corner at {:.2f} {:.2f}".format(*grid.bounds)
        expected = "{:.2f} {:.2f}, as its name says".format(*named)
        findings.error(path, found, expected, "Correct the georeference, or check that this is the tile's file.")


def metres_per_pixel(grid: Grid) -> tuple[float, float]:
    """Return height and width of a pixel in metres; the unit of a grid without a projected CRS is taken to be that."""
    factor = float(grid.crs.linear_units_factor[1]) if grid.crs and grid.crs.is_projected else 1.0
    return grid.pixel_size[0] * factor, grid.pixel_size[1] * factor


def _check_gsd(dataset: Dataset, path: Path, grid: Grid, findings: Findings) -> None:
    height, width = metres_per_pixel(grid)
    expected = dataset.spec.gsd or width
    if any(abs(side / expected - 1) > GSD_TOLERANCE for side in (height, width)):
        remedy = "Correct gsd in the specification, or resample the data set to square pixels of that size."
        findings.error(path, f"pixels of {width:.6g} x {height:.6g} m", f"{expected:.6g} x {expected:.6g} m", remedy)
    if dataset.spec.gsd is None and abs(width / grid.pixel_size[1] - 1) > 1e-9:
        found = f"a CRS in {grid.crs.linear_units if grid.crs else 'an unknown unit'}"
        findings.error(path, found, "metres, or gsd in the specification", f"Set gsd: {width:.6g}.")


def check_layer_place(
    dataset: Dataset, path: Path, grid: Grid, image: ImagePlace | None, per_tile: bool, findings: Findings
) -> bool:
    """Check that a layer's file covers the ground of the image; tell whether the tile can be found in it.

    Parameters
    ----------
    dataset : Dataset
    path : Path
    grid : Grid
        The file's.
    image : ImagePlace or None
        None where the image has no usable place; only the layer itself is checked then.
    per_tile : bool
        False for a mosaic.
    findings : Findings
    """
    if not grid.georeferenced:
        return _check_size(path, grid, image, per_tile, findings)
    expected = dataset.crs or (image.grid.crs if image else None)
    if not (_upright(path, grid, findings) and _check_crs(path, grid.crs, expected, findings)) or image is None:
        return False
    if not image.georeferenced:
        remedy = "Add the image's georeference (e.g. a world file), or remove this file's."
        findings.error(path, "a georeference, though the image has none", "both or neither", remedy)
        return False
    if not _same_crs(grid.crs or image.grid.crs, image.grid.crs or grid.crs):
        return False
    return _check_bounds(path, grid, image.grid, per_tile, findings)


def _upright(path: Path, grid: Grid, findings: Findings) -> bool:
    t = grid.transform
    # A thousandth of a pixel across the whole raster is rounding.
    rotated = abs(t.b) * grid.height > 1e-3 * abs(t.a) or abs(t.d) * grid.width > 1e-3 * abs(t.e)
    if rotated or t.a < 0 or t.e > 0:
        found = "a rotated geotransform" if rotated else "rows or columns in reverse (not from the north-west)"
        findings.error(path, found, "a north-up raster", "Warp it to a north-up grid, e.g. with gdalwarp.")
        return False
    return True


def _check_crs(path: Path, found: CRS | None, expected: CRS | None, findings: Findings) -> bool:
    if found is None or expected is None or _same_crs(found, expected):
        return True
    remedy = "Reproject the file, or correct crs in the specification."
    findings.error(path, f"the CRS {found.to_string()}", expected.to_string(), remedy)
    return False


def _same_crs(one: CRS | None, other: CRS | None) -> bool:
    """Compare horizontally: height files often carry a vertical CRS too."""
    if one is None or other is None or one == other:
        return one == other
    flat = [Projection.from_wkt(crs.to_wkt()) for crs in (one, other)]
    flat = [crs.sub_crs_list[0] if crs.is_compound else crs for crs in flat]
    return flat[0].equals(flat[1], ignore_axis_order=True)


def _check_size(path: Path, grid: Grid, image: ImagePlace | None, per_tile: bool, findings: Findings) -> bool:
    """Check a file without georeference, which is taken to cover just the ground of the image."""
    if not per_tile:
        remedy = "Add the georeference, or cut the mosaic into a file per tile."
        findings.error(path, "a mosaic without georeference", "one with", remedy)
        return False
    if image is None:
        return False
    tile = image.grid
    finer, coarser = (grid, tile) if grid.height >= tile.height else (tile, grid)
    factor = finer.height // coarser.height
    if (coarser.height * factor, coarser.width * factor) == (finer.height, finer.width):
        return True
    found = f"{grid.height} x {grid.width} pixels and no georeference"
    expected = f"the image's {tile.height} x {tile.width} pixels, or a whole multiple or fraction"
    findings.error(path, found, expected, "Add the georeference, or resample the file to the image's grid.")
    return False


def _check_bounds(path: Path, grid: Grid, tile: Grid, per_tile: bool, findings: Findings) -> bool:
    share = overlap(grid.bounds, tile.bounds) / area(tile.bounds)
    if share <= 0:
        remedy = "Check the file's georeference and the tile's name."
        findings.error(path, f"bounds {_rounded(grid)}", f"ground of the image, {_rounded(tile)}", remedy)
        return False
    height, width = (max(sides) for sides in zip(grid.pixel_size, tile.pixel_size, strict=True))
    # How far the layer reaches beyond the image on each side, in pixels of the coarser of the two.
    west, south, east, north = (b - a for a, b in zip(tile.bounds, grid.bounds, strict=True))
    beyond = (-west / width, -south / height, east / width, north / height)
    if per_tile and max(map(abs, beyond)) >= PIXEL:
        found = f"{grid.height} x {grid.width} pixels in {_rounded(grid)}"
        expected = f"the image's bounds, {_rounded(tile)} ({tile.height} x {tile.width} pixels)"
        findings.error(path, found, expected, "Crop or pad the file to the image's bounds.")
        return False
    if min(beyond) <= -PIXEL:
        remedy = "Nothing is trained or scored in the rest; complete the mosaic if it should be."
        findings.warning(path, f"{percent(share)} of the tile covered", "all of it", remedy)
    return True


def area(bounds: tuple[float, float, float, float]) -> float:
    """Return the area within west, south, east, north."""
    west, south, east, north = bounds
    return (east - west) * (north - south)


def overlap(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> float:
    """Return the area that two bounds share; 0 where they only touch."""
    width, height = min(one[2], other[2]) - max(one[0], other[0]), min(one[3], other[3]) - max(one[1], other[1])
    return max(0.0, width) * max(0.0, height)


def _rounded(grid: Grid) -> str:
    return "W {:.2f} S {:.2f} E {:.2f} N {:.2f}".format(*grid.bounds)
