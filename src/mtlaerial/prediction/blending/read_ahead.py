"""Work ahead and behind: threads that read what comes next and write what is done, while the device computes."""

from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self, TypeVar

T = TypeVar("T")


def ahead(items: Iterator[T]) -> Generator[T]:
    """Yield items, the next one being made in a thread while one is used; what fails there fails here."""
    with ThreadPoolExecutor(1) as thread:
        end = object()
        coming = thread.submit(next, items, end)
        while (item := coming.result()) is not end:
            coming = thread.submit(next, items, end)
            yield item  # type: ignore[misc]  # it is not the end


class Behind:
    """Runs calls in a thread, in order; one may be at work and one waiting, then the next has to wait.

    What fails there fails at a later call, or at the end of the block.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1)
        self._pending: deque[Future[None]] = deque()

    def __enter__(self) -> Self:
        return self

    def __call__(self, work: Callable[[], None]) -> None:
        """Run something soon."""
        if len(self._pending) > 1:
            self._pending.popleft().result()
        self._pending.append(self._thread.submit(work))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._thread.shutdown(cancel_futures=error is not None)
        while error is None and self._pending:
            self._pending.popleft().result()
