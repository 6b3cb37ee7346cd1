"""Independent pieces of work in several processes."""

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from threading import Thread
from typing import TypeVar

from mtlaerial.errors import DataError

T = TypeVar("T")


def in_processes(work: Callable[[T], object], items: Sequence[T], jobs: int) -> Iterator[T]:
    """Do the same work for each of some items; yield each item when it is done.

    Parameters
    ----------
    work : callable
        Picklable, as the items; what it returns is dropped.
    items : sequence
    jobs : int
        Processes; with 1, all is done in this one, in order.

    Raises
    ------
    DataError
        When a process is killed.
    """
    if min(jobs, len(items)) <= 1:
        for item in items:
            work(item)
            yield item
        return
    # Spawned, not forked: a copy of a process whose libraries run threads may hang.
    pool = ProcessPoolExecutor(min(jobs, len(items)), multiprocessing.get_context("spawn"), _end_with_parent)
    try:
        waiting = {pool.submit(work, item): item for item in items}
        for future in as_completed(waiting):
            future.result()
            yield waiting[future]
    except BrokenProcessPool:
        remedy = "If memory ran out, use fewer processes."
        raise DataError("a worker process", "its sudden end", "work to its end", remedy) from None
    finally:
        pool.shutdown(cancel_futures=True)


def _end_with_parent() -> None:
    """End this worker when its parent is killed; it would wait for work for ever."""
    Thread(target=_await_parent, daemon=True).start()


def _await_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
