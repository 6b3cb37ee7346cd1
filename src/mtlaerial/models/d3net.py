"""D3Net: a DenseNet encoder, a shared decoder, and one more decoder per task.

Carvalho et al., "Multi-Task Learning of Height and Semantics from Aerial Images", IEEE GRSL 2019, arXiv 1911.07543.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import cast

import torch
from torch import Tensor, nn

from mtlaerial.config import D3NetSpec, Task
from mtlaerial.models.activation_checkpointing import CheckpointedModule
from mtlaerial.models.encoders.densenet import DenseNet
from mtlaerial.models.network import Network, Trunk


class DecoderBlock(nn.Sequential, CheckpointedModule):
    """Upsampling by 2: transposed conv 4x4, then conv 3x3, each with BN, optional dropout and ReLU."""

    def __init__(self, channels: int, out: int, dropout: float = 0.0) -> None:
        drop = [nn.Dropout(dropout)] if dropout else []
        super().__init__(
            nn.ConvTranspose2d(channels, out, 4, stride=2, padding=1),
            nn.BatchNorm2d(out),
            *drop,
            nn.ReLU(inplace=True),
            nn.Conv2d(out, out, 3, padding=1, bias=False),
            nn.BatchNorm2d(out),
            *drop,
            nn.ReLU(inplace=True),
        )
        self._has_dropout = bool(drop)

    def forward(self, features: Tensor) -> Tensor:
        """Return features of twice the rows and columns."""
        layers = list(self)
        second_norm = len(layers) // 2 + 1  # follows the second convolution, the end of the stage
        norm = cast("nn.BatchNorm2d", layers[1])
        upsampled = layers[0](features)
        convolved = self.stage(_chain(layers[1:second_norm]), norm, upsampled, draws=self._has_dropout)
        return _chain(layers[second_norm:])(convolved)


def _chain(layers: Sequence[nn.Module]) -> Callable[[Tensor], Tensor]:
    return lambda features: reduce(lambda tensor, layer: layer(tensor), layers, features)


class D3NetTrunk(Trunk):
    """The layers shared by all tasks: the encoder, and the decoder up to 1/4 of the image's resolution."""

    def __init__(self, spec: D3NetSpec, bands: int) -> None:
        super().__init__()
        self.encoder = DenseNet(bands, spec.stem, spec.growth, spec.blocks, spec.bottleneck)
        self.skips = spec.skips
        *skips, deepest = self.encoder.channels
        skips = skips if spec.skips else [0, 0, 0, 0]
        coarse, middle, fine = spec.shared
        self.block5 = DecoderBlock(deepest, coarse, spec.dropout)
        self.block4 = DecoderBlock(coarse + skips[3], middle, spec.dropout)
        self.block3 = DecoderBlock(middle + skips[2], fine)
        # At 1/2 and 1/4 resolution: the reverse of the order of the features.
        self.channels = (skips[0], fine + skips[1])

    def decode(self, encoded: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Return the input features of the heads: (1/4 resolution,), or with skips (1/4, 1/2)."""
        half, quarter, eighth, sixteenth, features = encoded
        features = self.block5(features)
        features = self.block4(self._with_skip(sixteenth, features))
        features = self.block3(self._with_skip(eighth, features))
        return (torch.cat([quarter, features], dim=1), half) if self.skips else (features,)

    def _with_skip(self, skip: Tensor, features: Tensor) -> Tensor:
        return torch.cat([skip, features], dim=1) if self.skips else features


class Head(nn.Module):
    """Decoder of one task, from the trunk's features to the image's resolution."""

    def __init__(self, spec: D3NetSpec, channels: tuple[int, int], out: int) -> None:
        super().__init__()
        half, quarter = channels
        coarse, fine = spec.head
        self.block2 = DecoderBlock(quarter, coarse)
        self.block1 = DecoderBlock(coarse + half, fine)
        self.last = nn.Conv2d(fine, out, 3, padding=1, bias=False)

    def forward(self, features: tuple[Tensor, ...]) -> Tensor:
        """Return the task's output, shape (batch, out, rows, columns)."""
        quarter, *half = features  # half is empty without skips
        joined = torch.cat([*half, self.block2(quarter)], dim=1)
        return self.last(self.block1(joined))  # type: ignore[no-any-return]  # a module gives Any


class D3Net(Network):
    """The network of the paper.

    Parameters
    ----------
    spec : D3NetSpec
        Sizes of the layers.
    bands : int
        Bands of the image.
    outputs : mapping of task to int
        Channels of each task's output: the number of classes for semantics, 1 for height.
    """

    def __init__(self, spec: D3NetSpec, bands: int, outputs: Mapping[Task, int]) -> None:
        trunk = D3NetTrunk(spec, bands)
        heads = {task: Head(spec, trunk.channels, channels) for task, channels in outputs.items()}
        super().__init__(trunk, heads, spec.reduction)
