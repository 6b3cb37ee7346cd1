"""torchvision's weights of ConvNeXt, under the names of our encoders' tensors, e.g. of ``convnext_tiny``."""

from collections.abc import Mapping

from torch import Tensor

from mtlaerial.models.encoders.convnext import convnext_base, convnext_small, convnext_tiny
from mtlaerial.models.encoders.renaming import renamed

BANDS = ("red", "green", "blue")
"""Bands that the weights expect, in order."""
MEAN, DEVIATION = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
"""The weights, of ImageNet, expect (v - MEAN) / DEVIATION for a value v of 0 to 255, per band."""

_BLOCK_LAYERS = {"depthwise": "block.0.", "norm": "block.2.", "expand": "block.3.", "contract": "block.5."}
"""Published names of a block's layers."""
_CLASSIFIER = "classifier."


def convert_tiny(published: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the weights of ConvNeXt-T under the names of our encoder's tensors.

    Parameters
    ----------
    published : mapping of str to Tensor
        All tensors of the published file, by name; those of the classifier may be missing.

    Returns
    -------
    dict of str to Tensor
        The state dict of ``convnext_tiny(bands=3)``.

    Raises
    ------
    DataError
        When a tensor is missing, has another shape, or is not of this network.
    """
    return renamed(published, convnext_tiny, published_name, _is_dropped)


def convert_small(published: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the weights of ConvNeXt-S under our names, as :func:`convert_tiny` does."""
    return renamed(published, convnext_small, published_name, _is_dropped)


def convert_base(published: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the weights of ConvNeXt-B under our names, as :func:`convert_tiny` does."""
    return renamed(published, convnext_base, published_name, _is_dropped)


def published_name(key: str) -> str:
    """Return torchvision's name of an encoder's tensor.

    Examples
    --------
    >>> published_name("blocks.2.8.contract.weight"), published_name("entries.1.0.bias")
    ('features.5.8.block.5.weight', 'features.2.0.bias')
    """
    part, scale, number, layer, *tensor = f"{key}.".split(".")
    if part == "entries":
        return f"features.{2 * int(scale)}.{number}.{layer}"
    block = f"features.{2 * int(scale) + 1}.{number}."
    return f"{block}layer_scale" if layer == "scale" else f"{block}{_BLOCK_LAYERS[layer]}{tensor[0]}"


def _is_dropped(name: str) -> bool:
    return name.startswith(_CLASSIFIER)
