"""Gradients of a training step."""

from collections.abc import Iterable

import torch
from torch import Tensor

from mtlaerial.training.trainer import Trainer


def flat(tensors: Iterable[Tensor]) -> Tensor:
    return torch.cat([tensor.flatten() for tensor in tensors])


def gradients(trainer: Trainer, step: int = 0) -> Tensor:
    """Return all gradients of a step, in double precision, with normalising layers that see no batch."""
    trainer.network.eval().double()
    normalise = trainer.update.batches.normalise
    trainer.update.batches.normalise = lambda image: normalise(image).double()  # type: ignore[assignment]  # a lambda for a module
    trainer.optimiser.zero_grad()
    trainer.update.forward_backward(step, trainer.update.batches.draw(step))
    return torch.cat([parameter.grad.flatten() for parameter in trainer.network.parameters()])
