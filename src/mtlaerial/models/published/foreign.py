"""Published weights of timm and torchvision, under the names of our encoders' tensors.

A published file holds the state dict of a whole network. An encoder is a part of that network; its layers have the same
names but for a prefix and, in timm, dots that became underscores.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from mtlaerial.errors import DataError
from mtlaerial.models.encoders.extra import import_extra
from mtlaerial.models.encoders.foreign import ForeignEncoder
from mtlaerial.models.encoders.timm_encoder import timm_encoder
from mtlaerial.models.encoders.torchvision_encoder import torchvision_encoder
from mtlaerial.models.published.renaming import IMAGENET

_PREFIXES = ("network.graph.", "network.model.", "network.")
"""Of an encoder's tensors: torchvision's, then timm's with or without a wrapper around the whole network."""


def convert_timm(published: Mapping[str, Tensor], model: str, **options: Any) -> dict[str, Tensor]:
    """Return the weights of a model of timm under the names of our encoder's tensors.

    Parameters
    ----------
    published : mapping of str to Tensor
        All tensors of the published file, by name; those after the features may be missing.
    model, options
        Of :func:`mtlaerial.models.encoders.timm_encoder.timm_encoder`.

    Returns
    -------
    dict of str to Tensor
        The state dict of ``timm_encoder(3, model, **options)``.

    Raises
    ------
    DataError
        When a tensor is missing, has another shape, or is not of this network.
    ConfigError
        When the encoder cannot be built.
    """
    with torch.random.fork_rng(devices=[]):
        encoder = timm_encoder(len(IMAGENET.bands), model, **options)
        network = import_extra("timm").create_model(model, **options)
    return _converted(published, encoder, network, model)


def convert_torchvision(published: Mapping[str, Tensor], model: str, **options: Any) -> dict[str, Tensor]:
    """Return the weights of a model of torchvision under our names, as :func:`convert_timm` does."""
    with torch.random.fork_rng(devices=[]):
        encoder = torchvision_encoder(len(IMAGENET.bands), model, **options)
        network = import_extra("torchvision").models.get_model(model, weights=None, **options)
    return _converted(published, encoder, network, model)


def timm_values(model: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return mean and deviation per band of the values of 0 to 255 that timm's weights of a model expect.

    Parameters
    ----------
    model : str
        With the tag of the weights, if not the model's default ones are meant.
    """
    configuration = import_extra("timm").get_pretrained_cfg(model)
    mean, deviation = ([255 * value for value in part] for part in (configuration.mean, configuration.std))
    return tuple(mean), tuple(deviation)


def _converted(
    published: Mapping[str, Tensor], encoder: ForeignEncoder, network: nn.Module, model: str
) -> dict[str, Tensor]:
    names, published_names = _by_plain_name(network.state_dict()), _by_plain_name(published)
    remedy = f"Get the weights of {model} anew, or choose the encoder that they belong to."
    for plain, name in published_names.items():
        if plain not in names:
            raise DataError(name, "a tensor", f"none of this name in {model}", remedy)
    weights = {}
    for key, tensor in encoder.state_dict().items():
        plain = _plain(key)
        if plain not in names:  # a constant, which files of weights do not hold
            weights[key] = tensor
            continue
        source = published.get(published_names.get(plain, ""))
        if source is None or source.shape != tensor.shape:
            actual = "no such tensor" if source is None else f"the shape {tuple(source.shape)}"
            raise DataError(names[plain], actual, f"the shape {tuple(tensor.shape)}", remedy)
        weights[key] = source
    return weights


def _by_plain_name(tensors: Iterable[str]) -> dict[str, str]:
    return {_plain(name): name for name in tensors}


def _plain(name: str) -> str:
    """Return a tensor's name without an encoder's prefix, and without the difference of dots and underscores.

    Examples
    --------
    >>> _plain("network.stages_0.blocks.1.gamma"), _plain("stages.0.blocks.1.gamma")
    ('stages_0_blocks_1_gamma', 'stages_0_blocks_1_gamma')
    """
    for prefix in _PREFIXES:
        if name.startswith(prefix):
            return name.removeprefix(prefix).replace(".", "_")
    return name.replace(".", "_")
