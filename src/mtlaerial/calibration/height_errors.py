"""Errors of predicted heights, and the predictor's deviations, at sampled pixels of calibration cells."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from mtlaerial.calibration.unit_sample import UnitSample


@dataclass(frozen=True)
class CellErrors:
    """Sampled pixels of calibration cells.

    Attributes
    ----------
    errors : array of float64, shape (pixels,), metres
        |predicted - true|.
    deviations : array of float64, shape (pixels,), metres
        The predictor's standard deviation; NaN where it has none.
    cells, bins : array of int64, shape (pixels,)
        Calibration cell, and bin of the predicted height.
    masses : array of float64, shape (pixels,)
        Number of pixels of its cell and bin that a sampled one stands for.
    number_of_bins : int
    """

    errors: NDArray[np.float64]
    deviations: NDArray[np.float64]
    cells: NDArray[np.int64]
    bins: NDArray[np.int64]
    masses: NDArray[np.float64]
    number_of_bins: int

    @property
    def cell_indices(self) -> NDArray[np.int64]:
        """Cells with any pixel, ascending."""
        return np.unique(self.cells)

    @property
    def occupied(self) -> NDArray[np.bool_]:
        """Whether a cell has pixels in a bin, shape (cells with any, bins)."""
        indices, rows = np.unique(self.cells, return_inverse=True)
        occupied = np.zeros((len(indices), self.number_of_bins), dtype=np.bool_)
        occupied[rows, self.bins] = True
        return occupied

    @property
    def weights(self) -> NDArray[np.float64]:
        """Share of each pixel in a mean in which all cells count alike, shape (pixels,)."""
        of_cells = np.bincount(self.cells, weights=self.masses)[self.cells]
        weights: NDArray[np.float64] = self.masses / of_cells / max(1, len(self.cell_indices))
        return weights

    def part(self, chosen: NDArray[np.bool_]) -> Self:
        """Return some of the pixels."""
        return replace(
            self,
            errors=self.errors[chosen],
            deviations=self.deviations[chosen],
            cells=self.cells[chosen],
            bins=self.bins[chosen],
            masses=self.masses[chosen],
        )


class HeightErrors:
    """Sample of the errors of calibration cells, gathered block by block.

    Parameters
    ----------
    edges : sequence of float
        Inner edges in metres of the bins of predicted height, ascending.
    seed : int
        Seed of the sample of each cell's pixels.
    """

    def __init__(self, edges: Sequence[float], seed: int = 0) -> None:
        self.edges = tuple(edges)
        self._sample = UnitSample(seed=seed)
        self._bins = len(self.edges) + 1

    def add(
        self,
        cells: NDArray[np.int64],
        predicted: NDArray[np.float32],
        true: NDArray[np.float32],
        deviation: NDArray[np.float32] | None = None,
    ) -> None:
        """Add a block of pixels.

        Parameters
        ----------
        cells : array of int
            Calibration cell of each pixel, numbered over all tiles from 0.
        predicted, true : array of float32, metres
            Pixels without either (NaN) are left out.
        deviation : array of float32, metres, optional
            NaN where the predictor has none; pixels with an infinite one are left out.
        """
        p, h = predicted.astype(np.float64), true.astype(np.float64)
        s = np.full_like(p, np.nan) if deviation is None else deviation.astype(np.float64)
        errors = abs(p - h)
        # An infinite deviation would make any error a score of 0.
        valid = np.isfinite(errors) & ~np.isinf(s)
        groups = cells[valid] * self._bins + np.digitize(p[valid], self.edges)
        self._sample.add(groups, np.stack([errors[valid], s[valid]], axis=1))

    def sampled(self) -> CellErrors:
        """Return the pixels that were sampled."""
        cells, bins = np.divmod(self._sample.groups, self._bins)
        values = self._sample.values.reshape(-1, 2)  # an empty sample has no second axis
        return CellErrors(values[:, 0], values[:, 1], cells, bins, self._sample.masses, self._bins)
