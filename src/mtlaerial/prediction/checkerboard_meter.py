"""Meter of grids in predicted heights, fed while a map is made."""

import math
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

from mtlaerial.prediction.blending.targets import Finished
from mtlaerial.scoring.checkerboard import (
    SEGMENT_LENGTHS,
    Direction,
    SpectrumSum,
    SpectrumSums,
    checkerboard_ratios,
    save_spectra,
)

LEAST_HEIGHT = 2.0
"""Metres of the lowest surface: roofs and trees, without the ground."""
NOISE = 0.01
"""Standard deviation, in metres, of the white noise that is added to spectra: a lower grid is not worth a report."""
CHUNK_PIXELS = 2**18
"""Limit of the pixels whose segments are in memory at once."""


class CheckerboardMeter:
    """Sums of the spectra of predicted heights along rows and columns, at the image's resolution.

    A segment is a run of ``length + 1`` pixels of one line that are all at least 2 m high. Segments overlap by half and
    lie at multiples of ``length / 2`` in the image, so that the sums do not depend on the blocks that it is made in.

    Parameters
    ----------
    channels : slice
        Channels of the heights, of one pass or several.
    """

    CONTEXT = max(SEGMENT_LENGTHS.values())
    """Finished pixels before the new ones that the meter needs."""

    def __init__(self, channels: slice) -> None:
        self._channels = channels
        self._sums: dict[tuple[Direction, int], tuple[int, Tensor]] = {}

    def __call__(self, finished: Finished) -> None:
        """Add the segments whose last pixel is newly finished, so that each counts once."""
        heights = finished.values[self._channels].mean(dim=0)
        (top, bottom), (left, right) = finished.rows, finished.columns
        y, x = finished.top, finished.left
        self._add("across", heights[top - y : bottom - y], (left, right), x)
        self._add("down", heights[:, left - x : right - x].T, (top, bottom), y)

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
                surfaces = segments[segments.amin(dim=-1) >= LEAST_HEIGHT]  # NaN is no surface
                if len(surfaces):
                    self._add_spectra(direction, length, relative_spectra(surfaces))

    def _add_spectra(self, direction: Direction, length: int, spectra: Tensor) -> None:
        number, power = self._sums.get((direction, length), (0, 0.0))
        self._sums[direction, length] = number + len(spectra), power + spectra.sum(dim=0).cpu()

    @property
    def sums(self) -> SpectrumSums:
        """The sums of all segments so far."""
        sums: SpectrumSums = {}
        for (direction, length), (number, power) in sorted(self._sums.items()):
            sums.setdefault(direction, {})[length] = SpectrumSum(segments=number, power=tuple(power.tolist()))
        return sums

    def findings(self) -> Iterator[str]:
        """Yield a line of text: the period that stands out most, or why there is no ratio."""
        ratios = checkerboard_ratios([self.sums])
        if ratios:
            period = max(ratios, key=ratios.__getitem__)
            text = f"at {period} px is {ratios[period]:.1f} times its neighbours (checkerboard ratio)"
            yield f"height: power {text}"
        else:
            yield "height: too few surfaces of 2 m and more to tell a grid of the network"

    def save(self, folder: Path) -> None:
        """Write ``checkerboard.json``."""
        save_spectra(self.sums, folder)


def relative_spectra(segments: Tensor) -> Tensor:
    """Return the power spectra of segments of heights, each divided by its sum.

    Parameters
    ----------
    segments : Tensor, shape (segments, length + 1)
        In metres.

    Returns
    -------
    Tensor, shape (segments, length / 2 + 1), float64
    """
    # Differences flatten the slope of natural spectra, lest low frequencies leak; less their mean, they have no trend.
    steps = segments.diff(dim=-1)
    steps = steps - steps.mean(dim=-1, keepdim=True)
    window, noise = _window_and_noise(steps.shape[-1])
    power: Tensor = torch.fft.rfft(steps * window.to(steps)).abs().square().double() + noise.to(steps.device)
    return power / power.sum(dim=-1, keepdim=True)


@cache
def _window_and_noise(length: int) -> tuple[Tensor, Tensor]:
    """Return the Hann window, and the spectrum of white noise of ``NOISE`` after differences and window.

    A difference has the gain |1 - exp(-i w)|² = 4 sin²(w / 2).
    """
    window = torch.hann_window(length, dtype=torch.float64)
    half_angles = torch.pi * torch.arange(length // 2 + 1, dtype=torch.float64) / length
    return window, NOISE**2 * 4 * half_angles.sin().square() * window.square().sum()
