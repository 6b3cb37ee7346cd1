"""Several processes that train one network together, each on its share of every batch."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, distributed, nn

from mtlaerial.errors import TrainingError
from mtlaerial.system import ranks


@dataclass(frozen=True)
class Group:
    """The processes, as one of them sees them; by default it is alone."""

    rank: int = 0
    size: int = 1

    @classmethod
    def current(cls) -> "Group":
        """Return the group that ``torchrun`` started this process in."""
        return cls(ranks.rank(), ranks.size())

    @property
    def main(self) -> bool:
        """Whether this process is the one that writes files."""
        return self.rank == 0

    def share(self, batch: int, parts: int) -> slice:
        """Return which patches of a batch are this process's, to be run in so many parts.

        Raises
        ------
        TrainingError
            When the batch cannot be divided evenly.
        """
        if batch % (self.size * parts):
            found = f"{batch} patches for {self.size} processes and {parts} passes each"
            expected = f"a multiple of {self.size * parts}"
            raise TrainingError("training.batch", found, expected, "Change the batch, or the number of processes.")
        own = batch // self.size
        return slice(self.rank * own, (self.rank + 1) * own)

    def add_up(self, tensors: Sequence[Tensor]) -> None:
        """Add up tensors over all processes, in place; those of a type in one go.

        Raises
        ------
        TrainingError
            When another process has ended.
        """
        if self.size == 1:
            return
        for kind in dict.fromkeys(tensor.dtype for tensor in tensors):
            alike = [tensor for tensor in tensors if tensor.dtype == kind]
            flat = torch.cat([tensor.reshape(-1) for tensor in alike])
            with _all_present():
                distributed.all_reduce(flat)
            for tensor, part in zip(alike, torch.split(flat, [tensor.numel() for tensor in alike]), strict=True):
                tensor.copy_(part.view_as(tensor))

    def average_statistics(self, network: nn.Module) -> None:
        """Bring the statistics of normalising layers, which follow from each process's share, to their mean."""
        if self.size > 1:
            running = [buffer for buffer in network.buffers() if buffer.is_floating_point()]
            self.add_up(running)
            torch._foreach_div_(running, self.size)

    def wait(self) -> None:
        """Wait until all processes are here; not for long, see :func:`mtlaerial.training.rendezvous.follow_main`.

        Raises
        ------
        TrainingError
            When another process has ended.
        """
        if self.size > 1:
            with _all_present():
                distributed.barrier()


@contextmanager
def _all_present() -> Iterator[None]:
    """Say plainly that another process is gone, where torch speaks of connections."""
    try:
        yield
    except RuntimeError as error:
        remedy = "If memory ran out, use a smaller batch; the same command goes on from the last epoch."
        expected = "all of them to go on together"
        raise TrainingError("another process of this training", "its sudden end", expected, remedy) from error
