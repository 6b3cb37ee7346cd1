"""Progress of long work: a bar in a terminal, plain lines elsewhere."""

import logging
import sys
from collections.abc import Iterable, Iterator
from time import monotonic
from typing import TypeVar

from tqdm import tqdm

from mtlaerial import ranks

log = logging.getLogger(__name__)
T = TypeVar("T")
INTERVAL = 30.0
"""Seconds between lines where there is no terminal."""


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
    """A bar that is told of progress; see :func:`track` for the parameters.

    Of several processes the main one shows it.
    """

    def __init__(self, total: int, what: str, unit: str, initial: int = 0) -> None:
        terminal, main = sys.stderr.isatty(), ranks.rank() == 0
        self._bar = tqdm(total=total, initial=initial, desc=what, unit=f" {unit}", disable=not (terminal and main))
        self._lines = _Lines(total, what, unit, initial) if main and not terminal else None

    def update(self, number: int, note: str = "") -> None:
        """Tell that a number of items are done."""
        self._bar.update(number)
        if note:
            self._bar.set_postfix_str(note, refresh=False)
        if self._lines:
            self._lines.update(number, note)

    def close(self) -> None:
        """Tell that all is done."""
        self._bar.close()


class _Lines:
    """One line per interval: done, rate, time left."""

    def __init__(self, total: int, what: str, unit: str, initial: int) -> None:
        self.total, self.what, self.unit = total, what, unit
        self.done = self.initial = initial
        self.begun = self.said = monotonic()

    def update(self, number: int, note: str) -> None:
        self.done += number
        now = monotonic()
        if now - self.said < INTERVAL and self.done < self.total:
            return
        self.said = now
        rate = (self.done - self.initial) / max(now - self.begun, 1e-9)
        left = tqdm.format_interval((self.total - self.done) / rate) if rate else "?"
        log.info(
            "%s: %d/%d %s, %.3g %s/s, %s left%s",
            *(self.what, self.done, self.total, self.unit, rate, self.unit, left, f", {note}" if note else ""),
        )
