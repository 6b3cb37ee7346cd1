"""Options of the C library's allocator (glibc ``mallopt``)."""

import ctypes
import platform

_TRIM_THRESHOLD, _MMAP_MAX = -1, -4
"""M_TRIM_THRESHOLD and M_MMAP_MAX of glibc's ``malloc.h``."""


def keep_freed_memory() -> None:
    """Keep freed memory in the process for reuse, instead of returning it to the system; does nothing without glibc.

    By default, glibc maps each tensor of more than 32 MB from the system and unmaps it when freed, so that in every
    step the kernel clears and maps all its pages again: a quarter of a step's time on the CPU. The setting holds until
    the process ends.
    """
    if platform.libc_ver()[0] == "glibc":
        library = ctypes.CDLL(None)
        library.mallopt(_TRIM_THRESHOLD, -1)  # never shrink the heap
        library.mallopt(_MMAP_MAX, 0)  # and allocate large blocks there too, not by mmap
