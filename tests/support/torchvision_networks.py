"""torchvision's ConvNeXt and Swin V2: names and shapes of their tensors, values by a formula, and their features.

Written from torchvision's networks, not from ours: `tests/models/encoders/test_torchvision.py` compares them where
torchvision is installed.
"""

import zlib
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

Shapes = dict[str, tuple[int, ...]]
CONVNEXT = {
    "tiny": ((96, 192, 384, 768), (3, 3, 9, 3)),
    "small": ((96, 192, 384, 768), (3, 3, 27, 3)),
    "base": ((128, 256, 512, 1024), (3, 3, 27, 3)),
}
"""Channels and blocks of each scale."""
SWIN_V2 = {
    "t": (96, (2, 2, 6, 2), (3, 6, 12, 24)),
    "s": (96, (2, 2, 18, 2), (3, 6, 12, 24)),
    "b": (128, (2, 2, 18, 2), (4, 8, 16, 32)),
}
"""Channels of the finest scale, and blocks and heads of each."""
SMALL_CONVNEXT = ((8, 12, 16, 24), (1, 1, 2, 1))
SMALL_SWIN_V2 = (12, (2, 1, 2, 2), (1, 2, 3, 6))
IMAGE = (96, 160)
"""Rows and columns of the image of the features below."""
CONVNEXT_FEATURES = [
    [-0.051336, 0.235036, -0.253518],
    [-0.006932, 0.249001, 0.148928],
    [0.041408, 0.433811, -0.021890],
    [-0.009457, 0.458011, -0.136172],
]
SWIN_V2_FEATURES = [
    [0.063448, 0.317569, -0.210073],
    [-0.043104, 0.217304, -0.426040],
    [-0.021622, 0.591634, -0.506969],
    [0.083632, 0.495341, 0.303532],
]
"""`summary` of each scale's features, of torchvision 0.29.1's small networks with `formula_tensors`."""


def convnext_shapes(channels: Sequence[int], depths: Sequence[int]) -> Shapes:
    """Return the shape of each tensor of ``torchvision.models.ConvNeXt`` with 1,000 classes."""
    shapes = _layer("features.0.0", channels[0], 3, 4, 4) | _norm("features.0.1", channels[0])
    for scale, (width, depth) in enumerate(zip(channels, depths, strict=True)):
        if scale:
            narrow, entry = channels[scale - 1], f"features.{2 * scale}"
            shapes |= _norm(f"{entry}.0", narrow) | _layer(f"{entry}.1", width, narrow, 2, 2)
        for number in range(depth):
            block = f"features.{2 * scale + 1}.{number}"
            shapes |= {f"{block}.layer_scale": (width, 1, 1)} | _layer(f"{block}.block.0", width, 1, 7, 7)
            shapes |= _norm(f"{block}.block.2", width)
            shapes |= _layer(f"{block}.block.3", 4 * width, width) | _layer(f"{block}.block.5", width, 4 * width)
    return shapes | _norm("classifier.0", channels[-1]) | _layer("classifier.2", 1000, channels[-1])


def swin_v2_shapes(channels: int, depths: Sequence[int], heads: Sequence[int]) -> Shapes:
    """Return the shape of each tensor of torchvision's Swin V2 with windows of 8 x 8 and 1,000 classes."""
    shapes = _layer("features.0.0", channels, 3, 4, 4) | _norm("features.0.2", channels)
    width = channels
    for scale, (depth, count) in enumerate(zip(depths, heads, strict=True)):
        width = channels * 2**scale
        for number in range(depth):
            shapes |= _swin_block(f"features.{2 * scale + 1}.{number}", width, count)
        if scale < len(depths) - 1:
            merging = f"features.{2 * scale + 2}"
            shapes |= {f"{merging}.reduction.weight": (2 * width, 4 * width)} | _norm(f"{merging}.norm", 2 * width)
    return shapes | _norm("norm", width) | _layer("head", 1000, width)


def _swin_block(block: str, width: int, heads: int) -> Shapes:
    shapes = {
        f"{block}.attn.logit_scale": (heads, 1, 1),
        f"{block}.attn.relative_coords_table": (1, 15, 15, 2),
        f"{block}.attn.relative_position_index": (4096,),
        f"{block}.attn.cpb_mlp.2.weight": (heads, 512),
    }
    shapes |= _norm(f"{block}.norm1", width) | _norm(f"{block}.norm2", width)
    shapes |= _layer(f"{block}.attn.qkv", 3 * width, width) | _layer(f"{block}.attn.proj", width, width)
    shapes |= _layer(f"{block}.attn.cpb_mlp.0", 512, 2)
    return shapes | _layer(f"{block}.mlp.0", 4 * width, width) | _layer(f"{block}.mlp.3", width, 4 * width)


def _norm(name: str, width: int) -> Shapes:
    return {f"{name}.weight": (width,), f"{name}.bias": (width,)}


def _layer(name: str, *shape: int) -> Shapes:
    return {f"{name}.weight": shape, f"{name}.bias": (shape[0],)}


def empty_tensors(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Tensor]:
    """Return tensors of these shapes that take no memory, each with a number of its own in all places."""
    return {name: torch.tensor(float(number)).expand(shape) for number, (name, shape) in enumerate(shapes.items())}


def formula_tensors(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Tensor]:
    """Return a wave for each tensor: its phase follows from the name, its mean and height from the tensor's kind."""
    return {name: _wave(name, shape) for name, shape in shapes.items()}


def formula_image(rows: int, columns: int) -> Tensor:
    """Return an image of three bands with values in [-1, 1]."""
    return _wave("image", (1, 3, rows, columns)) / AMPLITUDE


AMPLITUDE = 0.25


def _wave(name: str, shape: tuple[int, ...]) -> Tensor:
    length = torch.Size(shape).numel()
    phase = zlib.crc32(name.encode()) % 1000
    wave = AMPLITUDE * (0.7 * torch.arange(length, dtype=torch.float64) ** 1.3 + phase).sin()
    if name.endswith("logit_scale"):
        wave = wave + 2.0
    return wave.reshape(shape).float()


def summary(features: Sequence[Tensor]) -> Tensor:
    """Return mean and root mean square of each scale's features, and the value at its last channel, row and column."""
    rows = [[scale.mean(), scale.square().mean().sqrt(), scale[0, -1, -1, -1]] for scale in features]
    return torch.tensor(rows)
