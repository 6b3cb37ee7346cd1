"""Waiting for other threads and processes."""

import time
from collections.abc import Callable


def eventually(condition: Callable[[], object], seconds: float = 240) -> None:
    """Wait until a condition holds; fail when it does not after so many seconds, far more than a busy machine needs."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"it did not happen within {seconds:.0f} s"
        time.sleep(0.02)
