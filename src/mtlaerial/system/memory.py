"""Memory that this process holds, on the machine and on a GPU."""

import sys

import psutil  # type: ignore[import-untyped]

MEGABYTE = 2**20


def process_memory_mb() -> int:
    """Return the resident memory of this process, in megabytes."""
    return round(int(psutil.Process().memory_info().rss) / MEGABYTE)


def gpu_memory_mb() -> int | None:
    """Return the GPU memory that torch has reserved, in megabytes; None without a GPU in use."""
    torch = sys.modules.get("torch")  # not imported for this: many commands need no torch, and its import takes seconds
    if torch and torch.cuda.is_initialized():
        return round(int(torch.cuda.memory_reserved()) / MEGABYTE)
    return None
