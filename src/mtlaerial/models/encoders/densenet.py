"""The DenseNet encoder of D3Net: a strided-convolution stem, dense blocks, transitions."""

import re
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mtlaerial.models.activation_checkpointing import CheckpointedModule
from mtlaerial.models.encoders.encoder import Encoder

SLOPE = 0.2
"""Negative slope of the encoder's leaky ReLUs, which are outside the dense layers."""
_DOTTED_LAYER = re.compile(r"(denselayer\d+)\.(norm|relu|conv)\.(\d)\.")


class DenseLayer(CheckpointedModule):
    """BN-ReLU-conv 1x1-BN-ReLU-conv 3x3; its output is appended to its input (Huang et al. 2017, arXiv 1608.06993)."""

    def __init__(self, channels: int, growth: int, bottleneck: int) -> None:
        super().__init__()
        inner = growth * bottleneck
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv1 = nn.Conv2d(channels, inner, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(inner)
        self.conv2 = nn.Conv2d(inner, growth, 3, padding=1, bias=False)

    def forward(self, *features: Tensor) -> Tensor:
        """Return ``growth`` new channels for features of shape (batch, channels, rows, columns), in any pieces."""
        narrow = self.stage(self._bottleneck, self.norm1, *features)
        return self.stage(self._new_channels, self.norm2, narrow)

    def _bottleneck(self, *features: Tensor) -> Tensor:
        return _norm_relu_conv(self.norm1, self.conv1, *features)

    def _new_channels(self, narrow: Tensor) -> Tensor:
        return _norm_relu_conv(self.norm2, self.conv2, narrow)


class DenseBlock(nn.ModuleList, CheckpointedModule):
    """Dense layers; the input of each is the concatenation of the block's input and all earlier outputs."""

    def __init__(self, channels: int, layers: int, growth: int, bottleneck: int) -> None:
        super().__init__(DenseLayer(channels + i * growth, growth, bottleneck) for i in range(layers))
        self.channels = channels + layers * growth

    def forward(self, features: Tensor) -> list[Tensor]:
        """Return the input and every layer's channels, in pieces that are still to be concatenated."""
        pieces = [features]
        for layer in self:
            pieces.append(layer(*pieces))
            if not self.recomputing:  # concatenate here, lest every later layer copies the same pieces again
                pieces = [torch.cat(pieces, dim=1)]
        return pieces


class Transition(CheckpointedModule):
    """BN-ReLU-conv 1x1 that halves the channels; the encoder pools afterwards, since skips are not pooled."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels // 2
        self.norm = nn.BatchNorm2d(channels)
        self.conv = nn.Conv2d(channels, self.channels, 1, bias=False)

    def forward(self, *features: Tensor) -> Tensor:
        """Halve the channels of features in any pieces."""
        return self.stage(self._half_channels, self.norm, *features)

    def _half_channels(self, *features: Tensor) -> Tensor:
        return _norm_relu_conv(self.norm, self.conv, *features)


class DenseNet(Encoder):
    """Features at 1/32 of the image's resolution, and skips at 1/2, 1/4, 1/8 and 1/16.

    Parameters
    ----------
    bands : int
        Bands of the image.
    stem, growth, blocks, bottleneck
        As in :class:`mtlaerial.config.D3NetSpec`.
    """

    strides = (2, 4, 8, 16, 32)

    def __init__(self, bands: int, stem: int, growth: int, blocks: tuple[int, ...], bottleneck: int) -> None:
        super().__init__()
        self.conv0 = nn.Conv2d(bands, stem, 3, stride=2, padding=1, bias=False)
        self.norm0 = nn.BatchNorm2d(stem)
        self.downconv0 = nn.Conv2d(stem, stem, 4, stride=2, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(stem)
        self.blocks = nn.ModuleList()
        self.transitions = nn.ModuleList()
        channels = stem
        skips = [stem]
        for number, layers in enumerate(blocks):
            block = DenseBlock(channels, layers, growth, bottleneck)
            self.blocks.append(block)
            channels = block.channels
            if number < len(blocks) - 1:
                transition = Transition(channels)
                self.transitions.append(transition)
                channels = transition.channels
                skips.append(channels)
        self.norm5 = nn.BatchNorm2d(channels)
        self.channels = (*skips, channels)

    @property
    def first_convolution(self) -> nn.Conv2d:
        """The first of the two stem convolutions."""
        return self.conv0

    def stages(self) -> list[nn.Module]:
        """Return the stem, then each block with the transition after it or the last norm."""
        stem = nn.ModuleList([self.conv0, self.norm0, self.downconv0, self.norm1])
        ends = [*self.transitions, self.norm5]
        return [stem, *(nn.ModuleList(pair) for pair in zip(self.blocks, ends, strict=True))]

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
        for block, transition in zip(self.blocks, self.transitions, strict=False):  # the last block has no transition
            skips.append(transition(*block(features)))
            features = nn.functional.avg_pool2d(skips[-1], 2)
        return *skips, leaky(self.norm5(_concatenate(self.blocks[-1](features))), SLOPE)


def densenet121(bands: int) -> DenseNet:
    """Build DenseNet-121 with D3Net's stem (Huang et al. 2017, arXiv 1608.06993)."""
    return DenseNet(bands, stem=64, growth=32, blocks=(6, 12, 24, 16), bottleneck=4)


def _norm_relu_conv(norm: nn.BatchNorm2d, conv: nn.Conv2d, *features: Tensor) -> Tensor:
    """Concatenate, normalise, rectify, convolve."""
    normalised = norm(_concatenate(features))
    # In place: the backward pass of a batch norm needs its input, not its output.
    rectified = nn.functional.relu(normalised, inplace=True)
    return conv(rectified)  # type: ignore[no-any-return]  # a module gives Any


def _concatenate(pieces: Sequence[Tensor]) -> Tensor:
    return torch.cat(list(pieces), dim=1) if len(pieces) > 1 else pieces[0]


def densenet_name(key: str) -> str:
    """Return torchvision's name of an encoder tensor, e.g. ``features.denseblock1.denselayer1.…``."""
    key = re.sub(r"^blocks\.(\d+)\.(\d+)", lambda m: f"denseblock{int(m[1]) + 1}.denselayer{int(m[2]) + 1}", key)
    return "features." + re.sub(r"^transitions\.(\d+)", lambda m: f"transition{int(m[1]) + 1}", key)


def without_dots(name: str) -> str:
    """Return a tensor's name in today's spelling; versions of torch before 0.4.1 wrote ``norm.1`` for ``norm1``.

    Examples
    --------
    >>> without_dots("features.denseblock1.denselayer1.norm.1.weight")
    'features.denseblock1.denselayer1.norm1.weight'
    """
    return _DOTTED_LAYER.sub(r"\1.\2\3.", name)
