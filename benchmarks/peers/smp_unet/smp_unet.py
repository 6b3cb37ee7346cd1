"""The U-Net of segmentation-models-pytorch with its EfficientNet-Lite0, as a network of another package.

The library's own weights are fetched from a host that may be out of reach; ``options: {weights: FILE}`` gives the
same ones in safetensors, as the workflow fetches them for the encoder ``efficientnet_lite0``.
"""

from collections.abc import Mapping

import segmentation_models_pytorch as smp
from safetensors.torch import load_file
from timm.models._efficientnet_blocks import DepthwiseSeparableConv
from torch import Tensor, nn

from mtlaerial.models import Encoder, Network, Trunk
from mtlaerial.models.encoders.efficientnet_lite import InvertedResidual, efficientnet_lite0

NAME = "tu-tf_efficientnet_lite0"
SEPARABLE = {"conv_dw": "depthwise", "bn1": "depthwise_norm", "conv_pw": "project", "bn2": "project_norm"}
INVERTED = {
    "conv_pw": "expand", "bn1": "expand_norm", "conv_dw": "depthwise", "bn2": "depthwise_norm",
    "conv_pwl": "project", "bn3": "project_norm",
}  # fmt: skip
"""Our names of the layers of timm's blocks."""


class SmpEncoder(Encoder):
    """The library's encoder."""

    strides = (2, 4, 8, 16, 32)

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.channels = tuple(encoder.out_channels[1:])

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Return the features at the strides."""
        return tuple(self.encoder(image)[1:])

    @property
    def first_convolution(self) -> nn.Conv2d:
        """The convolution that the bands enter."""
        return self.encoder.model.conv_stem

    def stages(self) -> list[nn.Module]:
        """Return the layers in their order."""
        return [self.encoder.model.conv_stem, *self.encoder.model.blocks]

    def load(self, path: str) -> None:
        """Load published weights, under the names of our encoder; all of the encoder's tensors must be there."""
        timm_model = self.encoder.model
        ours = [name for name, module in efficientnet_lite0(3).named_modules() if isinstance(module, InvertedResidual)]
        layers = {"conv_stem": "stem.conv", "bn1": "stem.norm"}
        theirs = {
            f"blocks.{i}.{j}": block for i, stage in enumerate(timm_model.blocks) for j, block in enumerate(stage)
        }
        for name, (their_name, block) in zip(ours, theirs.items(), strict=True):
            table = SEPARABLE if isinstance(block, DepthwiseSeparableConv) else INVERTED
            layers |= {f"{their_name}.{layer}": f"{name}.{our_layer}" for layer, our_layer in table.items()}
        published, state = load_file(path), {}
        for key in timm_model.state_dict():
            layer, _, tensor = key.rpartition(".")
            state[key] = published[f"{layers[layer]}.{tensor}"]
        timm_model.load_state_dict(state)


class UnetTrunk(Trunk):
    """The library's encoder and decoder."""

    def __init__(self, unet: nn.Module, dropout: float) -> None:
        super().__init__()
        self.encoder, self.decoder = SmpEncoder(unet.encoder), unet.decoder
        self.dropout = nn.Dropout2d(dropout)

    def decode(self, encoded: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Return the decoder's output, the input of the heads."""
        rows, columns = encoded[0].shape[-2:]
        size_alone = encoded[0].new_empty((1, 1, 2 * rows, 2 * columns))  # the decoder takes the image's size from it
        return (self.dropout(self.decoder([size_alone, *encoded])),)


class UnetHead(nn.Module):
    """The library's head."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.head = smp.base.SegmentationHead(16, channels, kernel_size=3)
        smp.base.initialization.initialize_head(self.head)

    def forward(self, features: tuple[Tensor, ...]) -> Tensor:
        """Return the output at the resolution of the image."""
        return self.head(features[0])


def smp_unet(
    bands: int, outputs: Mapping[str, int], reduction: int, dropout: float, weights: str | None = None
) -> Network:
    """Build the network: ``outputs`` holds the channels of each task's output."""
    trunk = UnetTrunk(smp.Unet(NAME, encoder_weights=None, in_channels=bands), dropout)
    if weights:
        trunk.encoder.load(weights)
    return Network(trunk, {task: UnetHead(channels) for task, channels in outputs.items()}, reduction)
