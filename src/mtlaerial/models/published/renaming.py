"""Published tensors under the names of an encoder's, each checked."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from mtlaerial.config.sources import WeightsInput
from mtlaerial.errors import DataError
from mtlaerial.models.encoders.encoder import Encoder
from mtlaerial.models.published.form import PublishedForm

IMAGENET = WeightsInput(
    bands=("red", "green", "blue"), mean=(123.675, 116.28, 103.53), deviation=(58.395, 57.12, 57.375)
)
"""The image that most weights of ImageNet expect: mean and deviation of its values of 0 to 255."""
Names = Callable[[Encoder], Mapping[str, str]]
"""Gives the published name of each of an encoder's tensors."""


def renamed_form(
    build: Callable[[int], Encoder], expected: WeightsInput, names: Names, is_dropped: Callable[[str], bool]
) -> PublishedForm:
    """Return the form of published weights that differ from an encoder's in the names.

    Parameters
    ----------
    build : callable
        Takes the number of bands and returns the encoder.
    expected : WeightsInput
        The image that the weights expect.
    names : Names
    is_dropped : callable
        Tells by its name whether a published tensor may be left out, as those of a classifier.
    """
    return PublishedForm(lambda published: _renamed(published, build, names, is_dropped), expected)


def _renamed(
    published: Mapping[str, Tensor],
    build: Callable[[int], Encoder],
    names: Names,
    is_dropped: Callable[[str], bool],
) -> dict[str, Tensor]:
    with torch.device("meta"):  # shapes without memory
        encoder = build(len(IMAGENET.bands))
    state, published_names = encoder.state_dict(), names(encoder)
    remedy = f"Get the weights of {build.__name__} anew, or choose the encoder that they belong to."
    for key, name in published_names.items():
        shape = tuple(state[key].shape)
        if name not in published:
            raise DataError(name, "no such tensor", f"the shape {shape}", remedy)
        if tuple(published[name].shape) != shape:
            raise DataError(name, f"the shape {tuple(published[name].shape)}", f"the shape {shape}", remedy)
    for name in sorted(published.keys() - published_names.values()):
        if not is_dropped(name):
            raise DataError(name, "a tensor", f"none of this name in {build.__name__}", remedy)
    return {key: published[name] for key, name in published_names.items()}
