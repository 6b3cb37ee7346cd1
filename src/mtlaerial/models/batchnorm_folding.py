"""Batch norms folded into the convolutions before them: the same outputs from fewer passes over memory."""

from collections.abc import Iterator
from copy import deepcopy
from itertools import pairwise

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from mtlaerial.models.d3net import D3Net, DecoderBlock
from mtlaerial.models.densenet import DenseLayer, Encoder

Pair = tuple[nn.Module, str, str]
"""A module, and the names in it of a convolution and of the batch norm that follows."""


def folded(model: D3Net) -> D3Net:
    """Return a copy for inference, in which batch norms are part of the convolutions that they follow.

    Norms of a dense layer's or a transition's input stay: they follow a concatenation, or a rectifier comes between.
    Dropout stays as well, so that passes with dropout can be run.

    Parameters
    ----------
    model : D3Net
        With the statistics that it was trained to; it is left as it is.

    Returns
    -------
    D3Net
        In evaluation mode. Its outputs are the model's in that mode but for rounding; it cannot be trained, and its
        tensors have other names.
    """
    copy = deepcopy(model).eval().requires_grad_(False)
    for parent, conv, norm in list(_pairs(copy)):
        before, after = parent.get_submodule(conv), parent.get_submodule(norm)
        assert isinstance(before, nn.Conv2d | nn.ConvTranspose2d)
        assert isinstance(after, nn.BatchNorm2d)
        transposed = isinstance(before, nn.ConvTranspose2d)
        parent.set_submodule(conv, fuse_conv_bn_eval(before, after, transpose=transposed))
        parent.set_submodule(norm, nn.Identity())
    return copy


def _pairs(model: D3Net) -> Iterator[Pair]:
    for module in model.modules():
        if isinstance(module, Encoder):
            yield module, "conv0", "norm0"
            yield module, "downconv0", "norm1"
        elif isinstance(module, DenseLayer):
            yield module, "conv1", "norm2"
        elif isinstance(module, DecoderBlock):
            for (before, _), (name, layer) in pairwise(module.named_children()):
                if isinstance(layer, nn.BatchNorm2d):
                    yield module, before, name
