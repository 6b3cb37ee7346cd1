"""Loading of an encoder's weights into a network."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from mtlaerial.errors import ConfigError
from mtlaerial.models.bands import adapt_kernels, band_sources
from mtlaerial.models.encoder_decoder import InputScaling
from mtlaerial.models.encoders.encoder import Encoder
from mtlaerial.models.network import Network
from mtlaerial.models.published.form import band_scaling, published_form
from mtlaerial.models.published.weights_file import EncoderWeights

_COUNTER = "num_batches_tracked"
"""A tensor without effect; files of old versions of torch have none."""


@torch.no_grad()
def load_encoder(
    network: Network, weights: EncoderWeights, bands: Sequence[str], new_bands: Mapping[str, str] | None = None
) -> None:
    """Copy an encoder's weights into a network, in place; an error leaves the network unchanged.

    The first convolution is adapted to the bands of the image (:func:`mtlaerial.models.bands.adapt_kernels`), and the
    network's ``trunk.scaling`` brings them to the values that the weights expect. Where the first convolution is not
    among the weights, as of DenseNet-121, both stay as they are.

    Parameters
    ----------
    network : Network
    weights : EncoderWeights
    bands : sequence of str
        Names of the bands of the image.
    new_bands : mapping of str to str, optional
        What the kernels of a band are that the weights do not know.

    Raises
    ------
    ConfigError
        When a tensor is missing or does not fit, or the weights do not know a band.
    """
    encoder, expected, tensors = network.trunk.encoder, weights.facts.input, dict(weights.tensors)
    if expected:
        first = _first_weight(encoder)
        if first in tensors and tensors[first].ndim == 4 and tensors[first].shape[1] == len(expected.bands):
            tensors[first] = adapt_kernels(tensors[first], expected.bands, bands, new_bands)
    _require_fitting(encoder, weights, tensors)
    scaling = getattr(network.trunk, "scaling", None)
    if expected:
        sources = band_sources(expected.bands, bands, new_bands)
        _set_scaling(scaling, *band_scaling(expected, sources), weights)
    state = encoder.state_dict()
    for name, tensor in tensors.items():
        state[name].copy_(tensor)


def _first_weight(encoder: Encoder) -> str:
    first = encoder.first_convolution.weight
    return next(name for name, parameter in encoder.named_parameters() if parameter is first)


def _require_fitting(encoder: Encoder, weights: EncoderWeights, tensors: Mapping[str, Tensor]) -> None:
    """Refuse weights of which a tensor is missing, surplus, or of another shape."""
    state, absent = encoder.state_dict(), published_form(weights.facts.encoder).absent
    needed = [name for name in state if not name.startswith(absent) and not name.endswith(_COUNTER)]
    for name in [*tensors, *needed]:
        sizes = [
            f"the shape {tuple(part[name].shape)}" if name in part else "no such tensor" for part in (tensors, state)
        ]
        if sizes[0] != sizes[1]:
            remedy = (
                "Leave the sizes of the model as they are published, choose weights of its encoder, or set "
                "pretrained: none."
            )
            raise ConfigError(f"{weights.path}, {name}", sizes[0], f"{sizes[1]}, as in the network's encoder", remedy)


def _set_scaling(scaling: object, scale: Sequence[float], shift: Sequence[float], weights: EncoderWeights) -> None:
    if not isinstance(scaling, InputScaling):
        problem = "a network whose trunk does not scale its image"
        expected = f"one whose trunk.scaling is an InputScaling, as {weights.path.name} expects other values"
        raise ConfigError("pretrained", problem, expected, "Add it to the network, or write pretrained: none.")
    scaling.scale.copy_(torch.tensor(scale))
    scaling.shift.copy_(torch.tensor(shift))
