"""Memory that a step gives back stays the process's, for the next step."""

import ctypes
import platform

_TRIM_THRESHOLD, _MMAP_MAX = -1, -4
"""Names of glibc's options in ``malloc.h``."""


def keep_freed_memory() -> None:
    """Let the C library hand freed memory out again instead of returning it to the system; with glibc only.

    By default it asks the system for each tensor of more than 32 MB and returns it at once, so that every step has all
    its pages cleared and mapped anew: a quarter of a step's time on the CPU. For the whole process, to its end.
    """
    if platform.libc_ver()[0] == "glibc":
        library = ctypes.CDLL(None)
        library.mallopt(_TRIM_THRESHOLD, -1)  # never return the top of the heap
        library.mallopt(_MMAP_MAX, 0)  # and take everything from there
