"""Published weights of timm and torchvision, under the names of our encoders' tensors.

A published file holds the state dict of a whole network. An encoder is a part of that network; its layers have the same
names but for a prefix and, in timm, dots that became underscores.
"""

from collections.abc import Callable, Iterable, Mapping

import torch
from torch import Tensor, nn

from mtlaerial.config.sources import WeightsInput
from mtlaerial.errors import DataError
from mtlaerial.models.encoders.extra import import_extra
from mtlaerial.models.encoders.foreign import ForeignEncoder
from mtlaerial.models.encoders.timm_encoder import timm_encoder
from mtlaerial.models.encoders.torchvision_encoder import torchvision_encoder
from mtlaerial.models.published.form import PublishedForm
from mtlaerial.models.published.renaming import IMAGENET

_BANDS = len(IMAGENET.bands)
_PREFIXES = ("network.graph.", "network.model.", "network.")
"""Of an encoder's tensors: torchvision's, then timm's with or without a wrapper around the whole network."""


def timm_form(model: str) -> PublishedForm:
    """Return the form of the published weights of a model of timm.

    Parameters
    ----------
    model : str
        Its name, with the tag of the weights where the image that they expect is not that of the default ones.

    Returns
    -------
    PublishedForm
        It converts the state dict of the whole network; layers after the features may be missing.

    Raises
    ------
    ConfigError
        When timm is missing, or the model cannot be an encoder.
    """
    create = import_extra("timm").create_model
    architecture = model.partition(".")[0]
    return _form(lambda: timm_encoder(_BANDS, model), lambda: create(architecture), model, _timm_input(model))


def torchvision_form(model: str) -> PublishedForm:
    """Return the form of the published weights of a model of torchvision, as :func:`timm_form` does."""
    get = import_extra("torchvision").models.get_model
    return _form(lambda: torchvision_encoder(_BANDS, model), lambda: get(model, weights=None), model, IMAGENET)


def _timm_input(model: str) -> WeightsInput:
    """Return the image that weights of timm expect; those of ImageNet where timm knows none of the model."""
    configuration = import_extra("timm").get_pretrained_cfg(model)
    if configuration is None:
        return IMAGENET
    values = {"mean": configuration.mean, "deviation": configuration.std}
    return WeightsInput(bands=IMAGENET.bands, **{key: tuple(255 * value for value in of) for key, of in values.items()})


def _form(
    encoder: Callable[[], ForeignEncoder], network: Callable[[], nn.Module], model: str, expected: WeightsInput
) -> PublishedForm:
    def convert(published: Mapping[str, Tensor]) -> dict[str, Tensor]:
        with torch.random.fork_rng(devices=[]):
            return _converted(published, encoder(), network(), model)

    return PublishedForm(convert, expected)


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
