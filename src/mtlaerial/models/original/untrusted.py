"""Weights read from an untrusted checkpoint file: no code in it runs, and memory follows from what it stores."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mtlaerial.errors import DataError
from mtlaerial.models.original.checkpoint_file import CheckpointFile, open_checkpoint
from mtlaerial.models.original.pickle_reader import MAX_NUMBER, Malformed, Storage, StoredTensor, shortened
from mtlaerial.system.file_signature import other_kind

MAX_FILE = 2**32
"""Bytes of a file; the original's, with its optimiser, have 3e8."""
MAX_VALUES = 400_000_000
"""Bytes of a network's values; the largest of the original's has 1e8."""
_DEPTH = 3
"""Levels of nested dictionaries that are searched for weights."""
_EXPECTED = "a checkpoint saved by torch"
_REMEDY = "Check the path, or get the file anew."
_SHORT = 80
"""Characters of a text that counts as a fact beside the weights."""
_ENTRIES = 32
"""Facts, and entries of a list that is one."""

Fact = str | int | float | bool | None
Facts = dict[str, Fact | list[Fact]]


@dataclass(frozen=True)
class Checkpoint:
    """Content of a checkpoint file.

    Attributes
    ----------
    state : dict of str to Tensor
        The tensors by name, from the dictionary that holds most of them.
    facts : dict
        Plain values beside the weights, such as the epoch, by the names that the file gives them.
    """

    state: dict[str, Tensor]
    facts: Facts


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint of either of torch's formats, the one before version 1.6 too.

    Objects besides tensors and plain data are skipped.

    Raises
    ------
    DataError
        When the file is missing, not a torch checkpoint, or without tensors; or when its tensors hold more values than
        the original's networks, or than the file stores.
    """
    _require_file(path)
    try:
        with open_checkpoint(path) as file:
            state = max(_state_dicts(file.content), key=len, default={})
            tensors = _tensors(file, state)
            facts = _facts(file.content)
    except Exception as error:  # a damaged file fails in any way
        raise DataError(path, _fault(error), _EXPECTED, _REMEDY) from None
    if not tensors:
        remedy = "Save the network's state_dict(), not the network itself."
        raise DataError(path, "no tensors by name", "a checkpoint with a state dict", remedy)
    return Checkpoint(tensors, facts)


def require_plain_checkpoint(path: Path) -> None:
    """Refuse a file that is no checkpoint of torch's, or declares other sizes than it stores.

    Raises
    ------
    DataError
        When it is such a file.
    """
    _require_file(path)
    try:
        with open_checkpoint(path):
            pass
    except Exception as error:  # a damaged file fails in any way
        raise DataError(path, _fault(error), _EXPECTED, _REMEDY) from None


def _require_file(path: Path) -> None:
    """Refuse what is missing, no regular file (a pipe would be waited for), or of another kind."""
    try:
        if path.is_file():
            size = path.stat().st_size
            kind = "a file of more than 4 GiB" if size > MAX_FILE else other_kind(path)
        else:
            path.stat()
            kind = "a folder" if path.is_dir() else "a device or a pipe"
    except FileNotFoundError:
        kind = "no file"
    except OSError as error:
        kind = f"a file that cannot be read ({error.strerror or type(error).__name__})"
    if kind:
        raise DataError(path, kind, _EXPECTED, _REMEDY)


def _fault(error: Exception) -> str:
    if isinstance(error, Malformed):
        return str(error)
    reason = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
    return f"a file that cannot be read ({reason})"


def _state_dicts(content: Any) -> Iterator[dict[str, StoredTensor]]:
    """Yield the tensors by name of each dictionary, down to some depth."""
    level, visited = [content], set()
    for _ in range(_DEPTH):
        dicts = {id(value): value for value in level if isinstance(value, dict) and id(value) not in visited}
        visited |= set(dicts)
        for value in dicts.values():
            yield {name: tensor for name, tensor in value.items() if _is_named_tensor(name, tensor)}
        level = [entry for value in dicts.values() for entry in value.values()]


def _is_named_tensor(name: Any, tensor: Any) -> bool:
    return isinstance(name, str) and isinstance(tensor, StoredTensor)


def _tensors(file: CheckpointFile, state: Mapping[str, StoredTensor]) -> dict[str, Tensor]:
    """Read the values of tensors, once all are known to be within bounds."""
    for name, tensor in state.items():
        _require_stored(file, name, tensor)
    storages = {tensor.storage.key: tensor.storage for tensor in state.values()}
    stored = sum(_length(storage) for storage in storages.values())
    declared = sum(math.prod(tensor.shape) * tensor.storage.dtype.itemsize for tensor in state.values())
    if max(declared, stored) > MAX_VALUES:
        raise Malformed(f"tensors of {max(declared, stored):,} bytes, more than {MAX_VALUES:,}")
    if declared > 2 * stored:  # the original has its third decoder block under two names
        raise Malformed(f"tensors of {declared:,} bytes that store {stored:,}")
    values = {key: _values(file, storage) for key, storage in storages.items()}
    return {name: _view(values[tensor.storage.key], tensor) for name, tensor in state.items()}


def _require_stored(file: CheckpointFile, name: str, tensor: StoredTensor) -> None:
    """Refuse a tensor whose storage is cut off, or that has more values than this, as by a stride of 0."""
    storage, count = tensor.storage, math.prod(tensor.shape)
    length = file.sizes.get(storage.key, 0)
    if length != _length(storage):
        raise Malformed(f"{length:,} bytes of {shortened(name)} instead of {_length(storage):,}")
    steps = zip(tensor.shape, tensor.stride, strict=True)
    last = tensor.offset + sum((size - 1) * step for size, step in steps)
    if count > storage.count or (count and last >= storage.count):
        shape = "x".join(map(str, tensor.shape))
        raise Malformed(f"{shape} values of {shortened(name)}, of which {storage.count:,} are stored")


def _length(storage: Storage) -> int:
    return storage.count * storage.dtype.itemsize


def _values(file: CheckpointFile, storage: Storage) -> Tensor:
    if not storage.count:  # of which frombuffer makes no tensor
        return torch.empty(0, dtype=storage.dtype)
    return torch.frombuffer(file.read_values(storage), dtype=storage.dtype)


def _view(values: Tensor, tensor: StoredTensor) -> Tensor:
    return values.as_strided(tensor.shape, tensor.stride, tensor.offset)


def _facts(content: Any) -> Facts:
    """Return the plain values of the outermost dictionary, as many as a person reads."""
    entries = content.items() if isinstance(content, dict) else ()
    facts = {name: value for name, value in entries if _is_text(name) and _is_fact(value)}
    return dict(list(facts.items())[:_ENTRIES])


def _is_fact(value: Any) -> bool:
    if isinstance(value, list):
        return len(value) <= _ENTRIES and all(map(_is_scalar, value))
    return _is_scalar(value)


def _is_scalar(value: Any) -> bool:
    number = isinstance(value, (int, float)) and abs(value) < MAX_NUMBER
    return value is None or number or _is_text(value)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _SHORT and value.isprintable()
