"""torch.compile, where it can be used."""

import torch

from mtlaerial.errors import TrainingError
from mtlaerial.models import Network
from mtlaerial.weighting import Weighting


def compile_network(network: Network, weighting: Weighting) -> None:
    """Compile trunk and heads, each for itself, so that weightings still meet the features between them.

    Raises
    ------
    TrainingError
        When the weighting differentiates gradients again, which compiled code cannot.
    """
    if weighting.differentiates_image:
        raise TrainingError(
            "training.compile", "true with a weighting that differentiates gradients (gradient_penalty)", "false",
            "torch.compile has no second derivatives; take compile: false for this method.",
        )  # fmt: skip
    # Gradients are taken per task: a buffer that the first backward pass uses must outlive it.
    torch._functorch.config.donated_buffer = False  # torch's own switch
    for part in network.compiled_parts():
        part.compile()
