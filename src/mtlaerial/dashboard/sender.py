"""Sender thread that keeps a Visdom server up to date, so that the training never waits for the server."""

import html
import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Literal

from mtlaerial.dashboard.client import Client, NoAnswer, Refusal, Window, text_window

log = logging.getLogger(__name__)
State = Literal["showing", "gone", "refusing"]
"""Behaviour of the server at the last attempt."""
Maker = Callable[[], Window]
"""Builder of a window's content, called when it is sent: content outdated by then is never built."""
RETRY = 5.0
"""Least number of seconds between attempts to reach a server that is gone."""
CLOSE_TIMEOUT = 5.0
"""Seconds within which the last windows are sent."""


class Sender:
    """Thread that sends the latest content of windows; its methods neither raise nor block.

    The loss of the server is logged once, as are a refusal and its return. A server that lacks a window is a new one
    and gets all.

    Parameters
    ----------
    client : Client
    seconds : float
        Least number of seconds between updates.
    retry : float
        Least number of seconds between attempts to reach a server that is gone.
    """

    def __init__(self, client: Client, seconds: float, retry: float = RETRY) -> None:
        self.client, self.seconds, self.retry = client, seconds, max(seconds, retry)
        self._windows: dict[str, Maker] = {}
        self._due: dict[str, Maker] = {}
        self._broken: set[str] = set()
        self._lock, self._closing = threading.Lock(), threading.Event()
        self._state: State | None = None
        self._thread = threading.Thread(target=self._run, name="dashboard", daemon=True)
        self._thread.start()

    def put(self, name: str, make: Maker) -> None:
        """Queue a window's content, in place of content that is not sent yet."""
        with self._lock:
            self._windows[name] = self._due[name] = make

    def close(self, seconds: float = CLOSE_TIMEOUT) -> None:
        """Send the remaining windows and let the server save them, within the given seconds."""
        self._closing.set()
        self._thread.join(seconds)

    def _run(self) -> None:
        while not self._closing.wait(self.retry if self._state in ("gone", "refusing") else self.seconds):
            self._deliver()
        self._deliver()
        if self._state == "showing":
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
                self._due = due | self._due  # content queued meanwhile is newer
            self._note("refusing" if isinstance(reason, Refusal) else "gone",
                       f"{self.client.url} does not show this training ({reason}); the training goes on, and "
                       "history.csv will have everything")  # fmt: skip
        else:
            self._note("showing", f"this training is shown at {self.client.page}")

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

    def _note(self, state: State, text: str) -> None:
        if state == "gone" and self._state == "refusing":
            return  # the log says already that the training is not shown
        if self._state != state:
            log.log(logging.INFO if state == "showing" else logging.WARNING, "dashboard: %s", text)
        self._state = state
