"""Parameters that a weighting learns, and that stay as they are in updates in which they take no part."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from mtlaerial.weighting import Weighting


@contextmanager
def holding(optimiser: torch.optim.Optimizer, weighting: Weighting) -> Iterator[None]:
    """Take back what a step of the optimiser changes of parameters that do not take part in the update.

    Momentum moves a parameter whose gradient is 0, and a parameter without gradient would have to be known before the
    step: the host would wait for the device, which counts the pixels with truth.

    Parameters
    ----------
    optimiser : torch.optim.Optimizer
        It makes its step within the context.
    weighting : Weighting
        Says which of its parameters move.
    """
    moving = weighting.moving()
    if moving is None:
        yield
        return
    parameters = weighting.parameters()
    before = [_copies(optimiser, parameter) for parameter in parameters]
    yield
    for parameter, copies, moves in zip(parameters, before, moving, strict=True):
        _restore(_tensors(optimiser, parameter), copies, moves)


def _tensors(optimiser: torch.optim.Optimizer, parameter: nn.Parameter) -> dict[str, Tensor]:
    """Return the parameter, and the optimiser's moments and count of its updates, by name."""
    state = optimiser.state.get(parameter, {})
    tensors = {name: value for name, value in state.items() if isinstance(value, Tensor)}
    return {"parameter": parameter.detach(), **tensors}


def _copies(optimiser: torch.optim.Optimizer, parameter: nn.Parameter) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in _tensors(optimiser, parameter).items()}


def _restore(tensors: dict[str, Tensor], copies: dict[str, Tensor], moves: Tensor) -> None:
    """Set tensors to their copies unless the parameter moves; those of a first step were 0 before."""
    for name, tensor in tensors.items():
        copy = copies.get(name, torch.zeros_like(tensor))
        tensor.copy_(torch.where(moves, tensor, copy))
