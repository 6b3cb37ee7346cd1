"""A stand-in for the module ``pickle`` that makes tensors and plain data, and runs nothing that a file names.

For ``torch.load(..., pickle_module=inert_pickle)``: checkpoints hold objects besides the weights (an optimiser, options
of the command line), whose classes may not exist here, and a pickle may name any function to be called. All that can be
looked up here are three of our own, which hold data; whatever else a file names becomes a :class:`Stub`.
"""

import pickle
from typing import IO, Any

import torch
from torch import Tensor


class Stub:
    """What stands for an object of a class that is not looked up: it takes any contents, and keeps none."""

    def __new__(cls, *_: Any, **__: Any) -> "Stub":
        """Make one whatever the arguments, as unpickling does."""
        return super().__new__(cls)

    def _drop(*_: Any) -> None:  # also called on the class itself, without an instance
        """Take what unpickling would store in the object."""

    __init__ = __setstate__ = __setitem__ = append = extend = add = _drop


class PlainDict(dict[Any, Any]):
    """An ordered dictionary without the attributes that unpickling would set on it."""

    __slots__ = ()

    def __setstate__(*_: Any) -> None:
        """Drop attributes: torch's state dicts carry versions in them."""


class _Rebuild:
    """A function that a file may call; unlike a plain one, nothing can be changed in it."""

    __slots__ = ()

    def __setstate__(*_: Any) -> None:
        """Drop attributes."""


class _RebuildTensor(_Rebuild):
    __slots__ = ()

    def __call__(self, storage: Any, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: Any) -> Tensor:
        tensor = torch.empty(0, dtype=storage.dtype)
        return tensor.set_(storage._untyped_storage, offset, size, stride)


class _RebuildParameter(_Rebuild):
    __slots__ = ()

    def __call__(self, data: Tensor, *_: Any) -> Tensor:
        return data


_KNOWN: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): PlainDict,
    ("torch._utils", "_rebuild_tensor_v2"): _RebuildTensor(),
    ("torch._utils", "_rebuild_parameter"): _RebuildParameter(),
}


class Unpickler(pickle.Unpickler):
    """Unpickles without looking anything up; torch itself adds the kinds of storage to it."""

    def find_class(self, module: str, name: str) -> Any:
        """Return one of our own stand-ins, or a new kind of stub that carries the name."""
        return _KNOWN.get((module, name)) or type(name, (Stub,), {"__module__": module})


def load(file: IO[bytes], **options: Any) -> Any:
    """Unpickle one object, as :func:`pickle.load` does."""
    return Unpickler(file, **options).load()
