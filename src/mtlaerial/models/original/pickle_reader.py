"""Reader of a checkpoint's pickle: plain data and positions of tensors, without an unpickler.

A pickle is a program that may name any function to be called. Here its instructions are decoded by :mod:`pickletools`
and carried out on a stack of plain data: nothing that a file names is looked up, imported or called, and each
instruction creates at most one object. Objects of classes become :data:`UNREAD`.
"""

import pickletools
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Any

import torch

MAX_INSTRUCTIONS = 1_000_000
"""Instructions of a pickle; a network of 700 tensors and its optimiser have less than a tenth."""
MAX_NUMBER = 2**63
"""Bound of sizes, and of integers as keys: larger ones can have equal hashes, which make a dictionary slow."""
_MAX_AXES = 8
_SHORT = 80
"""Characters of a name in a message."""
DTYPES = {
    "Float": torch.float32, "Double": torch.float64, "Half": torch.float16, "BFloat16": torch.bfloat16,
    "Long": torch.int64, "Int": torch.int32, "Short": torch.int16, "Char": torch.int8, "Byte": torch.uint8,
    "Bool": torch.bool,
}  # fmt: skip
"""Dtypes by the names of torch's storages, such as ``FloatStorage``."""


def shortened(name: str) -> str:
    """Return a name from a file, fit for a message: printable and not long."""
    return name if len(name) <= _SHORT and name.isprintable() else f"{ascii(name[:_SHORT])[1:-1]}…"


class Malformed(ValueError):
    """A pickle that torch would not have written."""


class _Unread:
    """An object that is not read."""

    def __repr__(self) -> str:
        return "UNREAD"


UNREAD = _Unread()


@dataclass(frozen=True)
class _Name:
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


def read_pickle(file: IO[bytes], storages: dict[str, Storage] | None = None) -> Any:
    """Return the object of one pickle: dictionaries, lists, tuples, numbers, texts, :class:`StoredTensor`, ``UNREAD``.

    Entries of dictionaries whose keys are neither text nor small integers are skipped.

    Parameters
    ----------
    file : binary file
        It is left behind the pickle.
    storages : dict of str to Storage, optional
        The storages that the pickle names are added to it, by their keys.

    Raises
    ------
    Exception
        Of any type, when the pickle is damaged.
    """
    machine = _Machine({} if storages is None else storages)
    for number, (opcode, argument, _) in enumerate(pickletools.genops(file)):
        if number == MAX_INSTRUCTIONS:
            raise Malformed(f"more than {MAX_INSTRUCTIONS:,} instructions")
        machine.run(opcode, argument)
    return machine.stack.pop()


class _Machine:
    """The stack and the memo of a pickle."""

    def __init__(self, storages: dict[str, Storage]) -> None:
        self.storages = storages
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}
        self.copied = 0

    def run(self, opcode: pickletools.OpcodeInfo, argument: Any) -> None:
        """Carry out one instruction."""
        name = opcode.name
        if name in _INSTRUCTIONS:
            _INSTRUCTIONS[name](self, argument)
        elif name in _BUILDERS:
            self.stack.append(_BUILDERS[name]())
        elif not opcode.stack_before and argument is not None:
            self.stack.append(argument)
        elif name not in ("PROTO", "FRAME", "STOP"):
            raise Malformed(f"the instruction {name}")

    def since_mark(self) -> list[Any]:
        """Remove and return what lies above the last mark."""
        begin = self.marks.pop()
        items = self.stack[begin:]
        del self.stack[begin:]
        return items

    def pop(self, count: int) -> list[Any]:
        """Remove and return the last items."""
        if len(self.stack) < count:
            raise Malformed("an empty stack")
        items = self.stack[-count:]
        del self.stack[-count:]
        return items

    def push_tuple(self, count: int) -> None:
        self.stack.append(tuple(self.pop(count)))

    def skip(self, removed: list[Any]) -> None:
        """Push ``UNREAD`` in place of items that were removed."""
        self.stack.append(UNREAD)

    def add(self, items: list[Any]) -> None:
        """Append items to the list below them."""
        target = self.stack[-1]
        if isinstance(target, list):
            target.extend(items)

    def set(self, items: list[Any]) -> None:
        """Store keys and values, which alternate, in the dictionary below them."""
        target = self.stack[-1]
        if isinstance(target, dict):
            target.update(_entries(items))

    def memoize(self, index: int | None) -> None:
        self.memo[len(self.memo) if index is None else index] = self.stack[-1]

    def call(self) -> None:
        """Push what a function would return: a tensor or a dictionary; of any other function ``UNREAD``."""
        function, arguments = self.pop(2)
        build = _FUNCTIONS.get(function) if isinstance(function, _Name) else None
        if build is None or not isinstance(arguments, tuple):
            self.stack.append(UNREAD)
            return
        # A list may be named as an argument again and again: without a bound its copies would fill the memory.
        self.copied += sum(len(argument) for argument in arguments[:_MAX_AXES] if isinstance(argument, (list, dict)))
        if self.copied > MAX_INSTRUCTIONS:
            raise Malformed("the same items copied many times")
        self.stack.append(build(*arguments[:_MAX_AXES]))

    def push_storage(self) -> None:
        """Push the storage of the persistent id on the stack."""
        (identity,) = self.pop(1)
        storage, whole = _storage(identity)
        if storage and self.storages.setdefault(storage.key, storage) != storage:
            raise Malformed("two storages of one name")
        self.stack.append(storage if storage and whole else UNREAD)

    def name(self) -> None:
        """Push the class or function of the module and the name on the stack."""
        module, name = self.pop(2)
        both = isinstance(module, str) and isinstance(name, str)
        self.stack.append(_Name(module, name) if both else UNREAD)


def _entries(items: list[Any]) -> dict[Any, Any]:
    pairs = zip(items[::2], items[1::2], strict=True)
    return {key: value for key, value in pairs if _is_key(key)}


def _is_key(key: Any) -> bool:
    return isinstance(key, str) or (isinstance(key, int) and abs(key) < MAX_NUMBER)


def _is_size(number: Any) -> bool:
    return isinstance(number, int) and 0 <= number < MAX_NUMBER


def _rebuild_tensor(
    storage: Any = None, offset: Any = None, shape: Any = None, stride: Any = None, *_: Any
) -> StoredTensor | _Unread:
    axes = isinstance(shape, tuple) and isinstance(stride, tuple) and len(shape) == len(stride) <= _MAX_AXES
    if not isinstance(storage, Storage) or not axes or not all(map(_is_size, (*shape, *stride, offset))):
        return UNREAD
    return StoredTensor(storage, offset, shape, stride)


def _rebuild_parameter(data: Any = UNREAD, *_: Any) -> Any:
    return data


def _ordered_dict(items: Any = (), *_: Any) -> dict[Any, Any]:
    pairs = [pair for pair in items if isinstance(pair, (list, tuple)) and len(pair) == 2]
    return {key: value for key, value in pairs if _is_key(key)}


def _storage(identity: Any) -> tuple[Storage | None, bool]:
    """Return the storage of a persistent id, and whether all of it is meant instead of a part.

    The id is ("storage", type, key, device, number of values); before torch 1.6 the part, or None, follows.
    """
    if not isinstance(identity, tuple) or not 5 <= len(identity) <= 6 or identity[0] != "storage":
        return None, False
    kind, key, count, parts = identity[1], identity[2], identity[4], identity[5:]
    dtype = DTYPES.get(kind.name.removesuffix("Storage")) if isinstance(kind, _Name) else None
    if dtype is None or not isinstance(key, str) or not _is_size(count):
        return None, False
    return Storage(key, dtype, count), parts in ((), (None,))


_FUNCTIONS: dict[_Name, Callable[..., Any]] = {
    _Name("collections", "OrderedDict"): _ordered_dict,
    _Name("torch._utils", "_rebuild_tensor"): _rebuild_tensor,
    _Name("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    _Name("torch._utils", "_rebuild_parameter"): _rebuild_parameter,
}
_BUILDERS: dict[str, Callable[[], Any]] = {
    "NONE": lambda: None, "NEWTRUE": lambda: True, "NEWFALSE": lambda: False, "EMPTY_LIST": list, "EMPTY_TUPLE": tuple,
    "EMPTY_DICT": dict, "EMPTY_SET": lambda: UNREAD, "EXT1": lambda: UNREAD, "EXT2": lambda: UNREAD,
    "EXT4": lambda: UNREAD,
}  # fmt: skip
_INSTRUCTIONS: dict[str, Callable[[_Machine, Any], Any]] = {
    "MARK": lambda m, _: m.marks.append(len(m.stack)),
    "POP": lambda m, _: m.pop(1),
    "POP_MARK": lambda m, _: m.since_mark(),
    "DUP": lambda m, _: m.stack.append(m.stack[-1]),
    "PUT": lambda m, index: m.memoize(index),
    "BINPUT": lambda m, index: m.memoize(index),
    "LONG_BINPUT": lambda m, index: m.memoize(index),
    "MEMOIZE": lambda m, _: m.memoize(None),
    "GET": lambda m, index: m.stack.append(m.memo[index]),
    "BINGET": lambda m, index: m.stack.append(m.memo[index]),
    "LONG_BINGET": lambda m, index: m.stack.append(m.memo[index]),
    "LIST": lambda m, _: m.stack.append(m.since_mark()),
    "TUPLE": lambda m, _: m.stack.append(tuple(m.since_mark())),
    "TUPLE1": lambda m, _: m.push_tuple(1),
    "TUPLE2": lambda m, _: m.push_tuple(2),
    "TUPLE3": lambda m, _: m.push_tuple(3),
    "DICT": lambda m, _: m.stack.append(_entries(m.since_mark())),
    "FROZENSET": lambda m, _: m.skip(m.since_mark()),
    "APPEND": lambda m, _: m.add(m.pop(1)),
    "APPENDS": lambda m, _: m.add(m.since_mark()),
    "ADDITEMS": lambda m, _: m.since_mark(),
    "SETITEM": lambda m, _: m.set(m.pop(2)),
    "SETITEMS": lambda m, _: m.set(m.since_mark()),
    "GLOBAL": lambda m, text: m.stack.append(_Name(*text.split(" ", 1))),
    "STACK_GLOBAL": lambda m, _: m.name(),
    "REDUCE": lambda m, _: m.call(),
    "NEWOBJ": lambda m, _: m.skip(m.pop(2)),
    "NEWOBJ_EX": lambda m, _: m.skip(m.pop(3)),
    "INST": lambda m, _: m.skip(m.since_mark()),
    "OBJ": lambda m, _: m.skip(m.since_mark()),
    "BUILD": lambda m, _: m.pop(1),
    "PERSID": lambda m, _: m.stack.append(UNREAD),
    "BINPERSID": lambda m, _: m.push_storage(),
}
