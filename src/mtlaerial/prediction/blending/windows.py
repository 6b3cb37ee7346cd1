"""Windows along an axis of a raster: their starts, their size, and their share in each pixel.

A window's weight at a pixel is the product of one for its row and one for its column. So windows are blended one axis
after the other, with weights along lines, never over areas.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Axis:
    """The windows along one axis.

    Attributes
    ----------
    length : int
        Pixels of the raster.
    window : int
        Pixels of a window; more than ``length`` where the raster is smaller.
    starts : list of int
        First pixel of each window, ascending, without gaps between windows.
    weights : Tensor, shape (window,), float64
        A window's weight at each of its pixels, at least 0.
    """

    length: int
    window: int
    starts: list[int]
    weights: Tensor

    def stop(self, index: int) -> int:
        """Return the pixel after a window's last."""
        return min(self.starts[index] + self.window, self.length)

    def done(self, index: int) -> int:
        """Return the number of pixels that are final once the windows up to the given one are blended."""
        return self.starts[index + 1] if index + 1 < len(self.starts) else self.length

    def overlap_before(self, index: int) -> int:
        """Return the number of a window's first pixels that the window before covers too."""
        return max(self.stop(index - 1) - self.starts[index], 0) if index else 0

    @cached_property
    def fade_factors(self) -> list[Tensor]:
        """Share of each window in its pixels when it is blended into those before: (window,), float32, in [0, 1].

        With ``blended += share * (value - blended)``, window after window, the result is the mean by weight. The share
        is 1 where no window has had a weight.
        """
        # The running mean m_i = m_(i-1) + w_i / W_i * (x_i - m_(i-1)), with W_i = w_1 + ... + w_i. Equal values give
        # x_i - m_(i-1) = 0 and stay equal to the bit, which sum(w * x) / sum(w) does not guarantee.
        total, previous, shares = torch.zeros(self.window, dtype=torch.float64), 0, []
        for start in self.starts:
            step = min(start - previous, self.window)
            total = torch.cat([total[step:], total.new_zeros(step)])
            shares.append(torch.where(total > 0, self.weights / (total + self.weights), 1.0).float())
            total, previous = total + self.weights, start
        return shares

    @cached_property
    def largest_shares(self) -> Tensor:
        """Largest share of a window in each pixel: (length,), float32, in (0, 1]; 1 where no window has a weight."""
        total, largest = torch.zeros(2, self.length, dtype=torch.float64)
        for index, start in enumerate(self.starts):
            stop = self.stop(index)
            weights = self.weights[: stop - start]
            total[start:stop] += weights
            largest[start:stop] = torch.maximum(largest[start:stop], weights)
        return torch.where(total > 0, largest / total, 1.0).float()

    @property
    def overlap(self) -> int:
        """Least number of pixels that neighbours share; the whole window where there is only one."""
        return min((self.overlap_before(index) for index in range(1, len(self.starts))), default=self.window)

    @property
    def borders(self) -> list[int]:
        """Pixels inside the raster at which a window starts, or which follow a window's last."""
        stops = (self.stop(index) for index in range(len(self.starts)))
        return sorted({*self.starts, *stops} - {0, self.length})


Layout = Callable[[int], Axis]
"""From an axis' length in pixels to its windows."""


def original(window: int, stride: int) -> Layout:
    """Return the original's windows: of one size, one every stride and a last one at the end, with Gaussian weights.

    See :func:`gaussian_weights`.
    """
    weights = gaussian_weights(window)

    def layout(length: int) -> Axis:
        last = max(length - window, 0)
        return Axis(length, window, [*range(0, last, stride), last], weights)

    return layout


def even(largest: int, overlap: int, multiple: int) -> Layout:
    """Return windows fitted to the raster: the fewest possible, of equal size, spread evenly, fading into each other.

    Parameters
    ----------
    largest : int
        Largest size of a window in pixels.
    overlap : int
        Least number of pixels that neighbours share; less than ``largest``.
    multiple : int
        Divisor of a window's size, and of ``largest``.

    Examples
    --------
    >>> axis = even(1280, 128, 32)(3240)
    >>> axis.window, axis.starts, axis.overlap
    (1184, [0, 1028, 2056], 156)
    """

    def layout(length: int) -> Axis:
        # The least n with n * largest - (n - 1) * overlap >= length, then the least window that n of them need.
        number = max(1, math.ceil((length - overlap) / (largest - overlap)))
        window = multiple * math.ceil((length + (number - 1) * overlap) / (number * multiple))
        stride = (length - window) / max(number - 1, 1)
        starts = [round(index * stride) for index in range(number)]
        shared = window - math.ceil(stride) if number > 1 else 0
        return Axis(length, window, starts, faded_weights(window, shared))

    return layout


def windows_text(down: Axis, across: Axis) -> str:
    """Return number, size and overlap of a raster's windows as text for the user."""
    number, size = len(down.starts) * len(across.starts), f"{down.window} x {across.window} pixels"
    if number == 1:
        return f"one window of {size}"
    return f"{number} windows of {size}, overlapping by at least {min(down.overlap, across.overlap)}"


def gaussian_weights(window: int) -> Tensor:
    """Return the original's weights, exp(-d² / (2 * 0.2²)) at a distance d in [-1, 1] from the centre: (window,)."""
    return torch.exp(-(torch.linspace(-1, 1, window, dtype=torch.float64) ** 2) / (2 * 0.2**2))


def faded_weights(window: int, overlap: int) -> Tensor:
    """Return weights that rise along the overlap with one neighbour and fall along that with the other: (window,)."""
    # At its edge a network sees the least context: in the outer eighth of an overlap the neighbour counts alone.
    alone = overlap // 8
    to_edge = torch.arange(window, dtype=torch.float64)
    to_edge = torch.minimum(to_edge, to_edge.flip(0)) + 0.5
    return ((to_edge - alone) / max(overlap - 2 * alone, 1)).clamp(0, 1)
