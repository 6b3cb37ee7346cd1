"""Where the processes of one training meet, besides their sums: all wait for the main one, and one speaks of failure.

They meet in ``torchrun``'s store, which is there before they are joined to a group, and sets no limit to waiting.
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
"""Seconds between looks into the store."""
_FAILED = "mtlaerial/failed"


def follow_main(what: str, text: str = "") -> str:
    """Wait until the main process has come to the same call, however long it works before; return the text it brings.

    Parameters
    ----------
    what : str
        Name of the call, another one for each.
    text : str
        Counts in the main process alone.

    Raises
    ------
    SystemExit
        Where another process has failed meanwhile: that one says why.
    """
    if ranks.size() == 1:
        return text
    store, key = _store(), f"mtlaerial/{what}"
    if ranks.rank() == 0:
        store.set(key, text)
        return text
    while not store.check([key]):
        if store.check([_FAILED]):
            sys.exit(1)
        time.sleep(PAUSE)  # rather than store.wait, which does not heed an interrupt
    return str(store.get(key).decode())


@contextmanager
def one_voice() -> Iterator[None]:
    """Let the first process that fails say why; the others end without a word, also of what follows from its end.

    Raises
    ------
    SystemExit
        Instead of an exception, where another process was first.
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
    except distributed.DistError:  # the store has gone with the main process's machine: nobody hears of others
        return True


@cache
def _store() -> Any:  # torch does not export the type
    store, _, _ = next(rendezvous("env://"))
    return store
