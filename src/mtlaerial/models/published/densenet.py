"""ImageNet weights of torchvision's DenseNet-121.

The stems differ: the first convolution, the second and its batch norm keep their random weights, as in the original.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from mtlaerial.config import D3NetSpec
from mtlaerial.errors import DataError
from mtlaerial.models.encoders.densenet import DenseNet, densenet_name, without_dots
from mtlaerial.models.published.form import PublishedForm

STEM = ("conv0.", "downconv0.", "norm1.")
"""Prefixes of the stem's tensors that DenseNet-121 lacks, or has in another shape."""
COUNTER = "num_batches_tracked"
"""A tensor without effect; files of old versions of torch have none."""


def convert_densenet(published: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the weights of torchvision's DenseNet-121 under our encoder's names.

    Parameters
    ----------
    published : mapping of str to Tensor
        Layers named ``norm1`` or, as in the published file, ``norm.1``; or a dictionary that this function returned.

    Returns
    -------
    dict of str to Tensor
        Those that fit the full-size encoder, e.g. ``blocks.0.0.norm1.weight``.

    Raises
    ------
    DataError
        When a tensor is missing or has another shape.
    """
    tensors = {without_dots(name): tensor for name, tensor in published.items()}
    weights = {}
    for key, shape in _shared_shapes().items():
        name = key if key in tensors else densenet_name(key)
        if name in tensors and tensors[name].shape == shape:
            weights[key] = tensors[name]
        elif not key.endswith(COUNTER):
            actual = f"the shape {tuple(tensors[name].shape)}" if name in tensors else "no such tensor"
            raise DataError(name, actual, f"the shape {tuple(shape)}", "Get torchvision's DenseNet-121 anew.")
    return weights


def _shared_shapes() -> dict[str, torch.Size]:
    """Return the shapes of the tensors that the full-size encoder has in common with DenseNet-121."""
    spec = D3NetSpec()
    with torch.device("meta"):  # shapes without memory
        encoder = DenseNet(3, spec.stem, spec.growth, spec.blocks, spec.bottleneck)
    return {key: tensor.shape for key, tensor in encoder.state_dict().items() if not key.startswith(STEM)}


DENSENET121 = PublishedForm(convert_densenet, input=None, absent=STEM)
