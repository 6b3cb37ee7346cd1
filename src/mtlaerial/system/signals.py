"""Graceful shutdown on SIGTERM and SIGINT: finish the step, save the state, end."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SHUTDOWN_SIGNALS = (signal.SIGTERM, signal.SIGINT)
"""Sent by a cluster before its time limit or on ``scancel``, by ``kill``, and by Ctrl-C."""


class Stopped(Exception):
    """The program ends because a signal asked it to.

    Parameters
    ----------
    number : int
        The signal's number.
    """

    def __init__(self, number: int) -> None:
        self.exit_code = 128 + number
        """128 + signal, as in shells; not 0, so that Snakemake runs the job again."""
        super().__init__(f"Asked to end by {signal.Signals(number).name}")


class Stop:
    """A request to end the program, checked between steps; see :func:`deferred_signals`."""

    def __init__(self) -> None:
        self._number: int | None = None

    def ask(self, number: int, _frame: FrameType | None = None) -> None:
        """Request the end, as a signal handler; after it, Ctrl-C ends the program at once."""
        self._number = self._number or number
        # SIGTERM stays deferred, as clusters send it twice.
        if signal.getsignal(signal.SIGINT) == self.ask:
            signal.signal(signal.SIGINT, signal.SIG_DFL)

    def check(self) -> None:
        """End the program if a signal asked for it; call it where the state is consistent and can be saved.

        Raises
        ------
        Stopped
            When a signal has arrived.
        """
        if self._number is not None:
            raise Stopped(self._number)


@contextmanager
def deferred_signals() -> Iterator[Stop]:
    """Defer SIGTERM and SIGINT within the block to the next :meth:`Stop.check`.

    Outside the main thread, where Python allows no signal handlers, they act as before.
    """
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    # A shell starts background jobs with SIGINT ignored; it stays so.
    deferred = [number for number in SHUTDOWN_SIGNALS if signal.getsignal(number) != signal.SIG_IGN]
    previous = {number: signal.signal(number, stop.ask) for number in deferred}
    try:
        yield stop
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
