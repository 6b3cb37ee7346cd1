"""ConvNeXt encoders: depthwise 7 x 7 convolutions between residual connections (Liu et al. 2022, arXiv 2201.03545).

Sizes and initial weights are those of the authors' code, github.com/facebookresearch/ConvNeXt, models/convnext.py.
Stochastic depth is left out: an encoder is deterministic.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from mtlaerial.models.depthwise import DepthwiseConv2d
from mtlaerial.models.encoders.encoder import Encoder

DEVIATION = 0.02
"""Standard deviation of the initial weights, a normal distribution without its tails."""
EPSILON = 1e-6
"""Of layer norms."""
LAYER_SCALE = 1e-6
"""Initial factor of what a block adds to its input."""
EXPANSION = 4
"""Hidden channels of a block for each of its channels."""


class ChannelNorm(nn.LayerNorm):
    """Layer norm over the channels of features of shape (batch, channels, rows, columns)."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, eps=EPSILON)

    def forward(self, features: Tensor) -> Tensor:
        """Return normalised features of the same shape."""
        return super().forward(features.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class ConvNeXtBlock(nn.Module):
    """Add to features what a depthwise convolution and two layers at each pixel make of them (figure 4)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.depthwise = DepthwiseConv2d(channels, kernel_size=7, padding=3)
        self.norm = nn.LayerNorm(channels, eps=EPSILON)
        self.expand = nn.Linear(channels, EXPANSION * channels)
        self.contract = nn.Linear(EXPANSION * channels, channels)
        self.scale = nn.Parameter(torch.full((channels, 1, 1), LAYER_SCALE))

    def forward(self, features: Tensor) -> Tensor:
        """Return features of the same shape, (batch, channels, rows, columns)."""
        change = self.norm(self.depthwise(features).permute(0, 2, 3, 1))
        change = self.contract(nn.functional.gelu(self.expand(change)))
        return features + self.scale * change.permute(0, 3, 1, 2)  # type: ignore[no-any-return]


class ConvNeXt(Encoder):
    """Features at 1/4, 1/8, 1/16 and 1/32 of the image's resolution: the output of the last block of each scale.

    As in torchvision no layer norm follows; the authors' code for dense prediction has one after each scale.

    Parameters
    ----------
    bands : int
        Bands of the image.
    channels : sequence of int
        Channels of each scale.
    depths : sequence of int
        Blocks of each scale.
    """

    strides = (4, 8, 16, 32)

    def __init__(self, bands: int, channels: Sequence[int], depths: Sequence[int]) -> None:
        super().__init__()
        self.channels = tuple(channels)
        self.entries = nn.ModuleList([nn.Sequential(nn.Conv2d(bands, channels[0], 4, 4), ChannelNorm(channels[0]))])
        for fine, coarse in pairwise(channels):
            self.entries.append(nn.Sequential(ChannelNorm(fine), nn.Conv2d(fine, coarse, 2, 2)))
        self.blocks = nn.ModuleList()
        for width, depth in zip(channels, depths, strict=True):
            self.blocks.append(nn.Sequential(*(ConvNeXtBlock(width) for _ in range(depth))))
        _draw_weights(self)

    @property
    def first_convolution(self) -> nn.Conv2d:
        """The convolution of patches of 4 x 4 pixels."""
        return self.entries[0][0]  # type: ignore[no-any-return, index]  # a module list gives modules

    def stages(self) -> list[nn.Module]:
        """Return the stem, the blocks of the finest scale, then each coarser scale with its downsampling."""
        stem, *downsampling = self.entries
        finest, *coarser = self.blocks
        return [stem, finest, *(nn.ModuleList(pair) for pair in zip(downsampling, coarser, strict=True))]

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Return the features of each scale, from fine to coarse."""
        features, scales = image, []
        for entry, blocks in zip(self.entries, self.blocks, strict=True):
            features = blocks(entry(features))
            scales.append(features)
        return tuple(scales)


def _draw_weights(network: nn.Module) -> None:
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.trunc_normal_(module.weight, std=DEVIATION)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def convnext_tiny(bands: int) -> ConvNeXt:
    """Return ConvNeXt-T, with 28 million parameters."""
    return ConvNeXt(bands, (96, 192, 384, 768), (3, 3, 9, 3))


def convnext_small(bands: int) -> ConvNeXt:
    """Return ConvNeXt-S, with 49 million parameters."""
    return ConvNeXt(bands, (96, 192, 384, 768), (3, 3, 27, 3))


def convnext_base(bands: int) -> ConvNeXt:
    """Return ConvNeXt-B, with 88 million parameters."""
    return ConvNeXt(bands, (128, 256, 512, 1024), (3, 3, 27, 3))
