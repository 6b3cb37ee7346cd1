"""Weights out of a checkpoint file of which nothing is trusted."""

import io
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mtlaerial.errors import DataError
from mtlaerial.models.original import inert_pickle

_DEPTH = 3
"""How deep in a checkpoint's dictionaries weights are looked for."""


def read_state(path: Path) -> dict[str, Tensor]:
    """Return the tensors by name that a checkpoint holds, from the dictionary that has most of them.

    Both of torch's formats are read, the one before version 1.6 too. Objects besides tensors and plain data are
    skipped, and no code in the file is run.

    Raises
    ------
    DataError
        When the file is missing, not what torch saves, or without tensors.
    """
    try:
        content = _load(path.read_bytes())
        state = max(_states(content, _DEPTH), key=len, default={})
    except Exception as error:  # a damaged file fails in any way
        reason = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
        found = f"a file that cannot be read ({reason})"
        raise DataError(path, found, "a checkpoint saved by torch", "Check the path, or get the file anew.") from None
    if not state:
        remedy = "Save the network's state_dict(), not the network itself."
        raise DataError(path, "no tensors by name", "a checkpoint with a state dict", remedy)
    return state


def _load(data: bytes) -> Any:
    """Unpickle from memory, where torch does not look for the archives with which its first versions saved."""
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*TorchScript")  # programs, which torch would load by other means
        return torch.load(io.BytesIO(data), map_location="cpu", pickle_module=inert_pickle, weights_only=False)


def _states(content: Any, depth: int) -> Iterator[dict[str, Tensor]]:
    """Yield the tensors by name of a dictionary and of those in it."""
    if isinstance(content, dict) and depth:
        yield {name: value for name, value in content.items() if isinstance(name, str) and isinstance(value, Tensor)}
        for value in content.values():
            yield from _states(value, depth - 1)
