"""Progress of long work: a bar in a terminal, and lines in the log."""

import logging
import sys
from collections.abc import Iterable, Iterator
from time import monotonic
from typing import TypeVar

import psutil  # type: ignore[import-untyped]
from tqdm import tqdm

from mtlaerial.system import ranks

log = logging.getLogger(__name__)
T = TypeVar("T")
INTERVAL = 30.0
"""Seconds between lines."""
MEGABYTE = 2**20


def beside_bar(record: logging.LogRecord) -> bool:
    """Tell whether a handler that writes to the terminal shall show a record: not the lines, where there is a bar."""
    return record.name != __name__ or not sys.stderr.isatty()


def track(items: Iterable[T], total: int, what: str, unit: str) -> Iterator[T]:
    """Yield the items, and show how far, how fast and how long still.

    Parameters
    ----------
    items : iterable
    total : int
        How many there are.
    what : str
        What is being done, e.g. ``"training"``.
    unit : str
        What an item is, e.g. ``"tile"``.
    """
    bar = Progress(total, what, unit)
    for item in items:
        yield item
        bar.update(1)
    bar.close()


class Progress:
    """A bar and lines that are told of progress; see :func:`track` for the parameters.

    Of several processes the main one shows it.
    """

    def __init__(self, total: int, what: str, unit: str, initial: int = 0) -> None:
        main = ranks.rank() == 0
        shown = main and sys.stderr.isatty()
        self._bar = tqdm(total=total, initial=initial, desc=what, unit=f" {unit}", disable=not shown)
        self._lines = _Lines(total, what, unit, initial) if main else None

    def update(self, number: int) -> None:
        """Tell that a number of items are done."""
        self._bar.update(number)
        if self._lines:
            self._lines.update(number)

    def close(self) -> None:
        """Tell that all is done."""
        self._bar.close()


class _Lines:
    """One line per interval: done, rate, time left, memory."""

    def __init__(self, total: int, what: str, unit: str, initial: int) -> None:
        self.total, self.what, self.unit = total, what, unit
        self.done = self.initial = initial
        self.begun = self.said = monotonic()

    def update(self, number: int) -> None:
        self.done += number
        now = monotonic()
        if now - self.said < INTERVAL and self.done < self.total:
            return
        self.said = now
        rate = (self.done - self.initial) / max(now - self.begun, 1e-9)
        left = tqdm.format_interval((self.total - self.done) / rate) if rate else "?"
        log.info(
            "%s: %d/%d %s, %.3g %s/s, %s left, %s",
            *(self.what, self.done, self.total, self.unit, rate, self.unit, left, _memory()),
        )


def _memory() -> str:
    """Say how much memory the process holds now, and how much torch has on a GPU; torch is not imported for that."""
    said = f"{psutil.Process().memory_info().rss / MEGABYTE:,.0f} MB"
    torch = sys.modules.get("torch")
    if torch and torch.cuda.is_initialized():
        said += f", {torch.cuda.memory_reserved() / MEGABYTE:,.0f} MB on the GPU"
    return said
