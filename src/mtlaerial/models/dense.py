"""The DenseNet encoder of D3Net: a strided-convolution stem, dense blocks, transitions."""

import re

import torch
from torch import Tensor, nn

SLOPE = 0.2
"""Negative slope of the encoder's leaky rectifiers outside the dense layers."""


class DenseLayer(nn.Module):
    """BN-ReLU-conv 1x1-BN-ReLU-conv 3x3; its output is appended to its input (Huang et al. 2017, arXiv 1608.06993)."""

    def __init__(self, channels: int, growth: int, bottleneck: int) -> None:
        super().__init__()
        inner = growth * bottleneck
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv1 = nn.Conv2d(channels, inner, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(inner)
        self.conv2 = nn.Conv2d(inner, growth, 3, padding=1, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        """Return ``growth`` new channels for features of shape (batch, channels, rows, columns)."""
        narrow = self.conv1(nn.functional.relu(self.norm1(features), inplace=True))
        return self.conv2(nn.functional.relu(self.norm2(narrow), inplace=True))  # type: ignore[no-any-return]  # a module gives Any


class DenseBlock(nn.ModuleList):
    """Dense layers, each seeing the outputs of all before it."""

    def __init__(self, channels: int, layers: int, growth: int, bottleneck: int) -> None:
        super().__init__(DenseLayer(channels + i * growth, growth, bottleneck) for i in range(layers))
        self.channels = channels + layers * growth

    def forward(self, features: Tensor) -> Tensor:
        """Return the input with every layer's channels appended."""
        for layer in self:
            features = torch.cat([features, layer(features)], dim=1)
        return features


class Transition(nn.Module):
    """BN-ReLU-conv 1x1 that halves the channels; the pooling that follows is the encoder's, after the skip."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels // 2
        self.norm = nn.BatchNorm2d(channels)
        self.conv = nn.Conv2d(channels, self.channels, 1, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        """Halve the channels."""
        return self.conv(nn.functional.relu(self.norm(features), inplace=True))  # type: ignore[no-any-return]  # a module gives Any


class Encoder(nn.Module):
    """Features at 1/32 of the image's resolution, and skips at 1/2, 1/4, 1/8 and 1/16.

    Parameters
    ----------
    bands : int
        Bands of the image.
    stem, growth, blocks, bottleneck
        As in :class:`mtlaerial.config.ModelSpec`.
    """

    def __init__(self, bands: int, stem: int, growth: int, blocks: tuple[int, ...], bottleneck: int) -> None:
        super().__init__()
        self.conv0 = nn.Conv2d(bands, stem, 3, stride=2, padding=1, bias=False)
        self.norm0 = nn.BatchNorm2d(stem)
        self.downconv0 = nn.Conv2d(stem, stem, 4, stride=2, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(stem)
        self.blocks = nn.ModuleList()
        self.transitions = nn.ModuleList()
        channels = stem
        self.skip_channels = [stem]
        for number, layers in enumerate(blocks):
            block = DenseBlock(channels, layers, growth, bottleneck)
            self.blocks.append(block)
            channels = block.channels
            if number < len(blocks) - 1:
                transition = Transition(channels)
                self.transitions.append(transition)
                channels = transition.channels
                self.skip_channels.append(channels)
        self.norm5 = nn.BatchNorm2d(channels)
        self.channels = channels

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Return the skips, fine to coarse, then the coarsest features.

        Parameters
        ----------
        image : Tensor, shape (batch, bands, rows, columns), float in [-1, 1]
            Rows and columns divisible by 32.
        """
        leaky = nn.functional.leaky_relu
        half = leaky(self.norm0(self.conv0(image)), SLOPE)
        features = leaky(self.norm1(self.downconv0(half)), SLOPE)
        skips = [half]
        for block, transition in zip(self.blocks, self.transitions, strict=False):
            skips.append(transition(block(features)))
            features = nn.functional.avg_pool2d(skips[-1], 2)
        return *skips, leaky(self.norm5(self.blocks[-1](features)), SLOPE)


def densenet_name(key: str) -> str:
    """Return what torchvision's DenseNet calls a tensor of the encoder, e.g. ``features.denseblock1.denselayer1.…``."""
    key = re.sub(r"^blocks\.(\d+)\.(\d+)", lambda m: f"denseblock{int(m[1]) + 1}.denselayer{int(m[2]) + 1}", key)
    return "features." + re.sub(r"^transitions\.(\d+)", lambda m: f"transition{int(m[1]) + 1}", key)
