"""Learning rates by part of the network, and by stage of its encoder."""

from dataclasses import dataclass

from torch import nn

from mtlaerial.config.start import StartSpec
from mtlaerial.models import Network
from mtlaerial.models.parts import encoder_stages, network_parts


@dataclass(frozen=True)
class ParameterGroup:
    """Parameters that learn at one rate: the training's times a factor."""

    parameters: list[nn.Parameter]
    factor: float = 1.0


def parameter_groups(network: Network, start: StartSpec | None) -> list[ParameterGroup]:
    """Return the parameters of a network by rate; a single group where all learn at the same.

    Stage s of the encoder, of S counted from 0, learns at ``stage_decay ** (S - 1 - s)`` of the encoder's rate
    (Howard and Ruder 2018, arXiv 1801.06146, section 3.2, with one factor for all stages).

    Raises
    ------
    ConfigError
        When the stages of the encoder are not its parameters.
    """
    if start is None or not start.tuned:
        return [ParameterGroup(list(network.parameters()))]
    stages = encoder_stages(network)
    factor = start.rates.get("encoder", 1.0)
    decays = [start.stage_decay ** (len(stages) - 1 - number) for number in range(len(stages))]
    groups = [ParameterGroup(stage, factor * decay) for stage, decay in zip(stages, decays, strict=True)]
    parts = network_parts(network)
    groups += [ParameterGroup(parts[name].parameters, start.rates.get(name, 1.0)) for name in ("decoder", "heads")]
    return groups
