"""torch.compile, where it can be used."""

import torch

from mtlaerial.errors import TrainingError
from mtlaerial.models import Network
from mtlaerial.system.compile_cache import keep_compiled_code
from mtlaerial.weighting import Weighting


def compile_network(network: Network, weighting: Weighting, graphs: bool = False) -> None:
    """Compile trunk and heads, each for itself, so that weightings still meet the features between them.

    Parameters
    ----------
    network : Network
    weighting : Weighting
    graphs : bool
        Run them in CUDA graphs; their results then hold until the next step begins (:func:`begin_step`).

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
    keep_compiled_code()
    options = {"mode": "reduce-overhead"} if graphs else {}
    for part in network.compiled_parts():
        part.compile(**options)


def begin_step() -> None:
    """Let CUDA graphs take the memory of the results of the step before."""
    torch.compiler.cudagraph_mark_step_begin()  # type: ignore[no-untyped-call]  # torch has no type there
