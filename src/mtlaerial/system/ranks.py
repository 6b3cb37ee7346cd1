"""Rank and world size from ``torchrun``'s environment variables, without torch."""

import os


def rank() -> int:
    """Return this process's rank; 0 is the main process, which logs and writes files, also when it is the only one."""
    return int(os.environ.get("RANK", "0"))


def size() -> int:
    """Return the number of processes on all machines."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def size_here() -> int:
    """Return the number of processes on this machine."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", size()))
