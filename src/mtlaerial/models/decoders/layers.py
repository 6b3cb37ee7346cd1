"""Layers that decoders and heads share."""

from collections.abc import Sequence

from torch import Tensor, nn


def conv_norm_relu(channels: int, out: int, kernel: int = 3) -> nn.Sequential:
    """Return a convolution, a batch norm and a ReLU that keep rows and columns."""
    convolution = nn.Conv2d(channels, out, kernel, padding=kernel // 2, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(out), nn.ReLU(inplace=True))


def enlarged(features: Tensor, size: Sequence[int]) -> Tensor:
    """Return features interpolated bilinearly to (rows, columns)."""
    return nn.functional.interpolate(features, size=tuple(size), mode="bilinear", align_corners=False)
