"""Rules on the place of a raster: pixel size, orientation, CRS, and true size of pixels on the ground."""

import math

import numpy as np

from mtlaerial.datasets.check.findings import Findings
from mtlaerial.datasets.check.image_gate.expectation import ImageExpectation
from mtlaerial.datasets.check.image_gate.header import RasterHeader
from mtlaerial.datasets.check.image_gate.remedies import (
    empty_corners,
    north_up_command,
    resample_command,
    unset_crs_command,
)
from mtlaerial.datasets.check.image_gate.reprojection import reproject_image_command
from mtlaerial.rasters.grid import Grid
from mtlaerial.rasters.ground_size import centre_position, ground_pixel_size, ground_side_lengths
from mtlaerial.rasters.projection import crs_name, horizontal_projection

STATED_TOLERANCE = 0.01
"""Largest relative difference between a GSD that is stated and the one of the georeference."""
TRAINED_TOLERANCE = 0.1
"""Largest relative difference between an image's GSD and that of the training images."""
_SMALLEST = 1e-12
"""Smallest side of a pixel, in units of any CRS: areas and ratios of smaller ones are beyond double precision."""
_DRIFT = 1e-3
"""Largest rounding of coordinates, in pixels, that an origin far away may cause."""


def judge_place(header: RasterHeader, expected: ImageExpectation, findings: Findings) -> bool:
    """Add findings about an image's place; return whether its grid can be compared with others."""
    if expected.stated_gsd is not None and not 0 < expected.stated_gsd < math.inf:
        wording = expected.wording
        findings.error(wording.gsd, f"{expected.stated_gsd:g}", "metres per pixel above 0", "Correct it.")
        return False
    if not header.grid.georeferenced:
        if expected.stated_gsd is None:
            remedy = "Add the georeference."
            if expected.wording.gsd:
                remedy = f"State its metres per pixel with {expected.wording.gsd}, or add the georeference."
            findings.error(header.path, "no georeference", "one, or the pixel size", remedy)
            return True
        _judge_gsd(header, (expected.stated_gsd, expected.stated_gsd), expected, findings)
        return True
    if expected.resampled:
        return _judge_resampled(header, expected, findings)
    if not judge_orientation(header, findings, "cubic", empty_corners(header)):
        return False
    if judge_crs(header, expected.stated_gsd or expected.trained_gsd, findings):
        _judge_unit(header, expected, findings)
        _judge_gsd(header, ground_pixel_size(header.grid), expected, findings)
    return True


def _judge_resampled(header: RasterHeader, expected: ImageExpectation, findings: Findings) -> bool:
    """Add findings about the place of an image that is resampled as it is read; return whether it has one.

    It may be rotated, and in degrees.
    """
    if not _judge_coordinates(header, findings):
        return False
    crs = header.grid.crs
    if crs is not None and horizontal_projection(crs.to_wkt()).is_geographic:
        placed = _judge_position(header, findings)
    else:
        placed = judge_crs(header, expected.trained_gsd, findings)
    sides = ground_side_lengths(header.grid) if placed else None
    if sides is not None:
        _judge_gsd(header, sides, expected, findings)
    return placed


def judge_orientation(header: RasterHeader, findings: Findings, resampling: str, empty: str) -> bool:
    """Add findings about pixel size and orientation; return whether the raster is north-up.

    Parameters
    ----------
    header : RasterHeader
        Of the image or another layer.
    findings : Findings
    resampling : str
        Resampling of the remedy for a rotated raster: ``nearest`` for layers.
    empty : str
        Option of the remedy that marks the corners that a rotated raster leaves empty.
    """
    if not _judge_coordinates(header, findings):
        return False
    grid = header.grid
    if grid.rotated:
        remedy = f"Rectify it: {north_up_command(header, resampling, empty)}"
        findings.error(header.path, "a rotated raster", "a raster with north up", remedy)
        return False
    reversals = _reversals(grid)
    if reversals:
        remedy = f"Turn it: {north_up_command(header, 'nearest')}"
        findings.error(header.path, f"{reversals} in reverse", "rows from the north, columns from the west", remedy)
    return not reversals


def _judge_coordinates(header: RasterHeader, findings: Findings) -> bool:
    """Add findings about coordinates with which no calculation is possible; return whether there are none."""
    grid = header.grid
    height, width = grid.side_lengths
    if not (0 < height < math.inf and 0 < width < math.inf):
        observed = f"pixels of {width:g} x {height:g} (width x height)"
        findings.error(header.path, observed, "a pixel size above 0", "Correct the georeference.")
        return False
    opposite_corners = np.array([grid.transform @ (0, 0), grid.transform @ (grid.width, grid.height)])
    # Negated, so that NaN counts too.
    if not np.spacing(np.abs(opposite_corners).max()) < _DRIFT * min(height, width):
        x, y = grid.transform @ (0, 0)
        observed = f"an origin at {x:g} {y:g}, where coordinates do not tell pixels of {width:g} x {height:g} apart"
        findings.error(header.path, observed, "coordinates on Earth", "Correct the georeference.")
        return False
    if min(height, width) < _SMALLEST:
        observed = f"pixels of {width:g} x {height:g} (width x height)"
        findings.error(header.path, observed, f"pixels of at least {_SMALLEST:g}", "Correct the georeference.")
        return False
    return True


def _reversals(grid: Grid) -> str:
    south_up, mirrored = grid.transform.e > 0, grid.transform.a < 0
    if south_up and mirrored:
        return "rows (from the south) and columns (from the east)"
    if south_up:
        return "rows (from the south)"
    return "columns (from the east)" if mirrored else ""


def judge_crs(header: RasterHeader, gsd: float | None, findings: Findings) -> bool:
    """Add findings about the kind of an image's CRS; return whether pixels have a size in metres.

    Parameters
    ----------
    header : RasterHeader
    gsd : float or None
        Metres per pixel for the remedy.
    findings : Findings
    """
    crs = header.grid.crs
    if crs is None:
        return True
    projection = horizontal_projection(crs.to_wkt())
    if projection.is_projected:
        return _judge_position(header, findings)
    if not projection.is_geographic:
        kind = projection.type_name.removesuffix(" CRS").lower()
        article = "an" if kind[0] in "aeiou" else "a"
        remedy = f"Assign the right CRS, or remove it, and coordinates count as metres: {unset_crs_command(header)}"
        findings.error(header.path, f"{article} {kind} CRS ({projection.name})", "a projected CRS", remedy)
        return False
    command = reproject_image_command(header, gsd)
    remedy = f"Reproject it: {command}" if command else "Correct the georeference: its place is not on Earth."
    findings.error(header.path, f"a CRS in degrees ({projection.name})", "a projected CRS in metres", remedy)
    return False


def _judge_position(header: RasterHeader, findings: Findings) -> bool:
    if centre_position(header.grid) is not None:
        return True
    x, y = header.grid.transform @ (header.grid.width / 2, header.grid.height / 2)
    observed = f"a centre at {x:g} {y:g}, which is no place in {crs_name(header.grid.crs)}"
    findings.error(header.path, observed, "coordinates of its CRS", "Correct the CRS or the georeference.")
    return False


def _judge_unit(header: RasterHeader, expected: ImageExpectation, findings: Findings) -> None:
    """Warn where neither a CRS nor the user says that coordinates are metres."""
    if header.grid.crs is None and expected.stated_gsd is None and expected.trained_gsd is None:
        _, width = header.grid.pixel_size
        remedy = f"They count as metres, so pixels are {width:g} m wide; set crs or gsd in the specification."
        findings.warning(header.path, "coordinates without a CRS", "a CRS", remedy)


def _judge_gsd(
    header: RasterHeader, sides: tuple[float, float], expected: ImageExpectation, findings: Findings
) -> None:
    """Compare height and width of a pixel in metres with the stated GSD and with that of the training."""
    height, width = sides
    stated, trained, wording = expected.stated_gsd, expected.trained_gsd, expected.wording
    observed = f"pixels of {width:.6g} x {height:.6g} m{_nominal_size(header.grid, sides)}"
    if stated is not None and _differ(sides, stated, STATED_TOLERANCE):
        remedy = f"{wording.wrong_gsd}."
        findings.error(header.path, observed, f"{stated:.6g} x {stated:.6g} m, by {wording.gsd}", remedy)
    elif stated is None and trained is None and _differ(sides, width, STATED_TOLERANCE):
        remedy = f"Resample it: {resample_command(header, max(sides))}"
        findings.error(header.path, observed, "square pixels", remedy)
    elif trained is not None and not expected.resampled and _differ(sides, trained, TRAINED_TOLERANCE):
        remedy = f"Resample it: {resample_command(header, trained, stated)}"
        findings.error(header.path, observed, f"about {trained:g} x {trained:g} m, as in training", remedy)


def _differ(sides: tuple[float, float], gsd: float, tolerance: float) -> bool:
    return any(abs(side / gsd - 1) > tolerance for side in sides)


def _nominal_size(grid: Grid, sides: tuple[float, float]) -> str:
    """Return a note where the CRS enlarges the ground, or is in other units; empty where sizes agree."""
    height, width = grid.side_lengths
    factors = sides[0] / height, sides[1] / width
    if all(math.isclose(factor, 1) for factor in factors) or not grid.georeferenced:
        return ""
    return f" on the ground ({width:.6g} x {height:.6g} in units of {crs_name(grid.crs)})"
