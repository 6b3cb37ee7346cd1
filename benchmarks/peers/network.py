"""The network that every side of the comparison runs: a small U-Net of plain torch, defined by its seed."""

from itertools import pairwise
from typing import Any

import measuring
import torch
from torch import Tensor, nn

CLASSES = 6
WIDTHS = (16, 32, 64)


class Stage(nn.Sequential):
    """Two convolutions 3x3, each with batch norm and ReLU."""

    def __init__(self, channels: int, out: int) -> None:
        layers = [
            (nn.Conv2d(n, out, 3, padding=1, bias=False), nn.BatchNorm2d(out), nn.ReLU()) for n in (channels, out)
        ]
        super().__init__(*(layer for group in layers for layer in group))


class SmallUNet(nn.Module):
    """U-Net from images (batch, 3, rows, columns), float32 in [-1, 1], to class scores and, last, a height."""

    def __init__(self) -> None:
        super().__init__()
        channels = (3, *WIDTHS)
        self.down = nn.ModuleList(Stage(n, out) for n, out in zip(channels, WIDTHS, strict=False))
        self.up = nn.ModuleList(Stage(n + m, n) for n, m in pairwise(WIDTHS))
        self.last = nn.Conv2d(WIDTHS[0], CLASSES + 1, 1)

    def forward(self, image: Tensor) -> Tensor:
        """Return (batch, classes + 1, rows, columns); rows and columns are divisible by 4."""
        features = [self.down[0](image)]
        for stage in self.down[1:]:
            features.append(stage(nn.functional.max_pool2d(features[-1], 2)))
        decoded = features.pop()
        for stage in reversed(self.up):
            decoded = stage(torch.cat([features.pop(), nn.functional.interpolate(decoded, scale_factor=2.0)], dim=1))
        return self.last(decoded)


def build() -> SmallUNet:
    """Return the network in evaluation mode, with the same weights everywhere."""
    torch.manual_seed(0)
    return SmallUNet().eval()


def alone(window: int, batch: int) -> dict[str, Any]:
    """Measure the network by itself, to separate the effect of torch's version."""
    model, images = build(), torch.rand(batch, 3, window, window) * 2 - 1
    with torch.inference_mode():
        return measuring.timed(lambda: model(images))
