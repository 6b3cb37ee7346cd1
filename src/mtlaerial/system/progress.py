"""Progress of long work: a bar in the terminal and lines in the log."""

import logging
import os
import re
import sys
import textwrap
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
WIDTH = 80
"""Columns of a terminal that does not say how many it has."""
MILESTONES = "mtlaerial.milestones"
"""Name of the logger of the few lines that a long job writes to the workflow's terminal too."""
_UNIT = re.compile(r"(?<=\d) (?=[%a-z])")
"""Space between a number and its unit."""
_hidden = False
"""Whether no bars are shown."""


def hide_bars() -> None:
    """Show no bars from now on in this process, where others write to the same terminal or only warnings are wanted."""
    global _hidden  # noqa: PLW0603
    _hidden = True


def say(text: str) -> None:
    """Write lines to standard error, above the bars; on a terminal those that are too long are filled to its width."""
    tqdm.write(_filled(text) if sys.stderr.isatty() else text, file=sys.stderr)


def _filled(text: str) -> str:
    """Return a text whose lines fit into the terminal; continued ones are indented, and units stay with numbers."""
    width = os.get_terminal_size(sys.stderr.fileno()).columns or WIDTH
    lines = []
    for line in text.splitlines():
        indent = line[: len(line) - len(line.lstrip())]
        fill = textwrap.TextWrapper(
            width, subsequent_indent=f"{indent}  ", break_long_words=False, break_on_hyphens=False
        )
        lines += fill.wrap(_UNIT.sub("\N{NO-BREAK SPACE}", line)) if len(line) > width else [line]
    return "\n".join(lines).replace("\N{NO-BREAK SPACE}", " ")


class TerminalHandler(logging.Handler):
    """Writes log records to standard error above the bars, without progress lines where a bar is shown.

    Parameters
    ----------
    calm : bool, optional
        On a terminal write warnings, errors and milestones alone: other jobs write there too, and the log has the rest.
    """

    def __init__(self, calm: bool = False) -> None:
        super().__init__()
        self._calm = calm

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record."""
        try:
            if not sys.stderr.isatty() or self._is_shown(record):
                say(self.format(record))
        except Exception:
            self.handleError(record)

    def _is_shown(self, record: logging.LogRecord) -> bool:
        if self._calm:
            return record.levelno >= logging.WARNING or record.name == MILESTONES
        return record.name != __name__


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
        shown = main and sys.stderr.isatty() and not _hidden
        self._bar = tqdm(
            total=total, initial=initial, desc=what, unit=f" {unit}", disable=not shown, dynamic_ncols=True
        )
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
        self.units = unit if total == 1 or unit.isupper() else f"{unit}s"  # MB has no plural
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
            "%s: %d/%d %s, %s %s/s, %s left, %s",
            *(self.what, self.done, self.total, self.units, rate_text(rate), self.unit, left, _memory()),
        )


def rate_text(rate: float) -> str:
    """Return a rate with three digits or all whole ones, without powers of ten.

    Examples
    --------
    >>> rate_text(0.06114), rate_text(45.27), rate_text(3542.4)
    ('0.0611', '45.3', '3,542')
    """
    return f"{rate:,.0f}" if rate >= 100 else f"{rate:.3g}"


def _memory() -> str:
    """Describe the process's resident memory, and torch's reserved memory on the GPU."""
    text, on_gpu = f"{process_memory_mb():,} MB", gpu_memory_mb()
    return text if on_gpu is None else f"{text}, {on_gpu:,} MB on the GPU"
