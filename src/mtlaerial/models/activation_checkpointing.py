"""Memory for little time: what is cheap to compute is computed again in the backward pass, not kept for it.

A *stage* is a concatenation, a batch norm, a rectifier, and a convolution at its end. Concatenations make a dense block
take memory with the square of its layers. Only the stage's inputs are kept: Pleiss et al. 2017, arXiv 1707.06990.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint


class Recomputing(nn.Module):
    """A module whose stages can be computed again in the backward pass instead of being kept for it."""

    checkpointing = False

    @property
    def recomputing(self) -> bool:
        """Whether a pass through it now would compute stages again."""
        return self.checkpointing and torch.is_grad_enabled()

    def stage(self, run: Callable[..., Tensor], norm: nn.BatchNorm2d, *inputs: Tensor, draws: bool = False) -> Tensor:
        """Run a stage.

        Parameters
        ----------
        run : callable
            Makes one tensor of the inputs; ends with the convolution, which is never computed again: all that is
            needed for the backward pass is known as soon as its input is.
        norm : BatchNorm2d
            The batch norm in it, whose statistics change once.
        inputs : Tensor
        draws : bool
            Whether the stage has dropout, which must leave out the same again.
        """
        if not self.recomputing:
            return run(*inputs)
        tracked = bool(norm.track_running_stats)  # frozen now, it is frozen then
        result: Tensor = checkpoint(
            run, *inputs, use_reentrant=False, preserve_rng_state=draws,
            context_fn=lambda: (nullcontext(), _SparedStatistics(norm, tracked)),
        )  # fmt: skip
        return result


def checkpoint_network(network: nn.Module) -> None:
    """Let all stages of a network be computed again in the backward pass; nothing that it learns changes."""
    for module in network.modules():
        if isinstance(module, Recomputing):
            module.checkpointing = True


class _SparedStatistics(AbstractContextManager[None]):
    """Lets a batch norm run as it did, on copies of its statistics; entered once for each backward pass."""

    def __init__(self, norm: nn.BatchNorm2d, tracked: bool) -> None:
        self.norm, self.tracked = norm, tracked

    def __enter__(self) -> None:
        self.tracks, self.own = self.norm.track_running_stats, dict(self.norm.named_buffers())
        self._put(self.tracked, {name: values.clone() for name, values in self.own.items()})

    def __exit__(self, *_: object) -> None:
        self._put(self.tracks, self.own)

    def _put(self, tracked: bool, statistics: Mapping[str, Tensor]) -> None:
        self.norm.track_running_stats = tracked
        for name, values in statistics.items():
            setattr(self.norm, name, values)
