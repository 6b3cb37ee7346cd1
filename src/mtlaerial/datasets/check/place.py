"""Checks of georeference: CRS, pixel size, and coverage of the image's ground by the layers."""

from dataclasses import dataclass, replace
from pathlib import Path

from rasterio.crs import CRS

from mtlaerial.config import Layer
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.datasets.check.empty_cells import empty_cells
from mtlaerial.datasets.check.findings import Findings, percent
from mtlaerial.datasets.check.image_gate.expectation import ImageExpectation
from mtlaerial.datasets.check.image_gate.georeference import judge_orientation, judge_place
from mtlaerial.datasets.check.image_gate.header import RasterHeader
from mtlaerial.datasets.check.image_gate.remedies import empty_corners
from mtlaerial.datasets.check.image_gate.reprojection import (
    assign_crs_command,
    covers_ground_of,
    reproject_image_command,
    reproject_layer_command,
)
from mtlaerial.rasters.grid import Grid
from mtlaerial.rasters.projection import crs_name, same_horizontal_crs

EDGE_TOLERANCE = 0.999
"""Smallest difference between edges, in pixels, that counts: a whole pixel, less the rounding of coordinates."""
CORNER_TOLERANCE = 1.0
"""Largest distance, in units of the CRS, between a tile's corner and the rounded one in its name."""


@dataclass(frozen=True)
class ImagePlace:
    """The place of a tile's image."""

    grid: Grid
    """The tile's grid; at the origin if the file has no georeference."""
    georeferenced: bool


def check_image_place(dataset: Dataset, header: RasterHeader, expected: ImageExpectation, findings: Findings) -> bool:
    """Check an image file's georeference; return whether layers can be compared with it."""
    grid = header.grid
    if grid.georeferenced and not _agree(grid.crs, dataset.crs):
        # Its pixels get their size on the ground by the command.
        upright = judge_orientation(header, findings, "cubic", empty_corners(header))
        if upright:
            remedy = _remedy(reproject_image_command(header, expected.stated_gsd, dataset.crs))
            _report_crs(dataset, header, dataset.crs, remedy, findings)
        return upright
    completed = Grid(grid.crs or dataset.crs, grid.transform, grid.height, grid.width)
    return judge_place(replace(header, grid=completed), expected, findings)


def check_corner(dataset: Dataset, tile: str, path: Path, grid: Grid, findings: Findings) -> None:
    """Check that a tile lies at the corner in its name, if names have one."""
    corner = dataset.corner(tile)
    if corner is None:
        return
    west, south, _, _ = grid.bounds
    if max(abs(corner[0] - west), abs(corner[1] - south)) > CORNER_TOLERANCE:
        expected = "{:.2f} {:.2f}, as its name says".format(*corner)
        remedy = "Correct the georeference, or check that this is the tile's file."
        findings.error(path, f"a lower-left corner at {west:.2f} {south:.2f}", expected, remedy)


def check_layer_place(
    dataset: Dataset, layer: Layer, header: RasterHeader, image: ImagePlace | None, per_tile: bool, findings: Findings
) -> bool:
    """Check that a layer's file covers the ground of the image; return whether the tile can be located in it.

    Parameters
    ----------
    dataset : Dataset
    layer : Layer
    header : RasterHeader
        Of the layer's file.
    image : ImagePlace or None
        None if the image's place is unusable; then only the layer itself is checked.
    per_tile : bool
        Whether the file is of this tile only; False for a mosaic.
    findings : Findings
    """
    path, grid = header.path, header.grid
    if not grid.georeferenced:
        return _check_size(path, grid, image, per_tile, findings)
    comparable = _check_frame(dataset, layer, header, image, per_tile, findings)
    if not comparable or image is None:
        return False
    if not image.georeferenced:
        remedy = "Add the image's georeference (e.g. a world file), or remove this file's."
        findings.error(path, "a georeference, though the image has none", "both or neither", remedy)
        return False
    if not same_horizontal_crs(grid.crs or image.grid.crs, image.grid.crs or grid.crs):
        return False
    return _check_bounds(path, grid, image.grid, per_tile, findings)


def _check_frame(
    dataset: Dataset, layer: Layer, header: RasterHeader, image: ImagePlace | None, per_tile: bool, findings: Findings
) -> bool:
    """Check orientation and CRS of a layer's file; parameters as of :func:`check_layer_place`."""
    empty = empty_cells(dataset.spec, layer, header)
    if not judge_orientation(header, findings, "nearest", empty):
        return False
    expected = dataset.crs or (image.grid.crs if image else None)
    if _agree(header.grid.crs, expected):
        return True
    placed = image is not None and image.georeferenced and same_horizontal_crs(image.grid.crs, expected)
    ground = image.grid if image and placed else None
    if ground and not covers_ground_of(header, ground):
        remedy = f"Assign the right CRS, if the file is of this place: {assign_crs_command(header.path, expected)}"
    else:
        remedy = _remedy(reproject_layer_command(header, expected, ground if per_tile else None, empty))
    _report_crs(dataset, header, expected, remedy, findings)
    return False


def _agree(crs: CRS | None, expected: CRS | None) -> bool:
    """Tell whether a file's CRS is the expected one; where one is not known, the other counts."""
    return crs is None or expected is None or same_horizontal_crs(crs, expected)


def _remedy(command: str | None) -> str:
    return f"Reproject the file: {command}" if command else "Assign the right CRS to the file."


def _report_crs(dataset: Dataset, header: RasterHeader, expected: CRS, remedy: str, findings: Findings) -> None:
    if dataset.crs:
        remedy = f"Correct crs in the specification, or {remedy[0].lower()}{remedy[1:]}"
    findings.error(header.path, f"the CRS {crs_name(header.grid.crs)}", crs_name(expected), remedy)


def _check_size(path: Path, grid: Grid, image: ImagePlace | None, per_tile: bool, findings: Findings) -> bool:
    """Check a file without georeference, which is taken to cover exactly the ground of the image."""
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
    observed = f"{grid.height} x {grid.width} pixels and no georeference"
    expected = f"the image's {tile.height} x {tile.width} pixels, or a whole multiple or fraction"
    findings.error(path, observed, expected, "Add the georeference, or resample the file to the image's grid.")
    return False


def _check_bounds(path: Path, grid: Grid, tile: Grid, per_tile: bool, findings: Findings) -> bool:
    """Check that a file covers the tile, and that a file per tile covers nothing else."""
    share = overlap(grid.bounds, tile.bounds) / area(tile.bounds)
    if share <= 0:
        remedy = "Check the file's georeference and the tile's name."
        findings.error(path, f"bounds {_rounded(grid)}", f"ground of the image, {_rounded(tile)}", remedy)
        return False
    height, width = (max(sides) for sides in zip(grid.pixel_size, tile.pixel_size, strict=True))
    # Margins by which the layer exceeds the image on each side, in pixels of the coarser grid.
    west, south, east, north = (b - a for a, b in zip(tile.bounds, grid.bounds, strict=True))
    margins = (-west / width, -south / height, east / width, north / height)
    if per_tile and max(map(abs, margins)) >= EDGE_TOLERANCE:
        observed = f"{grid.height} x {grid.width} pixels in {_rounded(grid)}"
        expected = f"the image's bounds, {_rounded(tile)} ({tile.height} x {tile.width} pixels)"
        findings.error(path, observed, expected, "Crop or pad the file to the image's bounds.")
        return False
    if min(margins) <= -EDGE_TOLERANCE:
        remedy = "Nothing is trained or scored in the rest; complete the mosaic if it should be."
        findings.warning(path, f"{percent(share)} of the tile covered", "all of it", remedy)
    return True


def area(bounds: tuple[float, float, float, float]) -> float:
    """Return the area of bounds (west, south, east, north)."""
    west, south, east, north = bounds
    return (east - west) * (north - south)


def overlap(first: tuple[float, float, float, float], second: tuple[float, float, float, float]) -> float:
    """Return the area of the intersection of two bounds."""
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    return max(0.0, width) * max(0.0, height)


def _rounded(grid: Grid) -> str:
    return "W {:.2f} S {:.2f} E {:.2f} N {:.2f}".format(*grid.bounds)
