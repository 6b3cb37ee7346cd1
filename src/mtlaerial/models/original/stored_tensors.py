"""Content of a checkpoint's pickle as plain data: names, and tensors by the places of their values in the file."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

MAX_NUMBER = 2**63
"""Bound of sizes, and of integers as keys: larger ones can have equal hashes, which make a dictionary slow."""
MAX_AXES = 8
_SHORT = 80
"""Characters of a name in a message."""
DTYPES = {
    "FloatStorage": torch.float32, "DoubleStorage": torch.float64, "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16, "LongStorage": torch.int64, "IntStorage": torch.int32,
    "ShortStorage": torch.int16, "CharStorage": torch.int8, "ByteStorage": torch.uint8, "BoolStorage": torch.bool,
}  # fmt: skip
"""Dtypes by the names of torch's storages."""


def shortened(name: str) -> str:
    """Return a name from a file, fit for a message: printable and not long."""
    return name if len(name) <= _SHORT and name.isprintable() else f"{ascii(name[:_SHORT])[1:-1]}…"


class Malformed(ValueError):
    """A pickle that torch would not have written."""


class Unread:
    """An object that is not read."""

    def __repr__(self) -> str:
        return "UNREAD"


UNREAD = Unread()


@dataclass(frozen=True)
class Name:
    """Name of a class or function."""

    module: str
    name: str


@dataclass(frozen=True)
class Storage:
    """The values behind tensors, which lie elsewhere in the file.

    Attributes
    ----------
    key : str
        Its name in the file.
    dtype : torch.dtype
    count : int
        Number of values, as declared.
    """

    key: str
    dtype: torch.dtype
    count: int


@dataclass(frozen=True)
class StoredTensor:
    """A tensor as declared: a view of a storage; ``offset`` and ``stride`` count values."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]


def dictionary(items: list[Any]) -> dict[Any, Any]:
    """Return a dictionary of keys and values, which alternate; only with keys that are text or small integers."""
    pairs = zip(items[::2], items[1::2], strict=True)
    return {key: value for key, value in pairs if _is_key(key)}


def _is_key(key: Any) -> bool:
    return isinstance(key, str) or (isinstance(key, int) and abs(key) < MAX_NUMBER)


def _is_size(number: Any) -> bool:
    return isinstance(number, int) and 0 <= number < MAX_NUMBER


def _rebuild_tensor(
    storage: Any = None, offset: Any = None, shape: Any = None, stride: Any = None, *_: Any
) -> StoredTensor | Unread:
    axes = isinstance(shape, tuple) and isinstance(stride, tuple) and len(shape) == len(stride) <= MAX_AXES
    if not isinstance(storage, Storage) or not axes or not all(map(_is_size, (*shape, *stride, offset))):
        return UNREAD
    return StoredTensor(storage, offset, shape, stride)


def _rebuild_parameter(data: Any = UNREAD, *_: Any) -> Any:
    return data


def _ordered_dict(items: Any = None, *_: Any) -> dict[Any, Any]:
    # Python 2 wrote lists of lists; any other argument is not worth the time that a long one takes.
    pairs = [pair for pair in items if isinstance(pair, list) and len(pair) == 2] if isinstance(items, list) else []
    return {key: value for key, value in pairs if _is_key(key)}


def stored(identity: Any) -> tuple[Storage | None, bool]:
    """Return the storage of a persistent id, and whether all of it is meant instead of a part.

    The id is ("storage", type, key, device, number of values); before torch 1.6 the part, or None, follows.
    """
    if not isinstance(identity, tuple) or not 5 <= len(identity) <= 6 or identity[0] != "storage":
        return None, False
    kind, key, count, parts = identity[1], identity[2], identity[4], identity[5:]
    dtype = DTYPES.get(kind.name) if isinstance(kind, Name) else None
    if dtype is None or not isinstance(key, str) or not _is_size(count):
        return None, False
    return Storage(key, dtype, count), parts in ((), (None,))


FUNCTIONS: dict[Name, Callable[..., Any]] = {
    Name("collections", "OrderedDict"): _ordered_dict,
    Name("torch._utils", "_rebuild_tensor"): _rebuild_tensor,
    Name("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    Name("torch._utils", "_rebuild_parameter"): _rebuild_parameter,
}
"""Names that a pickle may call, with the function that stands in for each; it takes any arguments."""
