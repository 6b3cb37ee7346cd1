"""Decoder by resize-convolution: features are interpolated, then convolved.

Odena et al., "Deconvolution and Checkerboard Artifacts", Distill 2016.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn

from mtlaerial.models.decoders.layers import conv_norm_relu, doubled, doublings

WIDEST = 4
"""Channels of the coarse scales, at most, in multiples of those of the result."""


class ResizeDecoder(nn.Module):
    """From the coarsest features to the finest: double, concatenate the encoder's features, convolve.

    The order is that of a U-Net (Ronneberger et al. 2015, arXiv 1505.04597), with interpolation in place of its
    transposed convolutions, and one convolution per scale.

    Parameters
    ----------
    channels, strides : tuple of int
        Of the encoder, from fine to coarse.
    width : int
        Channels of the result; coarser scales have at most four times as many.

    Attributes
    ----------
    channels, stride : int
        Channels of the result, and side of one of its features in image pixels.
    """

    def __init__(self, channels: tuple[int, ...], strides: tuple[int, ...], width: int) -> None:
        super().__init__()
        self.channels, self.stride = width, strides[0]
        self.steps = [doublings(coarse, fine) for fine, coarse in pairwise(strides)][::-1]
        *skips, entry = channels
        self.blocks = nn.ModuleList()
        for scale, skip in reversed(list(enumerate(skips))):
            out = min(WIDEST, 2**scale) * width
            self.blocks.append(conv_norm_relu(entry + skip, out))
            entry = out

    def forward(self, encoded: tuple[Tensor, ...]) -> Tensor:
        """Return features, shape (batch, channels, rows / stride, columns / stride)."""
        *skips, features = encoded
        for block, steps, skip in zip(self.blocks, self.steps, reversed(skips), strict=True):
            features = block(torch.cat([skip, doubled(features, steps)], dim=1))
        return features
