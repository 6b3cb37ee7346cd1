"""Rendezvous of a training's processes: barriers without a time limit, and one error message.

It uses ``torchrun``'s store, which exists before the process group does and has no timeout of its own.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from torch import distributed
from torch.distributed.rendezvous import rendezvous

from mtlaerial.system import ranks

PAUSE = 0.2
"""Seconds between polls of the store."""
_FAILED = "mtlaerial/failed"


def follow_main(barrier: str, text: str = "") -> str:
    """Wait until the main process reaches the same barrier, without a time limit; return the main process's text.

    Parameters
    ----------
    barrier : str
        Name of the barrier, unique within a training.
    text : str
        Text to hand over; only that of the main process is used.

    Raises
    ------
    SystemExit
        When another process has failed meanwhile: that process gives the reason.
    """
    if ranks.size() == 1:
        return text
    store, key = _store(), f"mtlaerial/{barrier}"
    if ranks.rank() == 0:
        store.set(key, text)
        return text
    while not store.check([key]):
        if store.check([_FAILED]):
            sys.exit(1)
        time.sleep(PAUSE)  # store.wait would ignore an interrupt
    return str(store.get(key).decode())


@contextmanager
def single_error() -> Iterator[None]:
    """Let only the first process that fails raise its error; errors of the others often follow from its end.

    Raises
    ------
    SystemExit
        Instead of an error, when another process failed first.
    """
    try:
        yield
    except Exception:
        if ranks.size() > 1 and not _is_first_to_fail():
            sys.exit(1)
        raise
    if distributed.is_initialized():
        distributed.destroy_process_group()


def _is_first_to_fail() -> bool:
    try:
        return int(_store().add(_FAILED, 1)) == 1
    except (
        distributed.DistError
    ):  # the store is gone with the main process's machine, and no process can be told apart as the first
        return True


@cache
def _store() -> Any:  # torch does not export the type
    store, _, _ = next(rendezvous("env://"))
    return store
