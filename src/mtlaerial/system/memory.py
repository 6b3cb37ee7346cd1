"""Memory that this process holds, on the machine and on a GPU, and the error of a process that gets no more."""

import errno
import resource
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil

from mtlaerial.errors import UserError

MEGABYTE = 2**20
REFUSALS = (
    "can't allocate memory",
    "cannot allocate memory",
    "not enough memory",
    "out of memory",
    "bad_alloc",
    "can't start new thread",
    "failed to map segment",
)
"""Parts of the messages of torch, NumPy, GDAL and the loader of libraries when memory runs out; in small letters."""

_STATUS = Path("/proc/self/status")


def process_memory_mb() -> int:
    """Return the resident memory of this process, in megabytes."""
    return round(int(psutil.Process().memory_info().rss) / MEGABYTE)


def peak_process_memory_mb() -> float:
    """Return the most resident memory that this process has had, in megabytes."""
    if _STATUS.exists():
        # Linux's getrusage has at least the peak of the process that started this one, up to its start.
        _, _, peak = _STATUS.read_text(encoding="utf-8").partition("VmHWM:")
        return int(peak.split()[0]) * 1024 / MEGABYTE
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / MEGABYTE


def gpu_memory_mb() -> int | None:
    """Return the GPU memory that torch has reserved, in megabytes; None without a GPU in use."""
    torch = sys.modules.get("torch")  # not imported for this: many commands need no torch, and its import takes seconds
    if torch and torch.cuda.is_initialized():
        return round(int(torch.cuda.memory_reserved()) / MEGABYTE)
    return None


def as_memory_error(error: BaseException) -> UserError | None:
    """Return the message for a user whose process ran out of memory; None if an error has another reason.

    Examples
    --------
    >>> print(as_memory_error(MemoryError()))
    memory: found no more for this process (MemoryError); expected enough for its work. Give it more, or let it use \
less: a smaller training.batch or training.memory_budget_mb to train, --blend even or a smaller --window to predict.
    >>> as_memory_error(ValueError("another reason"))
    """
    for cause in _causes(error):
        text = " ".join(str(cause).split())
        if isinstance(cause, MemoryError) or getattr(cause, "errno", None) == errno.ENOMEM or _refuses(text):
            reason = text[:120] or type(cause).__name__
            remedy = (
                "Give it more, or let it use less: a smaller training.batch or training.memory_budget_mb to train, "
                "--blend even or a smaller --window to predict."
            )
            return UserError("memory", f"no more for this process ({reason})", "enough for its work", remedy)
    return None


def _refuses(text: str) -> bool:
    return any(part in text.lower() for part in REFUSALS)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and the errors that it was raised from or beside."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
