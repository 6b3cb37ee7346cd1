"""Tensors of one network for another: parts by name, other bands, other classes, another unit."""

from collections.abc import Collection, Mapping, Sequence

import torch
from torch import Tensor

from mtlaerial.config import Task
from mtlaerial.errors import ConfigError
from mtlaerial.models.bands import MEAN, ZERO, adapt_kernels, band_sources
from mtlaerial.models.network import Network

Tensors = dict[str, Tensor]
LAST = (".last.weight", ".last.bias")
"""Ends of the names of a head's last convolution, which has an output channel for each class."""
SCALING = ("trunk.scaling.scale", "trunk.scaling.shift")
STEM = "trunk.stem.0.weight"
"""Kernels of a decoder's features of the image's own pixels."""
_PARTS = {"encoder": ("trunk.encoder.", "trunk.scaling."), "trunk": ("trunk.",), "all": ("",)}


def tensors_of(network: Network, parts: str, tasks: Collection[Task]) -> Tensors:
    """Return the tensors of an encoder, of a trunk, or of all but the heads of further tasks, by name."""
    state = network.state_dict()
    left_out = tuple(f"heads.{task}." for task in network.tasks if task not in tasks)
    names = [name for name in state if name.startswith(_PARTS[parts]) and not name.startswith(left_out)]
    return {name: state[name] for name in names}


def for_bands(
    tensors: Tensors, network: Network, run_bands: Sequence[str], bands: Sequence[str], new_bands: Mapping[str, str]
) -> Tensors:
    """Return a trunk's tensors for an image with other bands: the convolutions and the scaling of the image.

    Parameters
    ----------
    tensors : dict of str to Tensor
    network : Network
        The one that they are of.
    run_bands, bands : sequence of str
        Names of its bands, and of the image's.
    new_bands : mapping of str to str
        As in :func:`mtlaerial.models.bands.adapt_kernels`.

    Raises
    ------
    ConfigError
        As there.
    """
    first = network.trunk.encoder.first_convolution.weight
    name = next(name for name, parameter in network.named_parameters() if parameter is first)
    kernels = [name, *([STEM] if STEM in tensors else [])]
    adapted = {name: adapt_kernels(tensors[name], run_bands, bands, new_bands) for name in kernels}
    sources = band_sources(run_bands, bands, new_bands)
    for key in SCALING:
        if key in tensors:
            adapted[key] = torch.stack([_of_band(tensors[key], run_bands, source) for source in sources])
    return {**tensors, **adapted}


def with_scaling(tensors: Tensors, drawn: Tensors) -> Tensors:
    """Return tensors with a scaling of the image that changes nothing, where a network without one lends its encoder.

    Parameters
    ----------
    tensors : dict of str to Tensor
    drawn : dict of str to Tensor
        Those of the network that is to take them, as it was built.
    """
    return {**{key: drawn[key] for key in SCALING if key in drawn}, **tensors}


def for_classes(head: Tensors, drawn: Tensors, run_classes: Sequence[str], classes: Sequence[str]) -> Tensors:
    """Return a head's tensors for other classes: each takes the channel of its namesake, or keeps what was drawn.

    Parameters
    ----------
    head : dict of str to Tensor
    drawn : dict of str to Tensor
        Those of the head that is to take them.
    run_classes, classes : sequence of str
        Names of the classes of both, in the order of their channels.

    Raises
    ------
    ConfigError
        When the classes differ and the head has no layer of the name ``last``.
    """
    if list(run_classes) == list(classes):
        return head
    adapted = {}
    for name in _last(head, "other classes"):
        adapted[name] = drawn[name].clone()
        for channel, label in enumerate(classes):
            if label in run_classes:
                adapted[name][channel] = head[name][run_classes.index(label)]
    return {**head, **adapted}


def in_unit(head: Tensors, factor: float) -> Tensors:
    """Return a head's tensors for outputs that are multiplied by a factor.

    Raises
    ------
    ConfigError
        When the factor is not 1 and the head has no layer of the name ``last``.
    """
    if factor == 1:
        return head
    return {**head, **{name: head[name] * factor for name in _last(head, "another unit")}}


def _of_band(values: Tensor, run_bands: Sequence[str], source: str) -> Tensor:
    """Return the value of a band, or the mean over the bands for one that takes no single band's kernels."""
    return values.mean() if source in (MEAN, ZERO) else values[run_bands.index(source)]


def _last(head: Tensors, purpose: str) -> list[str]:
    names = [name for name in head if name.endswith(LAST)]
    if not names:
        problem = f"{purpose} than the run's, and a head without a layer named last"
        raise ConfigError(
            "pretrained.parts", problem, "one whose last convolution has that name", "Write parts: trunk."
        )
    return names
