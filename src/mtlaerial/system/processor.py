"""The processor: its name, and the cores that this process may use."""

import os
import platform
from pathlib import Path

_FACTS = Path("/proc/cpuinfo")


def processor_name() -> str:
    """Return the processor's model as the system names it; its architecture where the system names none.

    Examples
    --------
    >>> processor_name() != ""
    True
    """
    try:
        lines = _FACTS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:  # not Linux
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def usable_cores() -> list[int]:
    """Return the numbers of the cores that this process may use: on a cluster those of its job."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))
