"""Activation checkpointing: cheap stages are computed again in the backward pass, which saves most of their memory.

A *stage* is a concatenation, a batch norm, a ReLU and a final convolution. Stored concatenations make the memory of a
dense block grow with the square of its layers; with checkpointing only a stage's inputs are stored
(Pleiss et al. 2017, arXiv 1707.06990).
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from mtlaerial.errors import ConfigError


class CheckpointedModule(nn.Module):
    """A module whose stages can be computed again in the backward pass."""

    checkpointing = False

    @property
    def recomputing(self) -> bool:
        """Whether stages of a forward pass now would be computed again."""
        return self.checkpointing and torch.is_grad_enabled()

    def stage(self, run: Callable[..., Tensor], norm: nn.BatchNorm2d, *inputs: Tensor, draws: bool = False) -> Tensor:
        """Run a stage.

        Parameters
        ----------
        run : callable
            Maps the inputs to one tensor. Its last operation is the convolution, which is never computed again: its
            backward pass needs only its input, and recomputation stops there.
        norm : BatchNorm2d
            The batch norm of the stage; its running statistics are updated once only.
        inputs : Tensor
        draws : bool
            Whether the stage has dropout, so that recomputation needs the same random state.
        """
        if not self.recomputing:
            return run(*inputs)
        # Read now: the backward pass may run outside of `frozen_statistics`, in which this forward pass runs.
        tracked = bool(norm.track_running_stats)
        result: Tensor = checkpoint(
            run, *inputs, use_reentrant=False, preserve_rng_state=draws,
            context_fn=lambda: (nullcontext(), _CopiedStatistics(norm, tracked)),
        )  # fmt: skip
        return result


def checkpoint_network(network: nn.Module) -> None:
    """Switch on checkpointing in all stages of a network; the gradients stay the same.

    Raises
    ------
    ConfigError
        When the network has none: memory would stay the same.
    """
    modules = [module for module in network.modules() if isinstance(module, CheckpointedModule)]
    if not modules:
        expected = "false, as no stage of the model can be checkpointed"
        raise ConfigError("training.checkpointing", "true", expected, "Save memory with training.accumulate.")
    for module in modules:
        module.checkpointing = True


class _CopiedStatistics(AbstractContextManager[None]):
    """Context of a recomputation: the batch norm runs as in the forward pass, but updates copies of its statistics."""

    def __init__(self, norm: nn.BatchNorm2d, tracked: bool) -> None:
        self.norm, self.tracked = norm, tracked

    def __enter__(self) -> None:
        self.tracked_outside, self.buffers = self.norm.track_running_stats, dict(self.norm.named_buffers())
        self._assign(self.tracked, {name: values.clone() for name, values in self.buffers.items()})

    def __exit__(self, *_: object) -> None:
        self._assign(self.tracked_outside, self.buffers)

    def _assign(self, tracked: bool, statistics: Mapping[str, Tensor]) -> None:
        self.norm.track_running_stats = tracked
        for name, values in statistics.items():
            setattr(self.norm, name, values)
