"""The network of a run in words."""

from typing import Any

from mtlaerial.config import NetworkSpec
from mtlaerial.config.decisive_keys import default_keys, flat_keys
from mtlaerial.config.model import D3NetSpec, EncoderDecoderSpec
from mtlaerial.runs.network_totals import parameters_text
from mtlaerial.runs.run import RunDescription

_LEFT_OUT = ("name", "encoder", "blocks", "initialisation", "pretrained", "options")
"""Keys of networks that their names tell already, or that decide a training's start alone."""


def network_text(run: RunDescription) -> str:
    """Return the network of a single run in words, with its parameters and the keys that are not at their defaults.

    Raises
    ------
    DataError
        When the sizes that it states are those of no network.
    """
    parts = [f"{network_name(run.plan.model)}, {parameters_text(run)}", _changed(run.plan.model)]
    return "; ".join(filter(None, parts))


def network_name(model: NetworkSpec) -> str:
    """Return a network's name in words, with its encoder where it has a known one.

    Examples
    --------
    >>> network_name(EncoderDecoderSpec(encoder="swin_v2_t"))
    'encoder swin_v2_t with decoder fusion'
    >>> network_name(D3NetSpec()), network_name(D3NetSpec(blocks=(4, 6, 8, 6)))
    ('D3Net with encoder densenet121', 'D3Net with a DenseNet encoder of blocks 4-6-8-6')
    """
    if isinstance(model, EncoderDecoderSpec):
        return f"encoder {model.encoder_name} with decoder {model.decoder.name}"
    if isinstance(model, D3NetSpec) and not _has_published_sizes(model):
        return f"{model.architecture} with a DenseNet encoder of blocks {_text(model.blocks)}"
    return f"{model.architecture} with encoder {model.encoder_name}" if model.encoder_name else model.architecture


def _has_published_sizes(model: D3NetSpec) -> bool:
    return all(getattr(model, key) == size for key, size in model.published_sizes().items())


def _changed(model: NetworkSpec) -> str:
    defaults = default_keys(model)
    sizes = dict(flat_keys(model.model_dump(mode="json")))
    changed = [key for key in sizes if key.partition(".")[0] not in _LEFT_OUT and sizes[key] != defaults.get(key)]
    return ", ".join(f"{key} {_text(sizes[key])}" for key in changed)


def _text(value: Any) -> str:
    return "-".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
