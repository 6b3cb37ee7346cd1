"""Gradient loss: errors of differences of heights, at several scales.

As the multi-scale gradient matching term of Li & Snavely, "MegaDepth: Learning Single-View Depth Prediction from
Internet Photos", CVPR 2018, arXiv 1804.00607; here over all pixels at several distances instead of reduced images, and
on the scale of the height head instead of the logarithm.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

DISTANCES = (1, 2, 4, 8)
"""Pixels between the two of a pair, along rows and along columns."""


def gradient_errors(difference: Tensor, valid: Tensor) -> Tensor:
    """Return the sum of the absolute differences between the errors of the pixels of each pair, a scalar.

    A pair counts where both pixels have a height.

    Parameters
    ----------
    difference : Tensor, shape (patches, rows, columns)
        Estimate less truth; finite everywhere.
    valid : Tensor of bool, shape (patches, rows, columns)
    """
    sums = [
        ((ahead - behind).abs() * (valid_ahead & valid_behind)).sum()
        for (ahead, behind), (valid_ahead, valid_behind) in zip(_pairs(difference), _pairs(valid), strict=True)
    ]
    return torch.stack(sums).sum()


def pairs_with_heights(valid: Tensor) -> Tensor:
    """Return the number of pairs whose pixels both have a height, a scalar."""
    return torch.stack([(ahead & behind).sum() for ahead, behind in _pairs(valid)]).sum()


def _pairs(values: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield the two sides of all pairs at each distance, along columns and along rows."""
    for distance in DISTANCES:
        yield values[:, :, distance:], values[:, :, :-distance]
        yield values[:, distance:], values[:, :-distance]
