"""Group of processes that train one network, each on its share of every batch."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, distributed, nn
from torch.nn.modules.batchnorm import _BatchNorm

from mtlaerial.errors import TrainingError
from mtlaerial.system import ranks


@dataclass(frozen=True)
class Group:
    """Rank and size of the group, as seen by one of its processes; by default a single process."""

    rank: int = 0
    size: int = 1

    @classmethod
    def current(cls) -> "Group":
        """Return the group in which ``torchrun`` started this process."""
        return cls(ranks.rank(), ranks.size())

    @property
    def main(self) -> bool:
        """Whether this is the main process, which alone writes files."""
        return self.rank == 0

    def share(self, batch: int, parts: int) -> slice:
        """Return this process's slice of a batch, which it runs in a number of equal parts.

        Raises
        ------
        TrainingError
            When the batch cannot be divided evenly.
        """
        if batch % (self.size * parts):
            division = f"{batch} patches for {self.size} processes and {parts} passes each"
            expected = f"a multiple of {self.size * parts}"
            raise TrainingError("training.batch", division, expected, "Change the batch, or the number of processes.")
        length = batch // self.size
        return slice(self.rank * length, (self.rank + 1) * length)

    def add_up(self, tensors: Sequence[Tensor]) -> None:
        """Sum tensors over all processes, in place, with one all-reduce per dtype.

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

    def answer_of_main(self, answer: bool, device: torch.device) -> bool:
        """Return the main process's answer in all processes, lest they go on in different ways.

        Parameters
        ----------
        answer : bool
            This process's.
        device : torch.device
            Device by which the processes talk.
        """
        votes = torch.tensor([float(answer and self.main)], device=device)
        self.add_up([votes])
        return bool(votes)

    def average_statistics(self, network: nn.Module, copies: Sequence[nn.Module] = ()) -> None:
        """Average the running statistics of batch norms in training mode, which each process takes from its share.

        Parameters
        ----------
        network : nn.Module
        copies : sequence of nn.Module
            Copies of the network, in which those of the same batch norms are averaged.
        """
        if self.size > 1:
            named = network.named_modules()
            names = [name for name, module in named if isinstance(module, _BatchNorm) and module.training]
            norms = [copy.get_submodule(name) for copy in (network, *copies) for name in names]
            running = [buffer for norm in norms for buffer in norm.buffers() if buffer.is_floating_point()]
            self.add_up(running)
            for statistic in running:
                statistic.div_(self.size)

    def wait(self) -> None:
        """Wait at a barrier of all processes, which times out; see :func:`mtlaerial.training.rendezvous.follow_main`.

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
    """Replace torch's errors on lost connections by one that names the end of another process."""
    try:
        yield
    except RuntimeError as error:
        remedy = "If memory ran out, use a smaller batch; the same command goes on from the last epoch."
        expected = "all of them to go on together"
        raise TrainingError("another process of this training", "its sudden end", expected, remedy) from error
