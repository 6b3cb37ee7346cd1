"""Head of one task."""

from torch import Tensor, nn

from mtlaerial.models.decoders.layers import conv_norm_relu


class Head(nn.Module):
    """From the shared features to a task's output at the resolution of the network's input.

    Parameters
    ----------
    channels : int
        Channels of the shared features.
    width : int
        Channels of the head's own layers.
    out : int
        Channels of the output.
    stride : int
        Side of a shared feature in pixels.
    """

    def __init__(self, channels: int, width: int, out: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.block = conv_norm_relu(channels, width)
        self.refine = conv_norm_relu(width, width)
        self.last = nn.Conv2d(width, out, 1)

    def forward(self, features: tuple[Tensor, ...]) -> Tensor:
        """Return the output, shape (batch, out, rows, columns)."""
        (shared,) = features
        half = self.block(shared)
        if self.stride > 2:
            half = _doubled(half, self.stride / 2)
        return _doubled(self.last(self.refine(half)), 2)


def _doubled(features: Tensor, factor: float) -> Tensor:
    return nn.functional.interpolate(features, scale_factor=float(factor), mode="bilinear", align_corners=False)
