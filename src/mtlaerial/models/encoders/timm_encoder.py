"""Encoders from timm (Wightman, "PyTorch Image Models", doi 10.5281/zenodo.4414861), by the names of its models."""

from collections.abc import Mapping
from types import ModuleType
from typing import Any

from torch import nn

from mtlaerial.config.faults import did_you_mean
from mtlaerial.errors import ConfigError
from mtlaerial.models.encoders.extra import import_extra
from mtlaerial.models.encoders.foreign import ForeignEncoder, measurable

_SET_HERE = ("checkpoint_path", "features_only", "in_chans", "num_classes", "pretrained")
"""Arguments of timm that are no options: the configuration has its own keys for what they do."""
_ANY_SIZE = {"strict_img_size": False}
"""Argument of timm's Swin Transformers, which else take images of one size only."""


def timm_encoder(bands: int, model: str, **options: Any) -> ForeignEncoder:
    """Build an encoder of timm, with random weights.

    Parameters
    ----------
    bands : int
        Bands of the image.
    model : str
        The name of a model, as in ``timm.list_models()``, with or without the tag of its weights.
    options
        Other arguments of the model, e.g. ``drop_path_rate``, which is 0 here unless given.

    Raises
    ------
    ConfigError
        When timm is missing, has no such model, or the model cannot be an encoder.
    """
    timm = import_extra("timm")
    _require_model(timm, model)
    refused = sorted(set(options) & set(_SET_HERE))
    if refused:
        remedy = "Leave it out; weights come by the key pretrained of the model."
        raise ConfigError(f"encoder timm, key {refused[0]}", "a key", "other arguments of the model", remedy)
    return measurable(lambda: ForeignEncoder(_network(timm, model, bands, options), bands, f"timm {model}"))


def _require_model(timm: ModuleType, model: str) -> None:
    names = timm.list_models()
    architecture = model.partition(".")[0]
    if architecture not in names:
        remedy = did_you_mean(architecture, names, "List them with: python -c 'import timm; print(timm.list_models())'")
        expected = f"one of the {len(names)} models of timm {timm.__version__}"
        raise ConfigError("encoder timm, key model", repr(model), expected, remedy)


def _network(timm: ModuleType, model: str, bands: int, options: Mapping[str, Any]) -> nn.Module:
    """Return the network, for images of any size if it has the choice, and without stochastic depth by default."""
    try:
        network = _features(timm, model, in_chans=bands, **{**_ANY_SIZE, **options})
    except TypeError as error:
        if not any(argument in str(error) for argument in _ANY_SIZE):
            raise
        network = _features(timm, model, in_chans=bands, **options)
    if "drop_path_rate" not in options:
        _without_stochastic_depth(network)
    return network


def _features(timm: ModuleType, model: str, **options: Any) -> nn.Module:
    return timm.create_model(model, features_only=True, pretrained=False, **options)  # type: ignore[no-any-return]


def _without_stochastic_depth(network: nn.Module) -> None:
    """Switch the drop paths off that some models have by default, in place."""
    for module in network.modules():
        if hasattr(module, "drop_prob"):
            module.drop_prob = 0.0  # type: ignore[assignment]  # an attribute of timm's classes
