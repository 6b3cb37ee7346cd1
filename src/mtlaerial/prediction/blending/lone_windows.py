"""Pixels that one window alone decides, where nothing is known of how much windows disagree."""

import numpy as np
from torch import Tensor

from mtlaerial.prediction.blending.windows import Axis

ALONE = 0.99
"""Share in a pixel above which a window counts as alone. Of two windows that differ by d, the deviation is at least
0.1 d below it; nearer to the last pixels of a window, whose weights go to 0, it would go to 0 too."""


def lone_pixels(down: Tensor, across: Tensor) -> Tensor:
    """Return where one window decides alone, shape (rows, columns), from :attr:`Axis.largest_shares` of both axes."""
    # The windows are all pairs of one for the rows and one for the columns, and weights are products.
    return down[:, None] * across[None, :] > ALONE


def share_of_lone_pixels(down: Axis, across: Axis) -> float:
    """Return the share of a raster's pixels that one window decides alone, 0-1.

    Examples
    --------
    >>> from mtlaerial.prediction.blending.windows import original
    >>> layout = original(window=64, stride=64)
    >>> share_of_lone_pixels(layout(128), layout(192))
    1.0
    """
    columns, numbers = np.unique(across.largest_shares.numpy(), return_counts=True)
    rows, repeated = np.unique(down.largest_shares.numpy(), return_counts=True)
    pixels = sum(int(n * numbers[row * columns > ALONE].sum()) for row, n in zip(rows, repeated, strict=True))
    return pixels / (down.length * across.length)
