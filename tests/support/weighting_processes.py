"""Processes of one training, simulated by threads that take turns."""

import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

import torch
from torch import Tensor

Result = TypeVar("Result")
AddUp = Callable[[Sequence[Tensor]], None]


class _Turns:
    """The order in which processes run: one at a time."""

    def __init__(self, number: int) -> None:
        self.tensors: list[Sequence[Tensor]] = []
        self.sums, self.ended = 0, False
        self.allowed = [threading.Semaphore(0) for _ in range(number)]
        self.allowed[0].release()

    def begin(self, rank: int) -> None:
        self.allowed[rank].acquire()

    def end(self, rank: int) -> None:
        self.allowed[(rank + 1) % len(self.allowed)].release()

    def add_up(self, rank: int, tensors: Sequence[Tensor]) -> None:
        """Wait until every process has asked for the sum; the last one adds up."""
        assert not self.ended, "one process asks for a sum that others do not ask for"
        self.tensors.append(tensors)
        awaited = self.sums + 1
        if len(self.tensors) == len(self.allowed):
            for shares in zip(*self.tensors, strict=True):
                total = torch.stack([share.detach() for share in shares]).sum(dim=0)
                for share in shares:
                    share.detach().copy_(total)
            self.tensors, self.sums = [], awaited
        self.end(rank)
        self.begin(rank)
        assert self.sums >= awaited, "one process asks for a sum that others do not ask for"


def run_processes(number: int, work: Callable[[int, AddUp], Result]) -> list[Result]:
    """Run ``work(rank, add_up)`` in every process; ``add_up`` adds up tensors over all of them, in place.

    Raises
    ------
    AssertionError
        When the processes do not ask for the same sums.
    """
    turns = _Turns(number)
    results: dict[int, Result] = {}
    failures: list[BaseException] = []

    def run(rank: int) -> None:
        try:
            turns.begin(rank)
            results[rank] = work(rank, lambda tensors: turns.add_up(rank, tensors))
        except BaseException as failure:
            failures.append(failure)
        finally:
            turns.ended = True
            turns.end(rank)

    threads = [threading.Thread(target=run, args=(rank,), daemon=True) for rank in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return [results[rank] for rank in range(number)]
