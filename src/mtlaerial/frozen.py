"""Forward passes in training mode that leave no trace in the network."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm


@contextmanager
def frozen_statistics(network: nn.Module) -> Iterator[None]:
    """Keep the running means and variances as they are meanwhile; batches are still normalised by their own."""
    layers = [layer for layer in network.modules() if isinstance(layer, _BatchNorm)]
    kept = [layer.momentum for layer in layers]
    for layer in layers:
        layer.momentum = 0.0
    try:
        yield
    finally:
        for layer, momentum in zip(layers, kept, strict=True):
            layer.momentum = momentum
