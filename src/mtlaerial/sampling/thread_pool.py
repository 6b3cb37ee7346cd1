"""Threads of Python that share work on the CPU."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import torch


class ThreadPool:
    """Runs pieces of work side by side, each on one core.

    Torch's own threads meet after every operation; these work through a piece without waiting for each other.

    Parameters
    ----------
    threads : int
    """

    def __init__(self, threads: int) -> None:
        self._executor = ThreadPoolExecutor(threads, "sampling") if threads > 1 else None

    def run(self, work: Callable[[int], None], number: int) -> None:
        """Call ``work`` with 0 to ``number - 1``; results must not depend on the order."""
        if self._executor is None or number == 1:
            for piece in range(number):
                work(piece)
            return
        threads = torch.get_num_threads()
        torch.set_num_threads(1)  # of all threads in the process, also of these
        try:
            list(self._executor.map(work, range(number)))
        finally:
            torch.set_num_threads(threads)
