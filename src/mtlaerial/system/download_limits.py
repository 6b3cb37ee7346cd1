"""Limits of a download in bytes, seconds and speed."""

import time
from dataclasses import dataclass

from mtlaerial.system.download_failure import TooSlow


@dataclass(frozen=True)
class Limits:
    """Bounds of a download, whatever the server states or sends."""

    size: int = 2**30
    """Bytes of the file."""
    seconds: float = 3600.0
    """Duration of all attempts together."""
    slowest: float = 1000.0
    """Bytes per second, averaged over the time after which a silent connection counts as dead."""
    timeout: float = 30.0
    """Seconds without data after which a connection counts as dead."""


class Pace:
    """The speed of a response, over one period after the other."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._begin, self._bytes = time.monotonic(), 0

    def count(self, size: int) -> None:
        """Count received bytes; raise :class:`TooSlow` when a period had too few."""
        self._bytes += size
        seconds = time.monotonic() - self._begin
        if seconds >= self._limits.timeout:
            if self._bytes < self._limits.slowest * seconds:
                raise TooSlow(f"{self._bytes} bytes in {seconds:.3g} s")
            self._begin, self._bytes = time.monotonic(), 0
