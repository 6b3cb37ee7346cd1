"""ImageNet weights of torchvision's ConvNeXt, under the names of our encoders' tensors."""

from mtlaerial.models.encoders.convnext import convnext_base, convnext_small, convnext_tiny
from mtlaerial.models.encoders.encoder import Encoder
from mtlaerial.models.published.renaming import IMAGENET, renamed_form

_BLOCK_LAYERS = {"depthwise": "block.0.", "norm": "block.2.", "expand": "block.3.", "contract": "block.5."}
"""Published names of a block's layers."""
_CLASSIFIER = "classifier."


def published_names(encoder: Encoder) -> dict[str, str]:
    """Return torchvision's name of each of an encoder's tensors."""
    return {key: published_name(key) for key in encoder.state_dict()}


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


TINY = renamed_form(convnext_tiny, IMAGENET, published_names, _is_dropped)
SMALL = renamed_form(convnext_small, IMAGENET, published_names, _is_dropped)
BASE = renamed_form(convnext_base, IMAGENET, published_names, _is_dropped)
