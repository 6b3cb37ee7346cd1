"""A pool of worker processes for independent items."""

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from threading import Thread
from typing import TypeVar

from mtlaerial.errors import DataError

T = TypeVar("T")
R = TypeVar("R")


def in_processes(work: Callable[[T], object], items: Sequence[T], jobs: int) -> Iterator[T]:
    """Call a function on each item in worker processes; yield each item when it is done.

    As :func:`results_in_processes`, without the results.
    """
    for item, _ in results_in_processes(work, items, jobs):
        yield item


def results_in_processes(work: Callable[[T], R], items: Sequence[T], jobs: int) -> Iterator[tuple[T, R]]:
    """Call a function on each item in worker processes; yield each item with its result when it is done.

    Parameters
    ----------
    work : callable
        Picklable, as the items and results must be.
    items : sequence
    jobs : int
        Number of processes; with 1, this process does the work, in the order of the items.

    Raises
    ------
    DataError
        When a worker process is killed.
    """
    if min(jobs, len(items)) <= 1:
        for item in items:
            yield item, work(item)
        return
    # Spawned, not forked: the fork of a process with threads (BLAS, GDAL) can deadlock on a lock that one of them held.
    pool = ProcessPoolExecutor(min(jobs, len(items)), multiprocessing.get_context("spawn"), _end_with_parent)
    try:
        # By number: items need not be hashable.
        submitted = {pool.submit(work, item): number for number, item in enumerate(items)}
        for future in as_completed(submitted):
            yield items[submitted[future]], future.result()  # or raises the exception of the work
    except BrokenProcessPool:
        remedy = "If memory ran out, use fewer processes."
        raise DataError("a worker process", "its sudden end", "work to its end", remedy) from None
    finally:
        pool.shutdown(cancel_futures=True)


def _end_with_parent() -> None:
    """End this worker when its parent is killed; otherwise it would wait for work for ever."""
    Thread(target=_await_parent, daemon=True).start()


def _await_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
