"""Prefetch and write-behind: one thread reads the next item and one writes finished ones, while the device computes."""

from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self, TypeVar

T = TypeVar("T")


def prefetch(items: Iterator[T]) -> Generator[T]:
    """Yield items; a thread prepares the next one while the caller uses one. Its exceptions are raised here."""
    # GDAL and torch release the GIL while they read, compress and compute, so threads suffice.
    with ThreadPoolExecutor(1) as thread:
        end = object()
        coming = thread.submit(next, items, end)
        while (item := coming.result()) is not end:
            coming = thread.submit(next, items, end)
            yield item  # type: ignore[misc]  # it is not the end


class WriteBehind:
    """A thread that runs calls in order: one runs and one waits, then a further call blocks.

    An exception in a call is raised by a later call, or at the end of the ``with`` block.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1)
        self._pending: deque[Future[None]] = deque()

    def __enter__(self) -> Self:
        return self

    def __call__(self, work: Callable[[], None]) -> None:
        """Queue a call."""
        # Each pending call holds a row of finished values: the bound on the queue is one on memory.
        if len(self._pending) > 1:
            self._pending.popleft().result()
        self._pending.append(self._thread.submit(work))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        # Waits for the running call even after an error: the caller then closes the files that it writes to.
        self._thread.shutdown(cancel_futures=error is not None)
        while error is None and self._pending:
            self._pending.popleft().result()
