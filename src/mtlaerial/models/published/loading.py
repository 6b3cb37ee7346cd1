"""Loading of an encoder's weights into a network."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from mtlaerial.config.sources import WeightsInput
from mtlaerial.errors import ConfigError
from mtlaerial.models.bands import KEY, adapt_kernels, band_sources
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
    sources = published_band_sources(expected, bands, new_bands)
    if expected:
        first = _first_weight(encoder)
        if first in tensors:
            _require_bands(weights, first, expected)
            tensors[first] = adapt_kernels(tensors[first], expected.bands, bands, new_bands)
    _require_fitting(encoder, weights, tensors)
    if expected:
        scaling = getattr(network.trunk, "scaling", None)
        _set_scaling(scaling, *band_scaling(expected, sources), weights)
    state = encoder.state_dict()
    for name, tensor in tensors.items():
        state[name].copy_(tensor)


def published_band_sources(
    expected: WeightsInput | None, bands: Sequence[str], new_bands: Mapping[str, str] | None
) -> list[str]:
    """Return what each band of the image takes of published weights; nothing where these have no first convolution.

    Parameters
    ----------
    expected : WeightsInput or None
        The image that the weights expect; None where the first convolution is not among them.
    bands, new_bands
        As of :func:`mtlaerial.models.bands.band_sources`, whose errors it raises.
    """
    if expected:
        return band_sources(expected.bands, bands, new_bands)
    if new_bands:
        problem = f"a rule for {next(iter(new_bands))}"
        needed = "none, as the weights have no first convolution: it begins with random weights"
        raise ConfigError(KEY, problem, needed, "Remove new_bands.")
    return []


def _require_bands(weights: EncoderWeights, first: str, expected: WeightsInput) -> None:
    """Refuse a first convolution of another number of bands than the weights are said to be of."""
    shape = tuple(weights.tensors[first].shape)
    if len(shape) != 4 or shape[1] != len(expected.bands):
        needed = f"{len(expected.bands)} bands in its second place, as their input is {', '.join(expected.bands)}"
        remedy = "Correct pretrained.NAME.input, or choose weights of the encoder."
        raise ConfigError(f"{weights.path}, {first}", f"the shape {shape}", needed, remedy)


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
