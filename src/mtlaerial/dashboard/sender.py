"""A thread that keeps a Visdom server up to date, so that nobody else waits for one."""

import html
import logging
import threading
from collections.abc import Callable
from contextlib import suppress

from mtlaerial.dashboard.client import Client, NoAnswer, Window, text_window

log = logging.getLogger(__name__)
Maker = Callable[[], Window]
"""Makes a window's content when it is sent: what is outdated by then is never made."""
RETRY = 5.0
"""Seconds, at least, between attempts to reach a server that is gone."""
LAST = 5.0
"""Seconds that the last windows may take, at most."""


class Sender:
    """Sends the latest content of windows, from a thread of its own; never raises, and never lets its caller wait.

    A server that goes is told of once, as is its return. One that lacks a window is a new one, and gets all of them.

    Parameters
    ----------
    client : Client
    seconds : float
        Between updates, at least.
    retry : float
        Seconds between attempts to reach a server that is gone, at least.
    """

    def __init__(self, client: Client, seconds: float, retry: float = RETRY) -> None:
        self.client, self.seconds, self.retry = client, seconds, max(seconds, retry)
        self._windows: dict[str, Maker] = {}
        self._due: dict[str, Maker] = {}
        self._broken: set[str] = set()
        self._lock, self._closing = threading.Lock(), threading.Event()
        self._there: bool | None = None
        self._thread = threading.Thread(target=self._run, name="dashboard", daemon=True)
        self._thread.start()

    def put(self, name: str, make: Maker) -> None:
        """Show something in a window, soon; what it was to show before is forgotten."""
        with self._lock:
            self._windows[name] = self._due[name] = make

    def close(self, seconds: float = LAST) -> None:
        """Send what is left and let the server keep it, as far as that takes no longer than the seconds given."""
        self._closing.set()
        self._thread.join(seconds)

    def _run(self) -> None:
        while not self._closing.wait(self.retry if self._there is False else self.seconds):
            self._deliver()
        self._deliver()
        if self._there:
            with suppress(NoAnswer):
                self.client.keep()

    def _deliver(self) -> None:
        with self._lock:
            windows, due, self._due = dict(self._windows), self._due, {}
        if not due:
            return
        try:
            for name, make in (due if self.client.has(next(iter(windows))) else windows).items():
                self._show(name, make)
        except NoAnswer as reason:
            with self._lock:
                self._due = due | self._due
            self._note(False, f"{self.client.url} is not to be reached ({reason}); the training goes on, and "
                       "history.csv will have everything")  # fmt: skip
        else:
            self._note(True, f"this training is shown at {self.client.page}")

    def _show(self, name: str, make: Maker) -> None:
        try:
            content = make()
        except Exception as error:
            reason = f"{name} cannot be drawn ({type(error).__name__}: {error})"
            content = text_window(name, html.escape(reason))
            if name not in self._broken:
                log.warning("dashboard: %s", reason)
            self._broken.add(name)
        self.client.show(name, content)

    def _note(self, there: bool, text: str) -> None:
        if self._there is not there:
            log.log(logging.INFO if there else logging.WARNING, "dashboard: %s", text)
        self._there = there
