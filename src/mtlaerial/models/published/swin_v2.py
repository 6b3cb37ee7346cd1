"""Published weights of Swin Transformer V2, under the names of our encoders' tensors.

Two sources have torchvision's names and windows of 8 x 8 pixels:

- torchvision's ImageNet weights of ``swin_v2_t``, ``swin_v2_s`` and ``swin_v2_b``;
- ``Swin_V2_B_Weights.NAIP_RGB_SI_SATLAS`` of torchgeo, file ``aerial_swinb_si-e4169eb1.pth``: trained on aerial images
  (NAIP, 0.5 to 2 m) of SatlasPretrain (Bastani et al. 2023, arXiv 2211.15660). The authors release the models under
  ODC-BY (github.com/allenai/satlas, SatlasPretrain.md); the pages that offer the files say Apache-2.0. In the authors'
  own file, ``aerial_swinb_si.pth``, the names have the prefix ``backbone.backbone.``, and tensors of other parts stand
  beside them. They expect values of 0 to 1 (Normalization.md there), not those of ImageNet: ``pretrained.NAME.input``
  says so.
"""

from collections.abc import Mapping

from torch import Tensor

from mtlaerial.models.encoders.encoder import Encoder
from mtlaerial.models.encoders.swin_v2 import swin_v2_b, swin_v2_s, swin_v2_t
from mtlaerial.models.published.form import PublishedForm
from mtlaerial.models.published.renaming import IMAGENET, renamed_form

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


def published_names(encoder: Encoder) -> dict[str, str]:
    """Return torchvision's name of each of an encoder's tensors."""
    return {key: published_name(key) for key in encoder.state_dict()}


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


def _backbone(published: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """Return the encoder's part of the authors' own file; any other file as it is."""
    names = [name for name in published if name.startswith(_PREFIX)]
    return {name.removeprefix(_PREFIX): published[name] for name in names} or published


TINY = renamed_form(swin_v2_t, IMAGENET, published_names, _is_dropped)
SMALL = renamed_form(swin_v2_s, IMAGENET, published_names, _is_dropped)
_TORCHVISION = renamed_form(swin_v2_b, IMAGENET, published_names, _is_dropped)
BASE = PublishedForm(lambda published: _TORCHVISION.convert(_backbone(published)), IMAGENET)
