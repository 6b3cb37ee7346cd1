"""Grid of an image that is resampled to the pixels of a run's training."""

import logging
import math

from mtlaerial.datasets.check.image_gate.header import RasterHeader
from mtlaerial.errors import MismatchError
from mtlaerial.rasters.grid import Grid
from mtlaerial.rasters.projection import crs_name
from mtlaerial.rasters.resampled_grid import grid_at_gsd

log = logging.getLogger(__name__)
MOST_ENLARGED = 10.0
"""Largest ratio of an image's pixels to those of the training: such an image shows no houses."""
_NOTED = 1.1
"""Ratio above which a warning says that an image has less detail than those of the training."""


def network_grid(header: RasterHeader, gsd: float | None, stated_gsd: float | None) -> Grid:
    """Return the grid of the pixel size of the training that covers an image; log it.

    Parameters
    ----------
    header : RasterHeader
        Of an image that the gate has let pass.
    gsd : float or None
        Metres per pixel of the training.
    stated_gsd : float or None
        Metres per pixel of an image without georeference.

    Raises
    ------
    MismatchError
        When the run's pixel size is unknown, or far below the image's.
    """
    if gsd is None:
        remedy = "Leave it out: the run takes images of any pixel size."
        raise MismatchError("--resample", "a run of unknown pixel size", "metres per pixel of the training", remedy)
    grid = grid_at_gsd(header.grid, gsd, stated_gsd)
    ratio = _enlargement(header.grid, grid)
    if ratio > MOST_ENLARGED:
        observed = f"pixels of about {ratio * gsd:.3g} m"
        expected = f"at most {MOST_ENLARGED * gsd:.3g} m, {MOST_ENLARGED:g} times those of the training"
        raise MismatchError(header.path, observed, expected, "Take an image of more detail.")
    if ratio > _NOTED:
        log.warning(
            "%s: pixels of about %.3g m have less detail than those of the training, %g m: the maps may be wrong",
            *(header.path, ratio * gsd, gsd),
        )
    place = f" in {crs_name(grid.crs)}" if grid.crs != header.grid.crs else ""
    log.info(
        "%s: resampled from %d x %d to %d x %d pixels (columns x rows) of %g m%s, and the maps back",
        *(header.path, header.grid.width, header.grid.height, grid.width, grid.height, gsd, place),
    )
    return grid


def _enlargement(source: Grid, grid: Grid) -> float:
    """Return the side of a pixel of an image in pixels of the new grid."""
    if source.crs == grid.crs:
        return math.sqrt(abs(source.transform.determinant / grid.transform.determinant))
    # In degrees, which are seldom turned: both grids cover the same ground.
    return math.sqrt(grid.height * grid.width / (source.height * source.width))
