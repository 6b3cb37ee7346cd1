"""Batch-norm folding: norms become part of the convolutions before them, which saves passes over memory."""

from collections.abc import Iterator
from copy import deepcopy
from itertools import pairwise

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from mtlaerial.models.depthwise import DepthwiseConv2d
from mtlaerial.models.encoders.densenet import DenseLayer, DenseNet
from mtlaerial.models.network import Network

_CONVOLUTIONS = (nn.Conv2d, nn.ConvTranspose2d, DepthwiseConv2d)
"""Classes that are nothing but a convolution. Others, of other packages, may do more, as derived batch norms may."""
Pair = tuple[nn.Module, str, str]
"""A module, and the names in it of a convolution and of the batch norm that follows."""


def folded(model: Network) -> Network:
    """Return a copy for inference whose batch norms are folded into the convolutions before them.

    The first norms of dense layers and the norms of transitions are not folded: they follow a concatenation, or a
    rectifier comes between. Dropout stays as well, for Monte Carlo passes.

    Parameters
    ----------
    model : Network
        A trained network; it is not changed.

    Returns
    -------
    Network
        In evaluation mode. Its outputs equal the model's in that mode but for rounding; it cannot be trained, and its
        tensors have different names.
    """
    copy = deepcopy(model).eval().requires_grad_(False)
    for parent, conv_name, norm_name in list(_foldable_pairs(copy)):  # listed first: the loop replaces modules
        conv, norm = parent.get_submodule(conv_name), parent.get_submodule(norm_name)
        assert isinstance(conv, nn.Conv2d | nn.ConvTranspose2d)
        assert isinstance(norm, nn.BatchNorm2d)
        transposed = isinstance(conv, nn.ConvTranspose2d)
        # W' = W gamma / sqrt(var + eps),  b' = (b - mean) gamma / sqrt(var + eps) + beta
        parent.set_submodule(conv_name, fuse_conv_bn_eval(conv, norm, transpose=transposed))
        parent.set_submodule(norm_name, nn.Identity())
    return copy


def _foldable_pairs(model: Network) -> Iterator[Pair]:
    for module in model.modules():
        if isinstance(module, DenseNet):
            yield module, "conv0", "norm0"
            yield module, "downconv0", "norm1"
        elif isinstance(module, DenseLayer):
            yield module, "conv1", "norm2"
        elif isinstance(module, nn.Sequential):
            for (before, conv), (name, norm) in pairwise(module.named_children()):
                if type(norm) is nn.BatchNorm2d and type(conv) in _CONVOLUTIONS:
                    yield module, before, name
