"""EfficientNet-Lite encoders: inverted residuals with ReLU6, without squeeze-and-excitation.

EfficientNet (Tan and Le 2019, arXiv 1905.11946) in its authors' variant for small devices. Sizes, initial weights and
the choice of features, the endpoints "reduction_1" to "reduction_5", are those of their code: in
github.com/tensorflow/tpu, models/official/efficientnet, lite/efficientnet_lite_builder.py and efficientnet_model.py.
The classifier, the convolution before it and stochastic depth are left out.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor, nn

from mtlaerial.models.depthwise import DepthwiseConv2d
from mtlaerial.models.encoders.encoder import Encoder

STEM = 32
"""Channels of the stem, whatever the width."""
DIVISOR = 8
"""Channels of blocks are rounded to multiples of this."""
EPSILON, MOMENTUM = 1e-3, 0.1
"""Of batch norms. The published networks had 0.01 (0.99 in their code, the share of the old statistics) for hundreds of
thousands of updates: after a hundred, a third of the initial statistics would be left."""


class InvertedResidual(nn.Sequential):
    """A wide depthwise convolution between narrow features (MBConv; Sandler et al. 2018, arXiv 1801.04381).

    Parameters
    ----------
    entry, channels : int
        Channels of input and output. If they are equal and the stride is 1, the input is added to the output.
    kernel, stride : int
        Of the depthwise convolution.
    expansion : int
        Factor of its channels; with 1, no convolution widens the input.
    """

    def __init__(self, entry: int, channels: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        inner = entry * expansion
        if expansion > 1:
            self.expand = nn.Conv2d(entry, inner, 1, bias=False)
            self.expand_norm = _batch_norm(inner)
            self.expand_relu = nn.ReLU6(inplace=True)
        if stride > 1:
            self.pad = _padding_of_stride_2(kernel)
        self.depthwise = DepthwiseConv2d(inner, kernel, stride, 0 if stride > 1 else kernel // 2, bias=False)
        self.depthwise_norm = _batch_norm(inner)
        self.depthwise_relu = nn.ReLU6(inplace=True)
        self.project = nn.Conv2d(inner, channels, 1, bias=False)
        self.project_norm = _batch_norm(channels)
        self.residual = stride == 1 and entry == channels

    def forward(self, features: Tensor) -> Tensor:
        """Return features of shape (batch, channels, rows / stride, columns / stride)."""
        change: Tensor = super().forward(features)  # type: ignore[no-untyped-call]
        return features + change if self.residual else change


@dataclass(frozen=True)
class Stage:
    """Blocks of equal width in the smallest network; the first may have a stride."""

    repeats: int
    kernel: int
    stride: int
    expansion: int
    channels: int
    fixed: bool = False
    """Whether deeper networks have as many blocks."""

    def blocks(self, entry: int, channels: int, depth: float) -> Iterator[InvertedResidual]:
        """Yield the blocks of a network that is ``depth`` times as deep."""
        repeats = self.repeats if self.fixed else math.ceil(depth * self.repeats)
        yield InvertedResidual(entry, channels, self.kernel, self.stride, self.expansion)
        for _ in range(repeats - 1):
            yield InvertedResidual(channels, channels, self.kernel, 1, self.expansion)


SCALES = (
    (Stage(repeats=1, kernel=3, stride=1, expansion=1, channels=16, fixed=True),),
    (Stage(repeats=2, kernel=3, stride=2, expansion=6, channels=24),),
    (Stage(repeats=2, kernel=5, stride=2, expansion=6, channels=40),),
    (
        Stage(repeats=3, kernel=3, stride=2, expansion=6, channels=80),
        Stage(repeats=3, kernel=5, stride=1, expansion=6, channels=112),
    ),
    (
        Stage(repeats=4, kernel=5, stride=2, expansion=6, channels=192),
        Stage(repeats=1, kernel=3, stride=1, expansion=6, channels=320, fixed=True),
    ),
)
"""Stages by the stride of their features, from 2 to 32."""


class EfficientNetLite(Encoder):
    """Features at 1/2, 1/4, 1/8, 1/16 and 1/32 of the image's resolution.

    Parameters
    ----------
    bands : int
        Bands of the image.
    width, depth : float
        Factors of the smallest network's channels and of its blocks per stage.
    """

    strides = (2, 4, 8, 16, 32)

    def __init__(self, bands: int, width: float, depth: float) -> None:
        super().__init__()
        self.stem = nn.Sequential()
        self.stem.pad = _padding_of_stride_2(kernel=3)
        self.stem.conv = nn.Conv2d(bands, STEM, kernel_size=3, stride=2, bias=False)
        self.stem.norm = _batch_norm(STEM)
        self.stem.relu = nn.ReLU6(inplace=True)
        self.scales = nn.ModuleList()
        exits, entry = [], STEM
        for stages in SCALES:
            blocks = nn.Sequential()
            for stage in stages:
                channels = _rounded(width * stage.channels)
                blocks.extend(stage.blocks(entry, channels, depth))
                entry = channels
            self.scales.append(blocks)
            exits.append(entry)
        self.channels = tuple(exits)
        _draw_weights(self)

    @property
    def first_convolution(self) -> nn.Conv2d:
        """The stem's convolution."""
        return self.stem.conv  # type: ignore[return-value]  # a module's attributes are of any kind

    def stages(self) -> list[nn.Module]:
        """Return the stem, then the blocks of each scale."""
        return [self.stem, *self.scales]

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Return the features of each scale, from fine to coarse; those of the stem are not among them.

        Parameters
        ----------
        image : Tensor, shape (batch, bands, rows, columns)
            Rows and columns divisible by 32.
        """
        features = [self.stem(image)]
        for blocks in self.scales:
            features.append(blocks(features[-1]))
        return tuple(features[1:])


def efficientnet_lite0(bands: int) -> EfficientNetLite:
    """Return the encoder of EfficientNet-Lite0."""
    return EfficientNetLite(bands, width=1.0, depth=1.0)


def efficientnet_lite1(bands: int) -> EfficientNetLite:
    """Return the encoder of EfficientNet-Lite1."""
    return EfficientNetLite(bands, width=1.0, depth=1.1)


def efficientnet_lite2(bands: int) -> EfficientNetLite:
    """Return the encoder of EfficientNet-Lite2."""
    return EfficientNetLite(bands, width=1.1, depth=1.2)


def _rounded(channels: float) -> int:
    """Return the nearest multiple of 8, or the next one above if that is less than 90 %."""
    nearest = max(DIVISOR, int(channels + DIVISOR / 2) // DIVISOR * DIVISOR)
    return nearest if nearest >= 0.9 * channels else nearest + DIVISOR


def _batch_norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=EPSILON, momentum=MOMENTUM)


def _padding_of_stride_2(kernel: int) -> nn.ZeroPad2d:
    """Return TensorFlow's padding "SAME" for an even number of rows and columns: the odd zero comes last.

    Examples
    --------
    >>> _padding_of_stride_2(kernel=3).padding
    (0, 1, 0, 1)
    """
    before = kernel // 2 - 1
    return nn.ZeroPad2d((before, before + 1, before, before + 1))


def _draw_weights(encoder: nn.Module) -> None:
    """Draw the convolutions' weights, in place, from normal distributions of variance 2 / fan-out."""
    for module in encoder.modules():
        if isinstance(module, nn.Conv2d):
            # Of a depthwise convolution: the area of its kernel.
            fan_out = math.prod(module.kernel_size) * module.out_channels // module.groups
            nn.init.normal_(module.weight, std=math.sqrt(2 / fan_out))
