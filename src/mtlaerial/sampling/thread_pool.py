"""Threads of Python that share work on the CPU among them."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import torch


class Workers:
    """Run pieces of work side by side, each on one core: torch's own threads meet after every operation, these do not.

    Parameters
    ----------
    number : int
        How many there are.
    """

    def __init__(self, number: int) -> None:
        self._pool = ThreadPoolExecutor(number, "worker") if number > 1 else None

    def run(self, work: Callable[[int], None], number: int) -> None:
        """Do the pieces ``0`` to ``number - 1``; what they do must not depend on their order."""
        if self._pool is None or number == 1:
            for piece in range(number):
                work(piece)
            return
        threads = torch.get_num_threads()
        torch.set_num_threads(1)  # for all threads of the process, also the workers
        try:
            list(self._pool.map(work, range(number)))
        finally:
            torch.set_num_threads(threads)
