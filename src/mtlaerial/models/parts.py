"""The parts of a network: encoder, decoder and heads, with their parameters and batch norms."""

from dataclasses import dataclass

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from mtlaerial.config.start import Part
from mtlaerial.errors import ConfigError
from mtlaerial.models.network import Network


@dataclass(frozen=True)
class NetworkPart:
    """Parameters and batch norms of a part."""

    parameters: list[nn.Parameter]
    norms: list[_BatchNorm]


def network_parts(network: Network) -> dict[Part, NetworkPart]:
    """Return the parts of a network; the decoder is what the trunk has besides the encoder, the heads all the rest."""
    encoder, trunk = list(network.trunk.encoder.modules()), list(network.trunk.modules())
    everything = list(network.modules())
    return {
        "encoder": _part(encoder),
        "decoder": _part(_without(trunk, encoder)),
        "heads": _part(_without(everything, trunk)),
    }


def encoder_stages(network: Network) -> list[list[nn.Parameter]]:
    """Return the parameters of each stage of the encoder, from the image to the coarsest features.

    Raises
    ------
    ConfigError
        When the stages of an encoder, perhaps of another package, lack some of its parameters or share some.
    """
    encoder = network.trunk.encoder
    stages = [list(stage.parameters()) for stage in encoder.stages()]
    listed = [id(parameter) for stage in stages for parameter in stage]
    if sorted(listed) != sorted(map(id, encoder.parameters())):
        problem = "stages() with other parameters than the encoder's"
        expected = "each parameter of the encoder in one stage"
        raise ConfigError(f"encoder {type(encoder).__name__}", problem, expected, "Correct the encoder's stages().")
    return stages


def _without(modules: list[nn.Module], others: list[nn.Module]) -> list[nn.Module]:
    left_out = set(map(id, others))
    return [module for module in modules if id(module) not in left_out]


def _part(modules: list[nn.Module]) -> NetworkPart:
    parameters = [parameter for module in modules for parameter in module.parameters(recurse=False)]
    return NetworkPart(parameters, [module for module in modules if isinstance(module, _BatchNorm)])
