"""Empirical variogram of residuals: how far apart pixels must be to err independently."""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

DISTANCES = (1.0, 2.0, 4.0, 8.0, 15.0, 22.0, 30.0, 45.0, 60.0, 90.0, 120.0, 180.0)
"""Metres at which pairs of pixels are compared."""
LINES = 256
"""Most rows, and most columns, of a tile that pairs are taken from: more add pixels, but hardly any information."""
LEAST_PAIRS = 1000
"""Pairs below which a distance is left out."""
FALLEN = math.exp(-1)
"""Correlation at the correlation length: that of an exponential model exp(-d / length)."""


class ResidualLines:
    """Rows and columns of a tile's residuals at equal steps, gathered block by block.

    Memory grows with the sides of the tile, not with its area.

    Parameters
    ----------
    height, width : int
        Size of the tile in pixels.

    Attributes
    ----------
    rows : array of float32, shape (rows, width), metres
        NaN where no residual was added.
    columns : array of float32, shape (columns, height), metres
    """

    def __init__(self, height: int, width: int) -> None:
        self._row_step, self._column_step = math.ceil(height / LINES), math.ceil(width / LINES)
        self.rows = np.full((math.ceil(height / self._row_step), width), np.nan, dtype=np.float32)
        self.columns = np.full((math.ceil(width / self._column_step), height), np.nan, dtype=np.float32)

    def add(self, top: int, residuals: NDArray[np.float32]) -> None:
        """Add a block.

        Parameters
        ----------
        top : int
            Row of the tile that the block begins with.
        residuals : array of float32, shape (rows, width), metres
            Predicted minus true height; NaN where there is none.
        """
        first = -(-top // self._row_step)
        chosen = residuals[first * self._row_step - top :: self._row_step]
        self.rows[first : first + len(chosen)] = chosen
        self.columns[:, top : top + len(residuals)] = residuals[:, :: self._column_step].T


@dataclass
class VariogramSums:
    """Sums over pairs of residuals, which add up over tiles.

    Attributes
    ----------
    pairs, distance, squared : array, shape (distances,)
        Number of pairs near each of ``DISTANCES``; sums of their distance in metres and of their squared difference.
    moments : array, shape (3,)
        Number of residuals, sums of residuals and of their squares.
    """

    pairs: NDArray[np.float64] = field(default_factory=lambda: np.zeros(len(DISTANCES)))
    distance: NDArray[np.float64] = field(default_factory=lambda: np.zeros(len(DISTANCES)))
    squared: NDArray[np.float64] = field(default_factory=lambda: np.zeros(len(DISTANCES)))
    moments: NDArray[np.float64] = field(default_factory=lambda: np.zeros(3))

    def add(self, residuals: ResidualLines, pixel_size: tuple[float, float]) -> None:
        """Add a tile.

        Parameters
        ----------
        residuals : ResidualLines
        pixel_size : tuple of float
            Height and width of a pixel in metres on the ground.
        """
        for lines, size in ((residuals.columns, pixel_size[0]), (residuals.rows, pixel_size[1])):
            finite = lines[np.isfinite(lines)].astype(np.float64)
            self.moments += (finite.size, finite.sum(), (finite**2).sum())
            self._add_pairs(lines, size)

    def _add_pairs(self, lines: NDArray[np.float32], pixel_size: float) -> None:
        """Add the pairs along the second axis."""
        steps = [max(1, round(distance / pixel_size)) for distance in DISTANCES]
        for index, step in enumerate(steps):
            repeated = step in steps[:index]  # pixels are larger than the distances
            if repeated or step >= lines.shape[1]:
                continue
            difference = lines[:, step:] - lines[:, :-step]
            valid = difference[np.isfinite(difference)].astype(np.float64)
            self.pairs[index] += valid.size
            self.distance[index] += valid.size * step * pixel_size
            self.squared[index] += float((valid**2).sum())


@dataclass(frozen=True)
class Variogram:
    """Semivariance by distance (Matheron 1963): γ(d) = mean of (r(x + d) - r(x))² / 2.

    Attributes
    ----------
    distances : array, metres
    semivariance : array, metres²
    variance : float
        Variance of the residuals, which the semivariance approaches at distances without correlation (the sill).
    """

    distances: NDArray[np.float64]
    semivariance: NDArray[np.float64]
    variance: float

    @property
    def correlation(self) -> NDArray[np.float64]:
        """Correlation by distance, 1 - γ(d) / variance; 1 where residuals do not vary."""
        if not self.variance:
            return np.ones_like(self.semivariance)
        return 1 - self.semivariance / self.variance


def variogram(sums: VariogramSums) -> Variogram:
    """Return the variogram at the distances with enough pairs."""
    enough = sums.pairs >= LEAST_PAIRS
    pairs = sums.pairs[enough]
    number, total, squared = sums.moments
    variance = max(0.0, squared / number - (total / number) ** 2) if number else 0.0
    return Variogram(sums.distance[enough] / pairs, sums.squared[enough] / pairs / 2, variance)


def correlation_length(sums: VariogramSums) -> float | None:
    """Return the distance in metres at which the correlation of residuals has fallen to 1 / e.

    It is interpolated between distances, from a correlation of 1 at distance 0. None where the correlation stays above
    that at all measured distances, or nothing was measured.
    """
    measured = variogram(sums)
    distances = np.concatenate([[0.0], measured.distances])
    correlation = np.concatenate([[1.0], measured.correlation])
    below = np.flatnonzero(correlation <= FALLEN)
    if not below.size:
        return None
    # Distance 0, whose correlation is 1, is never the first one below.
    pair = slice(below[0] - 1, below[0] + 1)
    return float(np.interp(FALLEN, correlation[pair][::-1], distances[pair][::-1]))


def cell_side_note(sums: VariogramSums, side: float) -> str:
    """Return why calibration cells of a side are too small as a sentence; empty where they are large enough."""
    measured = variogram(sums)
    if not measured.distances.size:
        return "Correlation of residuals not measured: too few neighbouring pixels with a true height."
    length = correlation_length(sums)
    if length is None:
        farthest = measured.distances[-1]
        return (
            f"Residuals are correlated as far as was measured, {farthest:.0f} m: calibration cells of {side:.3g} m are "
            "not independent, and coverage varies more from scene to scene. Use longer cells, or more validation tiles."
        )
    if length <= side:
        return ""
    return (
        f"Calibration cells of {side:.3g} m are shorter than the residuals' correlation length, {length:.0f} m: "
        f"coverage varies more from scene to scene. Use cells of at least {math.ceil(length)} m."
    )
