"""Weights read from an untrusted checkpoint file."""

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
"""Levels of nested dictionaries that are searched for weights."""


def read_state(path: Path) -> dict[str, Tensor]:
    """Return a checkpoint's tensors by name, from the dictionary that holds most of them.

    Both of torch's formats are read, the one before version 1.6 too. Objects besides tensors and plain data are
    skipped, and no code in the file is run.

    Raises
    ------
    DataError
        When the file is missing, not a torch checkpoint, or without tensors.
    """
    try:
        content = _load(path.read_bytes())
        state = max(_state_dicts(content, _DEPTH), key=len, default={})
    except Exception as error:  # a damaged file fails in any way
        reason = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
        fault = f"a file that cannot be read ({reason})"
        raise DataError(path, fault, "a checkpoint saved by torch", "Check the path, or get the file anew.") from None
    if not state:
        remedy = "Save the network's state_dict(), not the network itself."
        raise DataError(path, "no tensors by name", "a checkpoint with a state dict", remedy)
    return state


def _load(data: bytes) -> Any:
    """Unpickle from memory: only for a file on disk does torch try the tar archives of its first versions."""
    with warnings.catch_warnings():
        # torch warns of a TorchScript program and then loads it by torch.jit, past the inert unpickler.
        warnings.filterwarnings("error", message=".*TorchScript")
        # weights_only=True would refuse the harmless objects beside the weights; the unpickler is safe by itself.
        return torch.load(io.BytesIO(data), map_location="cpu", pickle_module=inert_pickle, weights_only=False)


def _state_dicts(content: Any, depth: int) -> Iterator[dict[str, Tensor]]:
    """Yield the tensors by name of a dictionary, and of the dictionaries nested in it."""
    if isinstance(content, dict) and depth:
        yield {name: value for name, value in content.items() if isinstance(name, str) and isinstance(value, Tensor)}
        for value in content.values():
            yield from _state_dicts(value, depth - 1)
