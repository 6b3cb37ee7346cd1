"""Windows on one lattice of a region, which do not depend on the part of the region that is predicted.

A pixel of two predictions of different parts is covered by the same windows, blended in the same order with the same
shares. So the parts fit together without a seam, and equal a prediction of the whole.
"""

from dataclasses import dataclass

from torch import Tensor

from mtlaerial.config import PredictionSpec
from mtlaerial.prediction.blending.windows import Axis, faded_weights, gaussian_weights


@dataclass(frozen=True, eq=False)
class Lattice:
    """Windows of one size that begin at the multiples of a stride, along rows and columns alike.

    Attributes
    ----------
    window, stride : int
        Pixels; the stride is at most the window.
    weights : Tensor, shape (window,), float64
        A window's weight at each of its pixels.
    """

    window: int
    stride: int
    weights: Tensor

    @classmethod
    def of(cls, prediction: PredictionSpec) -> "Lattice":
        """Return the lattice of the window, the stride and the weights of a prediction."""
        window, stride = prediction.window, prediction.stride
        original = prediction.blend == "original"
        weights = gaussian_weights(window) if original else faded_weights(window, window - stride)
        return cls(window, stride, weights)

    def span(self, start: int, stop: int) -> tuple[int, int]:
        """Return the range of the pixels of all windows that cover a pixel from ``start`` to ``stop - 1``.

        It may end beyond the region: the last windows are whole.

        Examples
        --------
        >>> import torch
        >>> Lattice(window=8, stride=6, weights=torch.ones(8)).span(12, 20)
        (6, 26)
        """
        first = max(0, -(-(start - self.window + 1) // self.stride))
        last = (stop - 1) // self.stride
        return first * self.stride, last * self.stride + self.window

    def layout(self, length: int) -> Axis:
        """Return the windows of a span of the given length."""
        return Axis(length, self.window, [*range(0, length - self.window + 1, self.stride)], self.weights)
