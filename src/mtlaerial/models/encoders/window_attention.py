"""Attention within windows of Swin Transformer V2 (Liu et al. 2022, arXiv 2111.09883)."""

import math

import torch
from torch import Tensor, nn

SCALE, LARGEST_SCALE = 10.0, 100.0
"""Factor of the cosines: at first, and at most (section 3.3)."""
LARGEST_BIAS = 16.0
"""Upper bound of a position's bias, as in the authors' code."""
POSITION_HIDDEN = 512
"""Hidden channels of the network of positions, as in the authors' code."""


class PositionBias(nn.Module):
    """Bias of the attention between two pixels of a window, from a small network of their relative position.

    Parameters
    ----------
    window : int
        Side of the window in pixels.
    heads : int
    """

    offsets: Tensor
    pairs: Tensor

    def __init__(self, window: int, heads: int) -> None:
        super().__init__()
        self.expand = nn.Linear(2, POSITION_HIDDEN)
        self.contract = nn.Linear(POSITION_HIDDEN, heads, bias=False)
        self.register_buffer("offsets", log_spaced_offsets(window), persistent=False)
        self.register_buffer("pairs", _offset_of_each_pair(window), persistent=False)

    def forward(self) -> Tensor:
        """Return the biases, shape (heads, pixels of a window, pixels of a window), in (0, 16)."""
        values = self.contract(self.expand(self.offsets).relu())
        # An embedding, since the backward pass of an indexed tensor adds in an order that varies with the threads.
        biases = nn.functional.embedding(self.pairs, values)
        return LARGEST_BIAS * biases.permute(2, 0, 1).sigmoid()


def log_spaced_offsets(window: int) -> Tensor:
    """Return the offsets of rows and columns within a window, log-spaced (equation 4), in [-1.06, 1.06].

    Returns
    -------
    Tensor, shape ((2 * window - 1)², 2), float32
        Row by row; sign(d) log2(1 + 8 |d| / (window - 1)) / log2(8) for an offset of d pixels, as in the authors' code.
    """
    steps = torch.arange(1 - window, window, dtype=torch.float32) * 8 / (window - 1)
    spaced = steps.sign() * (1 + steps.abs()).log2() / math.log2(8)
    return torch.stack((spaced.repeat_interleave(len(steps)), spaced.repeat(len(steps))), dim=1)


def _offset_of_each_pair(window: int) -> Tensor:
    """Return the index into ``log_spaced_offsets`` for each two pixels, shape (window², window²)."""
    rows, columns = torch.arange(window).repeat_interleave(window), torch.arange(window).repeat(window)
    row_offsets = rows[:, None] - rows + window - 1
    column_offsets = columns[:, None] - columns + window - 1
    return row_offsets * (2 * window - 1) + column_offsets


class WindowAttention(nn.Module):
    """Scaled cosine attention among the pixels of each window (section 3.3).

    Parameters
    ----------
    channels, heads : int
    window : int
        Side of a window in pixels.
    """

    with_bias: Tensor

    def __init__(self, channels: int, heads: int, window: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(channels, 3 * channels)
        self.position = PositionBias(window, heads)
        self.log_scale = nn.Parameter(torch.full((heads, 1, 1), math.log(SCALE)))
        self.project = nn.Linear(channels, channels)
        # Keys have no bias: its third of the parameter, which published weights have, is without effect.
        self.register_buffer("with_bias", torch.tensor([1.0, 0.0, 1.0]).repeat_interleave(channels), persistent=False)

    def forward(self, windows: Tensor, mask: Tensor | None) -> Tensor:
        """Let the pixels of each window attend to each other.

        Parameters
        ----------
        windows : Tensor, shape (windows, pixels, channels)
        mask : Tensor, shape (windows, 1, pixels, pixels), optional
            Added to the scores.
        """
        pixels, channels = windows.shape[1:]
        qkv = nn.functional.linear(windows, self.qkv.weight, self.qkv.bias * self.with_bias)
        by_head = qkv.reshape(-1, pixels, 3, self.heads, channels // self.heads)
        query, key, value = by_head.permute(2, 0, 3, 1, 4).unbind()
        scale = self.log_scale.clamp(max=math.log(LARGEST_SCALE)).exp()
        bias = self.position()
        attended = nn.functional.scaled_dot_product_attention(
            nn.functional.normalize(query, dim=-1) * scale, nn.functional.normalize(key, dim=-1), value,
            attn_mask=bias[None] if mask is None else bias + mask, scale=1.0,
        )  # fmt: skip
        # No reshape: whether one copies depends on the attention's memory layout, which differs in exported networks.
        return self.project(torch.cat(attended.unbind(1), dim=2))  # type: ignore[no-any-return]
