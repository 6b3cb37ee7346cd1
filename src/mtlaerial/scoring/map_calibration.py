"""Calibration of maps by the ground truth of validation tiles."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mtlaerial.calibration.cells import CellGrid, calibration_cells
from mtlaerial.calibration.height_errors import HeightErrors
from mtlaerial.calibration.intervals import calibrate_heights
from mtlaerial.calibration.record import ClassCalibration, HeightCalibration
from mtlaerial.calibration.temperature import ClassMargins, fit_temperature
from mtlaerial.calibration.variogram import ResidualLines, VariogramSums
from mtlaerial.config import IGNORED, TaskEntry
from mtlaerial.config.calibration import CalibrationSpec
from mtlaerial.rasters.geotiff import map_raster, row_blocks
from mtlaerial.rasters.ground_size import ground_pixel_size
from mtlaerial.scoring.height_truth import HeightTruth
from mtlaerial.scoring.map_checks import grid_of, require_predicted
from mtlaerial.scoring.tile_maps import open_heights, open_map, probabilities_of

ROWS = 64
"""Rows of a block of probabilities, which have a band per class."""


class ClassMapCalibration:
    """Calibration of a task of classes, from the probabilities of one tile after another.

    Parameters
    ----------
    entry : TaskEntry
    spec : CalibrationSpec
    """

    def __init__(self, entry: TaskEntry, spec: CalibrationSpec) -> None:
        self._entry, self._spec = entry, spec
        self._margins, self._cells = ClassMargins(), 0

    def add(self, maps: Path, tile: Path) -> None:
        """Add a tile.

        Parameters
        ----------
        maps : Path
            Folder with the map of the probabilities, on the grid of the tile's labels.
        tile : Path
            Folder of the prepared tile; one without labels adds nothing.

        Raises
        ------
        DataError
            When the map is missing or differs from the labels in size.
        """
        truth = map_raster(tile / "labels.tif")
        if not (truth != IGNORED).any():
            return
        path = maps / f"{probabilities_of(self._entry).name}.tif"
        cells = _cells(tile / "labels.tif", self._spec)
        with open_map(path, tile / "labels.tif") as read:
            for top, rows in row_blocks(len(truth), ROWS):
                indices = self._cells + cells.indices(top, rows)
                self._margins.add(indices, read(top, rows), np.asarray(truth[top : top + rows]))
        self._cells += cells.number

    def result(self) -> ClassCalibration | None:
        """Return the temperature; None where no tile has labels."""
        return fit_temperature(self._margins)


class HeightMapCalibration:
    """Calibration of a task of heights, from the maps of one tile after another.

    Parameters
    ----------
    entry : TaskEntry
    spec : CalibrationSpec
    bins : sequence of float
        Inner edges in metres of the bins of predicted height.
    spread : bool
        Whether the predictor writes a standard deviation, by which intervals may be scaled.
    """

    def __init__(self, entry: TaskEntry, spec: CalibrationSpec, bins: Sequence[float], spread: bool) -> None:
        self._entry, self._spec = entry, spec
        self._deviation = entry.deviation if spread else None
        self._errors = HeightErrors(bins)
        self._residuals = VariogramSums()
        self._cells = 0
        self._sides: list[float] = []

    def add(self, maps: Path, tile: Path) -> None:
        """Add a tile.

        Parameters
        ----------
        maps : Path
            Folder with the maps of the heights and, with a spread, of their deviation, on the grid of the tile's
            heights.
        tile : Path
            Folder of the prepared tile; one without heights adds nothing.

        Raises
        ------
        DataError
            When a map is missing, differs from the heights in size, or has no-data at a cell with a true height.
        """
        true = HeightTruth(tile, self._entry)
        if true.empty:
            return
        truth = tile / "height.tif"
        path, cells = maps / f"{self._entry.map_name}.tif", _cells(truth, self._spec)
        height, width = len(cells.row_cells), len(cells.column_cells)
        lines = ResidualLines(height, width)
        with open_heights(maps, self._entry, self._deviation, truth) as read:
            for top, rows in row_blocks(height):
                h, (p, deviation) = true(top, rows), read(top, rows)
                require_predicted(path, h, p)
                self._errors.add(self._cells + cells.indices(top, rows), p, h, deviation)
                lines.add(top, p - h)
        self._residuals.add(lines, ground_pixel_size(grid_of(truth)))
        self._cells += cells.number
        self._sides.append(cells.side)

    def result(self) -> HeightCalibration | None:
        """Return the factors of intervals; None where no tile has heights."""
        if not self._sides:
            return None
        return calibrate_heights(self._errors, self._spec.shares, min(self._sides), self._residuals)


def _cells(truth: Path, spec: CalibrationSpec) -> CellGrid:
    grid = grid_of(truth)
    return calibration_cells(grid.height, grid.width, ground_pixel_size(grid), spec.cell)
