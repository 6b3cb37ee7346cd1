"""Progress of long work: a bar in the terminal and lines in the log."""

import logging
import sys
from collections.abc import Iterable, Iterator
from time import monotonic
from typing import TypeVar

from tqdm import tqdm

from mtlaerial.system import ranks
from mtlaerial.system.memory import gpu_memory_mb, process_memory_mb

log = logging.getLogger(__name__)
T = TypeVar("T")
INTERVAL = 30.0
"""Seconds between progress lines in the log."""


def say(text: str) -> None:
    """Write a line to standard error, above the bars that are shown there."""
    tqdm.write(text, file=sys.stderr)


class TerminalHandler(logging.Handler):
    """Writes log records to standard error above the bars, without progress lines where a bar is shown."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record."""
        try:
            if record.name != __name__ or not sys.stderr.isatty():
                say(self.format(record))
        except Exception:
            self.handleError(record)


def track(items: Iterable[T], total: int, what: str, unit: str) -> Iterator[T]:
    """Yield the items, and show their number, their rate and the time left.

    Parameters
    ----------
    items : iterable
    total : int
        Number of items.
    what : str
        Label of the work, e.g. ``"training"``.
    unit : str
        Name of an item, e.g. ``"tile"``.
    """
    bar = Progress(total, what, unit)
    for item in items:
        yield item
        bar.update(1)
    bar.close()


class Progress:
    """A progress bar with log lines, shown by the main process only; see :func:`track` for the parameters.

    ``initial`` is the number of items done before, which the rate leaves out.
    """

    def __init__(self, total: int, what: str, unit: str, initial: int = 0) -> None:
        main = ranks.rank() == 0
        shown = main and sys.stderr.isatty()
        self._bar = tqdm(total=total, initial=initial, desc=what, unit=f" {unit}", disable=not shown)
        self._lines = _Lines(total, what, unit, initial) if main else None

    def update(self, number: int) -> None:
        """Count a number of items as done."""
        self._bar.update(number)
        if self._lines:
            self._lines.update(number)

    def close(self) -> None:
        """Close the bar."""
        self._bar.close()


class _Lines:
    """One log line per interval: items done, rate, time left, memory."""

    def __init__(self, total: int, what: str, unit: str, initial: int) -> None:
        self.total, self.what, self.unit = total, what, unit
        self.done = self.initial = initial
        self.begun = self.last_line = monotonic()

    def update(self, number: int) -> None:
        self.done += number
        now = monotonic()
        if now - self.last_line < INTERVAL and self.done < self.total:
            return
        self.last_line = now
        rate = (self.done - self.initial) / max(now - self.begun, 1e-9)
        left = tqdm.format_interval((self.total - self.done) / rate) if rate else "?"
        log.info(
            "%s: %d/%d %s, %.3g %s/s, %s left, %s",
            *(self.what, self.done, self.total, self.unit, rate, self.unit, left, _memory()),
        )


def _memory() -> str:
    """Describe the process's resident memory, and torch's reserved memory on the GPU."""
    text, on_gpu = f"{process_memory_mb():,} MB", gpu_memory_mb()
    return text if on_gpu is None else f"{text}, {on_gpu:,} MB on the GPU"
