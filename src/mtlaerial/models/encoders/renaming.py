"""Published tensors under the names of an encoder's, each checked."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from mtlaerial.errors import DataError
from mtlaerial.models.encoders.encoder import Encoder


def renamed(
    published: Mapping[str, Tensor],
    build: Callable[[int], Encoder],
    published_name: Callable[[str], str],
    is_dropped: Callable[[str], bool],
) -> dict[str, Tensor]:
    """Return the state dict of an encoder of three bands from published tensors.

    Parameters
    ----------
    published : mapping of str to Tensor
    build : callable
        Takes the number of bands and returns the encoder.
    published_name : callable
        Takes the name of an encoder's tensor and returns the published one.
    is_dropped : callable
        Tells by its name whether a published tensor may be left out.

    Raises
    ------
    DataError
        When a tensor is missing, has another shape, or is not of this encoder.
    """
    with torch.device("meta"):  # shapes without memory
        state = build(3).state_dict()
    names = {key: published_name(key) for key in state}
    remedy = f"Get the weights of {build.__name__} anew, or choose the encoder that they belong to."
    for key, name in names.items():
        shape = tuple(state[key].shape)
        if name not in published:
            raise DataError(name, "no such tensor", f"the shape {shape}", remedy)
        if tuple(published[name].shape) != shape:
            raise DataError(name, f"the shape {tuple(published[name].shape)}", f"the shape {shape}", remedy)
    for name in sorted(published.keys() - names.values()):
        if not is_dropped(name):
            raise DataError(name, "a tensor", f"none of this name in {build.__name__}", remedy)
    return {key: published[name] for key, name in names.items()}
