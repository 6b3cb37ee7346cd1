"""Swin Transformer V2 encoders: attention in shifted windows (Liu et al. 2022, arXiv 2111.09883).

Sizes and initial weights are those of the authors' code, github.com/microsoft/Swin-Transformer,
models/swin_transformer_v2.py; the window has 8 x 8 pixels. Stochastic depth is left out: an encoder is deterministic.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mtlaerial.models.encoders.encoder import Encoder
from mtlaerial.models.encoders.window_attention import WindowAttention
from mtlaerial.models.encoders.windows import (
    border_mask,
    join_windows,
    rolled,
    split_into_windows,
    whole_windows,
    window_shift,
)

DEVIATION = 0.02
"""Standard deviation of the initial weights, a normal distribution without its tails."""
WINDOW = 8
"""Side of a window in pixels of its scale, as in torchvision's weights."""
EXPANSION = 4
"""Hidden channels of a block for each of its channels."""


class SwinBlock(nn.Module):
    """Add to features what attention makes of them, and then what two layers make of each pixel.

    Both are normalised before they are added (res-post-norm, section 3.2).

    Parameters
    ----------
    channels, heads : int
    window : int
        Side of a window in pixels.
    shift : int
        Pixels by which windows are shifted, along each axis with more than one.
    """

    def __init__(self, channels: int, heads: int, window: int, shift: int) -> None:
        super().__init__()
        self.window, self.shift = window, shift
        self.attention = WindowAttention(channels, heads, window)
        self.norm1 = nn.LayerNorm(channels)
        self.expand = nn.Linear(channels, EXPANSION * channels)
        self.contract = nn.Linear(EXPANSION * channels, channels)
        self.norm2 = nn.LayerNorm(channels)

    def forward(self, features: Tensor) -> Tensor:
        """Return features of the same shape, (batch, rows, columns, channels)."""
        features = features + self.norm1(self._attend(features))
        return features + self.norm2(self.contract(nn.functional.gelu(self.expand(features))))  # type: ignore[no-any-return]

    def _attend(self, features: Tensor) -> Tensor:
        """Attend within windows; beyond the last row and column they are filled up with zeros."""
        rows, columns = features.shape[1:3]
        height, width = whole_windows(rows, self.window), whole_windows(columns, self.window)
        shifts = (window_shift(rows, self.window, self.shift), window_shift(columns, self.window, self.shift))
        features = nn.functional.pad(features, (0, 0, 0, width - columns, 0, height - rows))
        mask = None
        if self.shift:
            features = rolled(features, (-shifts[0], -shifts[1]))
            mask = border_mask(features, self.window, shifts)
        windows = self.attention(split_into_windows(features, self.window), mask)
        features = join_windows(windows, self.window, height, width)
        if self.shift:
            features = rolled(features, shifts)
        return nn.functional.pad(features, (0, 0, 0, columns - width, 0, rows - height))


class PatchMerging(nn.Module):
    """Halve the resolution and double the channels: a linear layer of 2 x 2 pixels, then a layer norm."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.reduce = nn.Linear(4 * channels, 2 * channels, bias=False)
        self.norm = nn.LayerNorm(2 * channels)

    def forward(self, features: Tensor) -> Tensor:
        """Return features of shape (batch, rows / 2, columns / 2, 2 * channels); rows and columns are even."""
        upper, lower = features[:, 0::2], features[:, 1::2]
        squares = torch.cat((upper[:, :, 0::2], lower[:, :, 0::2], upper[:, :, 1::2], lower[:, :, 1::2]), dim=3)
        return self.norm(self.reduce(squares))  # type: ignore[no-any-return]


class PatchEmbedding(nn.Module):
    """A convolution of patches of 4 x 4 pixels, then a layer norm."""

    def __init__(self, bands: int, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(bands, channels, 4, 4)
        self.norm = nn.LayerNorm(channels)

    def forward(self, image: Tensor) -> Tensor:
        """Return features of shape (batch, rows / 4, columns / 4, channels)."""
        return self.norm(self.conv(image).permute(0, 2, 3, 1))  # type: ignore[no-any-return]


class SwinV2(Encoder):
    """Features at 1/4, 1/8, 1/16 and 1/32 of the image's resolution: the output of the last block of each scale.

    As in torchvision no layer norm follows; its norm of the coarsest features belongs to the classifier.

    Parameters
    ----------
    bands : int
        Bands of the image.
    channels : int
        Channels of the finest scale; they double from scale to scale.
    depths, heads : sequence of int
        Blocks and heads of attention of each scale.
    window : int
        Side of a window in pixels of its scale.
    """

    strides = (4, 8, 16, 32)

    def __init__(
        self, bands: int, channels: int, depths: Sequence[int], heads: Sequence[int], window: int = WINDOW
    ) -> None:
        super().__init__()
        self.channels = tuple(channels * 2**scale for scale in range(len(depths)))
        self.entries = nn.ModuleList([PatchEmbedding(bands, channels), *map(PatchMerging, self.channels[:-1])])
        self.blocks = nn.ModuleList()
        for width, depth, count in zip(self.channels, depths, heads, strict=True):
            shifts = [number % 2 * (window // 2) for number in range(depth)]
            self.blocks.append(nn.Sequential(*(SwinBlock(width, count, window, shift) for shift in shifts)))
        _draw_weights(self)

    @property
    def first_convolution(self) -> nn.Conv2d:
        """The convolution of patches of 4 x 4 pixels."""
        return self.entries[0].conv  # type: ignore[return-value]  # a module list gives modules

    def stages(self) -> list[nn.Module]:
        """Return the stem, the blocks of the finest scale, then each coarser scale with its merging."""
        stem, *merging = self.entries
        finest, *coarser = self.blocks
        return [stem, finest, *(nn.ModuleList(pair) for pair in zip(merging, coarser, strict=True))]

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Return the features of each scale, from fine to coarse."""
        features, scales = image, []
        for entry, blocks in zip(self.entries, self.blocks, strict=True):
            features = blocks(entry(features))
            scales.append(features.permute(0, 3, 1, 2))
        return tuple(scales)


def _draw_weights(network: nn.Module) -> None:
    """Draw initial weights as the authors' code does: each block begins as the identity, its norms being 0."""
    for module in network.modules():
        if isinstance(module, nn.Linear):
            nn.init.trunc_normal_(module.weight, std=DEVIATION)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, SwinBlock):
            nn.init.zeros_(module.norm1.weight)
            nn.init.zeros_(module.norm2.weight)


def swin_v2_t(bands: int) -> SwinV2:
    """Return Swin V2-T, with 28 million parameters."""
    return SwinV2(bands, 96, (2, 2, 6, 2), (3, 6, 12, 24))


def swin_v2_s(bands: int) -> SwinV2:
    """Return Swin V2-S, with 49 million parameters."""
    return SwinV2(bands, 96, (2, 2, 18, 2), (3, 6, 12, 24))


def swin_v2_b(bands: int) -> SwinV2:
    """Return Swin V2-B, with 87 million parameters."""
    return SwinV2(bands, 128, (2, 2, 18, 2), (4, 8, 16, 32))
