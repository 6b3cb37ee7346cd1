"""Parameters and operations of a network, counted by torch without memory or arithmetic."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from mtlaerial.config import NetworkSpec, Task
from mtlaerial.models import build_model

SIDE = 256
"""Side in pixels of the image that is counted: a multiple of all sizes that networks divide an image into."""
BANDS = 3


@dataclass(frozen=True)
class NetworkCounts:
    """Counts of a network for images of three bands.

    Attributes
    ----------
    parameters, encoder_parameters : int
        Of the whole network, and of its encoder.
    flop, encoder_flop : float
        Floating-point operations of a forward pass per pixel; a multiplication and an addition are two.
    """

    parameters: int
    encoder_parameters: int
    flop: float
    encoder_flop: float


def count_parameters(spec: NetworkSpec, bands: int, outputs: Mapping[Task, int]) -> int:
    """Return the number of parameters of a network.

    Raises
    ------
    ConfigError
        When it cannot be built.
    """
    with torch.device("meta"):
        return _parameters(build_model(spec, bands, outputs))


def count_network(spec: NetworkSpec, outputs: Mapping[Task, int]) -> NetworkCounts:
    """Count a network.

    Parameters
    ----------
    spec : NetworkSpec
    outputs : mapping of task to int
        Channels of each task's output.

    Raises
    ------
    ConfigError
        When it cannot be built.
    """
    with torch.device("meta"), torch.no_grad():
        network = build_model(spec, BANDS, outputs).eval()
        image = torch.empty(1, BANDS, SIDE, SIDE)
        with FlopCounterMode(display=False) as encoder:
            encoded = network.encode(image)
        with FlopCounterMode(display=False) as decoder:
            network.decode(encoded)
    encoder_flop = encoder.get_total_flops() / SIDE**2
    return NetworkCounts(
        parameters=_parameters(network),
        encoder_parameters=_parameters(network.trunk.encoder),
        flop=encoder_flop + decoder.get_total_flops() / SIDE**2,
        encoder_flop=encoder_flop,
    )


def _parameters(module: nn.Module) -> int:
    return sum(weight.numel() for weight in module.parameters())
