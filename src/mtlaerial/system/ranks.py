"""Which of several processes this one is, as ``torchrun`` tells it."""

import os


def rank() -> int:
    """Return this process's number; the main process, which speaks and writes, has 0, as one alone has."""
    return int(os.environ.get("RANK", "0"))


def size() -> int:
    """Return how many processes there are, on all machines."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def size_here() -> int:
    """Return how many of them are on this machine."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", size()))
