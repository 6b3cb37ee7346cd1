"""Published weights of Swin Transformer V2, under the names of our encoders' tensors.

Two sources have torchvision's names and windows of 8 x 8 pixels:

- torchvision's ImageNet weights of ``swin_v2_t``, ``swin_v2_s`` and ``swin_v2_b``;
- ``Swin_V2_B_Weights.NAIP_RGB_SI_SATLAS`` of torchgeo, file ``aerial_swinb_si-e4169eb1.pth``: trained on aerial images
  (NAIP, 0.5 to 2 m) of SatlasPretrain (Bastani et al. 2023, arXiv 2211.15660). The authors release the models under
  ODC-BY (github.com/allenai/satlas, SatlasPretrain.md); the pages that offer the files say Apache-2.0. In the authors'
  own file, ``aerial_swinb_si.pth``, the names have the prefix ``backbone.backbone.``, and tensors of other parts stand
  beside them.
"""

from collections.abc import Mapping

from torch import Tensor

from mtlaerial.models.encoders.renaming import renamed
from mtlaerial.models.encoders.swin_v2 import swin_v2_b, swin_v2_s, swin_v2_t

BANDS = ("red", "green", "blue")
"""Bands that all these weights expect, in order."""
IMAGENET_MEAN, IMAGENET_DEVIATION = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
"""ImageNet weights expect (v - mean) / deviation for a value v of 0 to 255, per band."""
SATLAS_MEAN, SATLAS_DEVIATION = (0.0, 0.0, 0.0), (255.0, 255.0, 255.0)
"""The same of the aerial weights: values of 0 to 1 (github.com/allenai/satlas, Normalization.md)."""

_PREFIX = "backbone.backbone."
_BLOCK_LAYERS = {
    "attention.qkv": "attn.qkv", "attention.project": "attn.proj", "attention": "attn",
    "attention.position.expand": "attn.cpb_mlp.0", "attention.position.contract": "attn.cpb_mlp.2",
    "expand": "mlp.0", "contract": "mlp.3", "norm1": "norm1", "norm2": "norm2",
}  # fmt: skip
"""Published names of a block's layers."""
_CLASSIFIER = ("norm.", "head.")
"""Prefixes of the published tensors that the encoder lacks."""
_CONSTANTS = ("relative_coords_table", "relative_position_index")
"""Ends of the names of published tensors that follow from the window's size."""


def convert_t(published: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the weights of Swin V2-T under the names of our encoder's tensors.

    Parameters
    ----------
    published : mapping of str to Tensor
        All tensors of the published file, by name; those of the classifier may be missing.

    Returns
    -------
    dict of str to Tensor
        The state dict of ``swin_v2_t(bands=3)``.

    Raises
    ------
    DataError
        When a tensor is missing, has another shape, or is not of this network.
    """
    return renamed(published, swin_v2_t, published_name, _is_dropped)


def convert_s(published: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the weights of Swin V2-S under our names, as :func:`convert_t` does."""
    return renamed(published, swin_v2_s, published_name, _is_dropped)


def convert_b(published: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the weights of Swin V2-B under our names, as :func:`convert_t` does; the aerial ones too."""
    if any(name.startswith(_PREFIX) for name in published):
        backbone = (name for name in published if name.startswith(_PREFIX))
        published = {name.removeprefix(_PREFIX): published[name] for name in backbone}
    return renamed(published, swin_v2_b, published_name, _is_dropped)


def published_name(key: str) -> str:
    """Return torchvision's name of an encoder's tensor.

    Examples
    --------
    >>> published_name("blocks.2.5.attention.position.contract.weight")
    'features.5.5.attn.cpb_mlp.2.weight'
    >>> published_name("entries.0.norm.bias"), published_name("entries.3.reduce.weight")
    ('features.0.2.bias', 'features.6.reduction.weight')
    """
    part, scale, *inner = key.split(".")
    if part == "blocks":
        block, layer, tensor = inner[0], ".".join(inner[1:-1]), inner[-1].replace("log_scale", "logit_scale")
        return f"features.{2 * int(scale) + 1}.{block}.{_BLOCK_LAYERS[layer]}.{tensor}"
    layers = {"conv": "0", "norm": "2"} if scale == "0" else {"reduce": "reduction", "norm": "norm"}
    return f"features.{2 * int(scale)}.{layers[inner[0]]}.{inner[1]}"


def _is_dropped(name: str) -> bool:
    return name.startswith(_CLASSIFIER) or name.endswith(_CONSTANTS)
