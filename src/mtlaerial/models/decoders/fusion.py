"""Decoder by multi-scale fusion: features of all scales are brought to the finest one and joined there.

As a feature pyramid (Lin et al. 2017, arXiv 1612.03144), without convolutions at its coarse levels: like SegFormer's
decoder (Xie et al. 2021, arXiv 2105.15203) it is linear up to where the scales meet.
"""

from itertools import pairwise

from torch import Tensor, nn

from mtlaerial.models.decoders.layers import conv_norm, conv_norm_relu, doubled, doublings


class FusionDecoder(nn.Module):
    """A projection of each scale, their sum at the finest one, and a convolution.

    Interpolation, which blurs some pixels more than others, meets no ReLU before all scales are joined. Nothing sees
    the whole image, as pyramid pooling would: windows agree wherever their surroundings do.

    Parameters
    ----------
    channels, strides : tuple of int
        Of the encoder's features, from fine to coarse.
    width : int
        Channels of the result.

    Attributes
    ----------
    channels, stride : int
        Channels of the result, and side of one of its features in image pixels.
    """

    def __init__(self, channels: tuple[int, ...], strides: tuple[int, ...], width: int) -> None:
        super().__init__()
        self.channels, self.stride = width, strides[0]
        self.laterals = nn.ModuleList(conv_norm(entry, width) for entry in channels)
        self.steps = [doublings(coarse, fine) for fine, coarse in pairwise(strides)]
        self.join = conv_norm_relu(width, width)

    def forward(self, encoded: tuple[Tensor, ...]) -> Tensor:
        """Return features, shape (batch, channels, rows / stride, columns / stride)."""
        projected: list[Tensor] = [lateral(features) for lateral, features in zip(self.laterals, encoded, strict=True)]
        *finer, total = projected
        for features, steps in zip(reversed(finer), reversed(self.steps), strict=True):
            total = features + doubled(total, steps)
        return self.join(total)  # type: ignore[no-any-return]  # a module gives Any
