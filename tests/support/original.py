"""A reference implementation of the original network, from its layers and tensor names, without our code.

Names: github.com/marcelampc/mtl_aerial_images. Weights follow from the names, so that outputs can be written down.
"""

import math
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, batch_norm, conv2d, conv_transpose2d, leaky_relu, relu

Shape = tuple[int, ...]
ALIAS = "decoder.d_block3"
"""The original has its third decoder block under this name too."""


class Sizes(NamedTuple):
    """Channels and layers; by default the original's."""

    bands: int = 3
    stem: int = 64
    growth: int = 32
    blocks: Shape = (6, 12, 24, 16)
    bottleneck: int = 4
    shared: Shape = (512, 256, 128)
    head: Shape = (64, 64)


SMALL = Sizes(stem=8, growth=4, blocks=(2, 1, 3, 1), bottleneck=2, shared=(12, 10, 6), head=(7, 5))


def shapes(outputs: Sequence[int], skips: bool, sizes: Sizes = SMALL) -> dict[str, Shape]:
    """Return every tensor's shape by the original's name; ``outputs`` are the channels of each task's output."""
    return dict(_shapes(outputs, skips, sizes))


def _shapes(outputs: Sequence[int], skips: bool, sizes: Sizes) -> Iterator[tuple[str, Shape]]:
    encoder = list(_encoder(sizes))
    yield from encoder
    reduced = [shape[0] for name, shape in encoder if name.endswith(".conv.weight")]
    coarsest = dict(encoder)["features.norm5.weight"][0]
    half, quarter, eighth, sixteenth = (sizes.stem, *reduced) if skips else (0, 0, 0, 0)
    first, second, third = sizes.shared
    yield from _decoder_block("decoder.d_block5.0", coarsest, first)
    yield from _decoder_block("decoder.d_block4.0", first + sixteenth, second)
    yield from _decoder_block(f"{ALIAS}.0", second + eighth, third)
    for number, channels in enumerate(outputs):
        name = f"decoder_tasks.{number}"
        yield from _decoder_block(f"{name}.d_block2.0", third + quarter, sizes.head[0])
        yield from _decoder_block(f"{name}.d_block1.0", sizes.head[0] + half, sizes.head[1])
        yield f"{name}.last_conv.weight", (channels, sizes.head[1], 3, 3)
    yield from _decoder_block("last_common_layer.0", second + eighth, third)


def _encoder(sizes: Sizes) -> Iterator[tuple[str, Shape]]:
    channels = sizes.stem
    yield "features.conv0.weight", (channels, sizes.bands, 3, 3)
    yield from _norm("features.norm0", channels)
    yield "features.downconv0.weight", (channels, channels, 4, 4)
    yield from _norm("features.norm1", channels)
    inner = sizes.growth * sizes.bottleneck
    for block, layers in enumerate(sizes.blocks, start=1):
        for layer in range(1, layers + 1):
            name = f"features.denseblock{block}.denselayer{layer}"
            yield from _norm(f"{name}.norm1", channels)
            yield f"{name}.conv1.weight", (inner, channels, 1, 1)
            yield from _norm(f"{name}.norm2", inner)
            yield f"{name}.conv2.weight", (sizes.growth, inner, 3, 3)
            channels += sizes.growth
        if block < len(sizes.blocks):
            yield from _norm(f"features.transition{block}.norm", channels)
            yield f"features.transition{block}.conv.weight", (channels // 2, channels, 1, 1)
            channels //= 2
    yield from _norm("features.norm5", channels)


def _decoder_block(name: str, channels: int, out: int) -> Iterator[tuple[str, Shape]]:
    yield f"{name}.conv1.weight", (channels, out, 4, 4)
    yield f"{name}.conv1.bias", (out,)
    yield from _norm(f"{name}.bn1", out)
    yield f"{name}.conv2.weight", (out, out, 3, 3)
    yield from _norm(f"{name}.bn2", out)


def _norm(name: str, channels: int) -> Iterator[tuple[str, Shape]]:
    for part in ("weight", "bias", "running_mean", "running_var"):
        yield f"{name}.{part}", (channels,)
    yield f"{name}.num_batches_tracked", ()


def weights(named: Mapping[str, Shape]) -> dict[str, Tensor]:
    """Return weights that follow from the names; the third block's two names mean one tensor, drawn by the last."""
    state = {name: _weight(name, shape) for name, shape in named.items()}
    return {name: state[name.replace(ALIAS, "last_common_layer")] for name in named}


def _weight(name: str, shape: Shape) -> Tensor:
    if not shape:
        return torch.zeros((), dtype=torch.int64)
    u = np.random.default_rng(zlib.crc32(name.encode())).random(shape, dtype=np.float32)
    if len(shape) == 4:
        transposed = "conv1.weight" in name and shape[-1] == 4
        fan_in = shape[0] * 4 if transposed else math.prod(shape[1:])
        return torch.from_numpy((u - 0.5) * np.float32(2 * math.sqrt(3 / fan_in)))
    positive = name.endswith("running_var") or name.endswith(".weight")
    return torch.from_numpy(u + np.float32(0.5) if positive else (u - np.float32(0.5)) * np.float32(0.2))


def image(rows: int = 96, columns: int = 128, bands: int = 3) -> Tensor:
    """Return two images in [-1, 1]."""
    drawn = np.random.default_rng(7).random((2, bands, rows, columns), dtype=np.float32)
    return torch.from_numpy(drawn * 2 - 1)


def forward(state: Mapping[str, Tensor], image: Tensor, skips: bool) -> list[Tensor]:
    """Return each task's output."""

    def norm(x: Tensor, name: str) -> Tensor:
        mean, var, weight, bias = (state[f"{name}.{p}"] for p in ("running_mean", "running_var", "weight", "bias"))
        return batch_norm(x, mean, var, weight, bias, eps=1e-5)

    def decoded(x: Tensor, name: str, *skipped: Tensor) -> Tensor:
        x = torch.cat([*skipped, x], dim=1) if skips else x
        x = conv_transpose2d(x, state[f"{name}.0.conv1.weight"], state[f"{name}.0.conv1.bias"], stride=2, padding=1)
        x = relu(norm(x, f"{name}.0.bn1"))
        return relu(norm(conv2d(x, state[f"{name}.0.conv2.weight"], padding=1), f"{name}.0.bn2"))

    def dense(x: Tensor, name: str) -> Tensor:
        narrow = conv2d(relu(norm(x, f"{name}.norm1")), state[f"{name}.conv1.weight"])
        return conv2d(relu(norm(narrow, f"{name}.norm2")), state[f"{name}.conv2.weight"], padding=1)

    x = conv2d(image, state["features.conv0.weight"], stride=2, padding=1)
    skip_features = [leaky_relu(norm(x, "features.norm0"), 0.2)]
    x = conv2d(skip_features[0], state["features.downconv0.weight"], stride=2, padding=1)
    x = leaky_relu(norm(x, "features.norm1"), 0.2)
    for block in (1, 2, 3, 4):
        layer = 1
        while f"features.denseblock{block}.denselayer{layer}.conv1.weight" in state:
            x = torch.cat([x, dense(x, f"features.denseblock{block}.denselayer{layer}")], dim=1)
            layer += 1
        if block < 4:
            name = f"features.transition{block}"
            skip_features.append(conv2d(relu(norm(x, f"{name}.norm")), state[f"{name}.conv.weight"]))
            x = avg_pool2d(skip_features[-1], 2)
    x = decoded(leaky_relu(norm(x, "features.norm5"), 0.2), "decoder.d_block5")
    x = decoded(x, "decoder.d_block4", skip_features[3])
    x = decoded(x, "last_common_layer", skip_features[2])
    outputs: list[Tensor] = []
    while f"decoder_tasks.{len(outputs)}.last_conv.weight" in state:
        name = f"decoder_tasks.{len(outputs)}"
        y = decoded(decoded(x, f"{name}.d_block2", skip_features[1]), f"{name}.d_block1", skip_features[0])
        outputs.append(conv2d(y, state[f"{name}.last_conv.weight"], padding=1))
    return outputs
