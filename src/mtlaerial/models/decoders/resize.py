"""Decoder by resize-convolution: features are interpolated, then convolved.

Odena et al., "Deconvolution and Checkerboard Artifacts", Distill 2016.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn

from mtlaerial.models.decoders.layers import conv_norm_relu, enlarged


class ResizeDecoder(nn.Module):
    """From the coarsest features to the finest: enlarge, concatenate the encoder's features, convolve.

    Parameters
    ----------
    channels, strides : tuple of int
        Of the encoder, from fine to coarse.
    width : int
        Channels of the result; coarser scales have at most four times as many.

    Attributes
    ----------
    stride : int
        Side of a feature of the result in image pixels.
    """

    def __init__(self, channels: tuple[int, ...], strides: tuple[int, ...], width: int) -> None:
        super().__init__()
        self.stride = strides[0]
        coarse_first = channels[::-1]
        widths = [coarse_first[0], *(min(4, 2**scale) * width for scale in reversed(range(len(channels) - 1)))]
        self.blocks = nn.ModuleList(
            conv_norm_relu(below + skip, out)
            for (below, out), skip in zip(pairwise(widths), coarse_first[1:], strict=True)
        )

    def forward(self, encoded: tuple[Tensor, ...]) -> Tensor:
        """Return features, shape (batch, width, rows / stride, columns / stride)."""
        *skips, features = encoded
        for block, skip in zip(self.blocks, reversed(skips), strict=True):
            features = block(torch.cat([skip, enlarged(features, skip.shape[-2:])], dim=1))
        return features
