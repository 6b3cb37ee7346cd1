"""Meter of grids in predicted heights, fed while a map is made."""

import math
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

from mtlaerial.config import Task, task_entry
from mtlaerial.prediction.blending.targets import Finished
from mtlaerial.scoring.checkerboard import (
    SEGMENT_LENGTHS,
    Direction,
    SpectrumSum,
    SpectrumSums,
    checkerboard_ratios,
    save_spectra,
)

LEAST_HEIGHT, GREATEST_HEIGHT = 2.0, 9000.0
"""Range of surfaces in metres: roofs and trees, without the ground and what no height can be."""
NOISE = 0.01
"""Standard deviation, in metres, of the white noise that is added to spectra: a lower grid is not worth a report."""
LINE_STEP = 3
"""Every third line is measured: neighbours are alike, and 3 has no divisor in common with the periods of a grid."""
CHUNK_PIXELS = 2**18
"""Limit of the pixels whose segments are in memory at once."""


class CheckerboardMeter:
    """Sums of the spectra of predicted heights along rows and columns, at the image's resolution.

    A segment is a run of ``length + 1`` pixels of one line that are all at least 2 m high. Segments overlap by half and
    lie at multiples of ``length / 2`` in the image, so that the sums do not depend on the blocks that it is made in.

    Parameters
    ----------
    task : Task
        A task of heights.
    channels : slice
        Its channels, of one pass or several.
    """

    CONTEXT = max(SEGMENT_LENGTHS.values())
    """Finished pixels before the new ones that the meter needs."""

    def __init__(self, task: Task, channels: slice) -> None:
        self._task, self._channels, self._metres = task, channels, task_entry(task).metres
        self._sums: dict[tuple[Direction, int], tuple[int, Tensor]] = {}

    def __call__(self, finished: Finished) -> None:
        """Add the segments whose last pixel is newly finished, so that each counts once."""
        heights = finished.values[self._channels].mean(dim=0) * self._metres
        (top, bottom), (left, right) = finished.rows, finished.columns
        y, x = finished.top, finished.left
        rows = heights[_first_line(top) - y : bottom - y : LINE_STEP]
        columns = heights[:, _first_line(left) - x : right - x : LINE_STEP].T
        self._add("across", rows, (left, right), x)
        self._add("down", columns, (top, bottom), y)

    def _add(self, direction: Direction, lines: Tensor, ends: tuple[int, int], origin: int) -> None:
        """Add the segments that end in a range of pixels; lines, shape (lines, pixels), start at pixel ``origin``."""
        for length in set(SEGMENT_LENGTHS.values()):
            step = length // 2
            first = max(math.ceil((ends[0] - length) / step), 0) * step - origin
            last = ends[1] - origin
            if last - first <= length:
                continue
            for chunk in torch.split(lines[:, first:last], max(CHUNK_PIXELS // (last - first), 1)):
                segments = chunk.unfold(1, length + 1, step)
                high = segments[segments.amin(dim=-1) >= LEAST_HEIGHT]  # NaN is no surface
                surfaces = high[high.amax(dim=-1) <= GREATEST_HEIGHT]
                if len(surfaces):
                    self._add_spectra(direction, length, surfaces)

    def _add_spectra(self, direction: Direction, length: int, surfaces: Tensor) -> None:
        number, power = self._sums.get((direction, length), (0, 0.0))
        self._sums[direction, length] = number + len(surfaces), power + sum_of_spectra(surfaces).cpu().double()

    @property
    def sums(self) -> SpectrumSums:
        """The sums of all segments so far."""
        sums: SpectrumSums = {}
        for (direction, length), (number, power) in sorted(self._sums.items()):
            values = {"length": length, "segments": number, "power": power.tolist()}
            sums[direction] = (*sums.get(direction, ()), SpectrumSum.model_validate(values))
        return sums

    def findings(self) -> Iterator[str]:
        """Yield a line of text: the period that stands out most, or why there is no ratio."""
        ratios = checkerboard_ratios([self.sums])
        if ratios:
            period = max(ratios, key=ratios.__getitem__)
            text = f"at {period} px is {ratios[period]:.1f} times its neighbours (checkerboard ratio)"
            yield f"{self._task}: power {text}"
        else:
            yield f"{self._task}: too few surfaces of 2 m and more to tell whether the network leaves a grid in them"

    def save(self, folder: Path) -> None:
        """Write the sums beside the maps."""
        save_spectra(self.sums, folder, self._task)


def _first_line(line: int) -> int:
    """Return the first measured row or column from the given one on."""
    return -(-line // LINE_STEP) * LINE_STEP


def sum_of_spectra(segments: Tensor) -> Tensor:
    """Return the sum of the power spectra of segments of heights, each divided by its own sum.

    Parameters
    ----------
    segments : Tensor, shape (segments, length + 1)
        In metres.

    Returns
    -------
    Tensor, shape (length / 2 + 1,)
    """
    transform, noise = _transform_and_noise(segments.shape[1] - 1, segments.device)
    # Less their first pixel, which changes no step, lest rounding be that of the whole height.
    cosines, sines = ((segments - segments[:, :1]) @ transform).chunk(2, dim=1)
    power = cosines.square() + sines.square() + noise
    return 1 / power.sum(dim=1) @ power


@cache
def _transform_and_noise(length: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return the matrix from heights to the Fourier transform of their steps, and the spectrum of noise in them.

    Steps between pixels, less their mean, with a Hann window. Steps flatten the slope of natural spectra, lest low
    frequencies leak into high ones; a step has the gain |1 - exp(-i w)|² = 4 sin²(w / 2).
    """
    window = torch.hann_window(length, dtype=torch.float64)
    steps = torch.eye(length + 1, dtype=torch.float64).diff(dim=1)
    fourier = torch.fft.rfft((steps - steps.mean(dim=1, keepdim=True)) * window)
    half_angles = torch.pi * torch.arange(length // 2 + 1) / length
    noise = NOISE**2 * 4 * half_angles.sin().square() * window.square().sum()
    return torch.cat([fourier.real, fourier.imag], dim=1).float().to(device), noise.float().to(device)
