"""Ending when asked to: what is at work is brought to a point from which it can go on, and kept."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

ASKING = (signal.SIGTERM, signal.SIGINT)
"""What asks a program to end: a cluster before its time limit or on ``scancel``, ``kill``, Ctrl-C."""


class Stopped(Exception):
    """The program was asked to end, and does.

    Parameters
    ----------
    number : int
        The signal that asked.
    """

    def __init__(self, number: int) -> None:
        self.exit_code = 128 + number
        """Not 0, so that Snakemake tries again; by the shells' convention the signal can be read from it."""
        super().__init__(f"Asked to end by {signal.Signals(number).name}")


class Stop:
    """Whether the program was asked to end; see :func:`heeding`."""

    def __init__(self) -> None:
        self._number: int | None = None

    def ask(self, number: int, _frame: FrameType | None = None) -> None:
        """Take note of a signal; another Ctrl-C ends the program at once, not SIGTERM, which clusters send twice."""
        self._number = self._number or number
        if signal.getsignal(signal.SIGINT) == self.ask:
            signal.signal(signal.SIGINT, signal.SIG_DFL)

    def check(self) -> None:
        """Go on, or not: called where what is at work can be kept.

        Raises
        ------
        Stopped
            When the program was asked to end.
        """
        if self._number is not None:
            raise Stopped(self._number)


@contextmanager
def heeding() -> Iterator[Stop]:
    """Let signals that ask the program to end wait for the next :meth:`Stop.check`, as long as the block lasts.

    Outside the main thread, where Python sets no handlers, they end the program as before.
    """
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    heeded = [number for number in ASKING if signal.getsignal(number) != signal.SIG_IGN]  # as a shell may have set
    before = {number: signal.signal(number, stop.ask) for number in heeded}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
