"""Windows along an axis of a raster: where they start, how long they are, and what share each has in a pixel.

A window's weight at a pixel is the product of one for its row and one for its column. So windows are blended one axis
after the other, and all that blending needs to know is lines.
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
        First pixels, ascending; from each window to the next there is no gap.
    weights : Tensor, shape (window,), float64
        How much a window counts at its pixels, beside others: at least 0.
    """

    length: int
    window: int
    starts: list[int]
    weights: Tensor

    def stop(self, index: int) -> int:
        """Return the pixel after a window's last."""
        return min(self.starts[index] + self.window, self.length)

    def done(self, index: int) -> int:
        """Return the pixel before which nothing changes once the windows up to the given one are blended."""
        return self.starts[index + 1] if index + 1 < len(self.starts) else self.length

    def known(self, index: int) -> int:
        """Return how many of a window's first pixels the one before has too."""
        return max(self.stop(index - 1) - self.starts[index], 0) if index else 0

    @cached_property
    def shares(self) -> list[Tensor]:
        """What each window takes of a pixel that the windows before it are blended at: (window,), float32, in [0, 1].

        With ``blended += share * (value - blended)`` for one window after another, the outcome is the mean by weight;
        where all say the same it is just that. 1 where no window has had a weight.
        """
        total, previous, shares = torch.zeros(self.window, dtype=torch.float64), 0, []
        for start in self.starts:
            step = min(start - previous, self.window)
            total = torch.cat([total[step:], total.new_zeros(step)])
            shares.append(torch.where(total > 0, self.weights / (total + self.weights), 1.0).float())
            total, previous = total + self.weights, start
        return shares

    @property
    def overlap(self) -> int:
        """Pixels that neighbours share at least; the whole window where there is but one."""
        return min((self.known(index) for index in range(1, len(self.starts))), default=self.window)

    @property
    def borders(self) -> list[int]:
        """Pixels within the raster at which a window starts, or which are the first after one."""
        stops = (self.stop(index) for index in range(len(self.starts)))
        return sorted({*self.starts, *stops} - {0, self.length})


Layout = Callable[[int], Axis]
"""From an axis' length in pixels to its windows."""


def original(window: int, stride: int) -> Layout:
    """Return the paper's windows: of one size, one every stride and a last one at the end; weights of a Gaussian.

    The weight is exp(-d² / (2 * 0.2²)) at a distance d from the centre, the window reaching from -1 to 1.
    """
    weights = torch.exp(-(torch.linspace(-1, 1, window, dtype=torch.float64) ** 2) / (2 * 0.2**2))

    def layout(length: int) -> Axis:
        last = max(length - window, 0)
        return Axis(length, window, [*range(0, last, stride), last], weights)

    return layout


def even(largest: int, overlap: int, multiple: int) -> Layout:
    """Return windows fitted to the raster: as few as there can be, of equal size and spread evenly.

    Parameters
    ----------
    largest : int
        What a window may measure in pixels.
    overlap : int
        Pixels that neighbours share at least; less than ``largest``. Across them one fades into the other.
    multiple : int
        What a window's size is divisible by, as ``largest`` is.
    """

    def layout(length: int) -> Axis:
        number = max(1, math.ceil((length - overlap) / (largest - overlap)))
        window = multiple * math.ceil((length + (number - 1) * overlap) / (number * multiple))
        stride = (length - window) / max(number - 1, 1)
        starts = [round(index * stride) for index in range(number)]
        shared = window - math.ceil(stride) if number > 1 else 0
        return Axis(length, window, starts, _faded(window, shared))

    return layout


def described(down: Axis, across: Axis) -> str:
    """Return what a user may want to know of the windows of a raster."""
    number, size = len(down.starts) * len(across.starts), f"{down.window} x {across.window} pixels"
    if number == 1:
        return f"one window of {size}"
    return f"{number} windows of {size}, overlapping by at least {min(down.overlap, across.overlap)}"


def _faded(window: int, overlap: int) -> Tensor:
    """Return weights that rise along the overlap with a neighbour and fall along the other, shape (window,).

    In an eighth of the overlap at either end one of the two counts alone: next to its edge a network knows the least.
    """
    alone = overlap // 8
    inwards = torch.arange(window, dtype=torch.float64)
    inwards = torch.minimum(inwards, inwards.flip(0)) + 0.5
    return ((inwards - alone) / max(overlap - 2 * alone, 1)).clamp(0, 1)
