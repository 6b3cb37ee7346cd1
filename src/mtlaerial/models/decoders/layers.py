"""Layers that decoders and heads share."""

from math import log2

from torch import Tensor, nn


def conv_norm_relu(channels: int, out: int, kernel: int = 3) -> nn.Sequential:
    """Return a convolution, a batch norm and a ReLU that keep rows and columns."""
    return nn.Sequential(*conv_norm(channels, out, kernel), nn.ReLU(inplace=True))


def conv_norm(channels: int, out: int, kernel: int = 1) -> nn.Sequential:
    """Return a convolution and a batch norm that keep rows and columns."""
    convolution = nn.Conv2d(channels, out, kernel, padding=kernel // 2, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(out))


def doubled(features: Tensor, times: int = 1) -> Tensor:
    """Return features interpolated to twice the rows and columns, some times over.

    Bilinear interpolation by 2 has the kernel (1, 3, 3, 1) / 4, whose spectrum vanishes to the third order at the
    period of the new grid; repeated, it is Chaikin's subdivision, whose limits are quadratic B-splines without kinks
    (Chaikin 1974, doi 10.1016/0146-664X(74)90028-8). Interpolation by 4 or more at once has kinks at the period of the
    coarse grid, and blurs some pixels more than others, which a ReLU turns into a pattern.

    Parameters
    ----------
    features : Tensor, shape (batch, channels, rows, columns)
    times : int
        Number of doublings.

    Examples
    --------
    >>> import torch
    >>> doubled(torch.tensor([[[[0.0, 4.0]]]])).tolist()
    [[[[0.0, 1.0, 3.0, 4.0], [0.0, 1.0, 3.0, 4.0]]]]
    """
    for _ in range(times):
        features = nn.functional.interpolate(features, scale_factor=2.0, mode="bilinear", align_corners=False)
    return features


def doublings(stride: int, finer: int) -> int:
    """Return how many doublings lead from a stride to a finer one.

    Examples
    --------
    >>> doublings(16, 4)
    2
    """
    return round(log2(stride / finer))
