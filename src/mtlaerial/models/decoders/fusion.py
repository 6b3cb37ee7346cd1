"""Decoder by multi-scale fusion: features of all scales are brought to the finest one and joined there.

As a feature pyramid (Lin et al. 2017, arXiv 1612.03144), without convolutions at its coarse levels: like SegFormer's
decoder (Xie et al. 2021, arXiv 2105.15203) it is linear up to where the scales meet.
"""

from itertools import pairwise

from torch import Tensor, nn

from mtlaerial.models.decoders.layers import conv_norm, conv_norm_relu, doubled, doublings

JOINT = 4
"""Least stride at which features have the full width; finer ones have proportionally fewer channels, since a layer's
cost grows with its area."""


class Pyramid(nn.Module):
    """Sum of the features of several scales at the finest of them; no operation is nonlinear.

    So interpolation, which blurs some pixels more than others, meets no ReLU before the finest scale is reached.

    Parameters
    ----------
    channels, strides : tuple of int
        Of the scales, from fine to coarse.
    width : int
        Channels of the sum.
    """

    def __init__(self, channels: tuple[int, ...], strides: tuple[int, ...], width: int) -> None:
        super().__init__()
        self.laterals = nn.ModuleList(conv_norm(entry, width) for entry in channels)
        self.steps = [doublings(coarse, fine) for fine, coarse in pairwise(strides)]

    def forward(self, encoded: tuple[Tensor, ...]) -> Tensor:
        """Return the sum, shape (batch, width, rows, columns) with those of the finest scale."""
        projected: list[Tensor] = [lateral(features) for lateral, features in zip(self.laterals, encoded, strict=True)]
        *finer, total = projected
        for features, steps in zip(reversed(finer), reversed(self.steps), strict=True):
            total = features + doubled(total, steps)
        return total


class FusionDecoder(nn.Module):
    """A pyramid of the scales from a stride of 4 on, a convolution, and another one for each finer scale.

    Nothing here sees the whole image, as pyramid pooling would: windows of an image agree wherever their surroundings
    do.

    Parameters
    ----------
    channels, strides : tuple of int
        Of the encoder, from fine to coarse.
    width : int
        Channels at a stride of 4 or more; half of them at a stride of 2.

    Attributes
    ----------
    channels, stride : int
        Channels of the result, and side of one of its features in image pixels.
    """

    def __init__(self, channels: tuple[int, ...], strides: tuple[int, ...], width: int) -> None:
        super().__init__()
        finer = sum(stride < JOINT for stride in strides[:-1])
        self.pyramid = Pyramid(channels[finer:], strides[finer:], width)
        self.join = conv_norm_relu(width, width)
        self.channels, self.stride = width, strides[finer]
        self.refinements = nn.ModuleList()
        for skip, stride in reversed(list(zip(channels[:finer], strides[:finer], strict=True))):
            out = max(1, width * stride // JOINT)
            self.refinements.append(Refinement(self.channels, skip, out, doublings(self.stride, stride)))
            self.channels, self.stride = out, stride

    def forward(self, encoded: tuple[Tensor, ...]) -> Tensor:
        """Return features, shape (batch, channels, rows / stride, columns / stride)."""
        finer = len(self.refinements)
        features: Tensor = self.join(self.pyramid(encoded[finer:]))
        for refinement, skip in zip(self.refinements, reversed(encoded[:finer]), strict=True):
            features = refinement(features, skip)
        return features


class Refinement(nn.Module):
    """Features at the next finer scale: the doubled coarse ones, narrowed, plus those of the encoder; then a layer."""

    def __init__(self, channels: int, skip: int, out: int, steps: int) -> None:
        super().__init__()
        self.narrow = conv_norm(channels, out)
        self.lateral = conv_norm(skip, out)
        self.block = conv_norm_relu(out, out)
        self.steps = steps

    def forward(self, features: Tensor, skip: Tensor) -> Tensor:
        """Return features, shape (batch, out, rows, columns) with those of ``skip``."""
        return self.block(self.lateral(skip) + doubled(self.narrow(features), self.steps))  # type: ignore[no-any-return]  # a module gives Any
