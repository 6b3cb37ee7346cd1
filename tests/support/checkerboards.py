"""Checkerboard ratios of heights in memory, and surfaces with a grid of known amplitude."""

import numpy as np
import torch
from torch import Tensor

from mtlaerial.prediction.blending.targets import Finished
from mtlaerial.prediction.checkerboard_meter import CheckerboardMeter
from mtlaerial.scoring.checkerboard import Direction, SpectrumSum, SpectrumSums, checkerboard_ratios


def spectra(heights: Tensor) -> SpectrumSums:
    """Return the sums of heights in metres, shape (rows, columns), that are finished all at once."""
    meter = CheckerboardMeter("height", slice(0, 1))
    rows, columns = heights.shape
    meter(Finished(heights[None].float(), 0, 0, (0, rows), (0, columns)))
    return meter.sums


def spectrum(sums: SpectrumSums, direction: Direction, length: int) -> SpectrumSum:
    """Return the only sum of a direction and a length."""
    (entry,) = [entry for entry in sums[direction] if entry.length == length]
    return entry


def ratios(heights: Tensor) -> dict[int, float]:
    """Return the checkerboard ratio by period."""
    return checkerboard_ratios([spectra(heights)])


def roofs(size: int = 512, noise: float = 0.05) -> Tensor:
    """Return sloping roofs on flat ground, whose heights have white noise of the given deviation in metres."""
    random = np.random.default_rng(0)
    heights = np.zeros((size, size))
    for _ in range(24):
        row, column = random.integers(0, size - 150, 2)
        rows, columns = random.integers(70, 150, 2)
        slopes = random.uniform(-0.03, 0.03, 2)
        plane = random.uniform(7, 20) + slopes[0] * np.arange(rows)[:, None] + slopes[1] * np.arange(columns)
        heights[row : row + rows, column : column + columns] = plane
    return torch.from_numpy(heights + noise * random.standard_normal((size, size)))


def grid(size: int, period: int, amplitude: float) -> Tensor:
    """Return a grid of rows and columns: a cosine of the given amplitude in metres along both."""
    wave = amplitude * torch.cos(2 * torch.pi * torch.arange(size) / period)
    return wave[:, None] + wave[None, :]
