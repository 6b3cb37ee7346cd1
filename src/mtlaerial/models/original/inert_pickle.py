"""A safe stand-in for the module ``pickle``: it builds tensors and plain data, and calls no function that a file names.

For ``torch.load(..., pickle_module=inert_pickle)``: checkpoints hold objects besides the weights (an optimiser, options
of the command line), whose classes may not exist here, and a pickle may name any function to be called. Only three
stand-ins of this module, which hold data, can be looked up; any other name becomes a :class:`Stub`.
"""

import pickle
from typing import IO, Any

import torch
from torch import Tensor


class Stub:
    """Placeholder for an object of any other class; it accepts any contents and discards them."""

    def __new__(cls, *_: Any, **__: Any) -> "Stub":
        """Create a stub, whatever the arguments: unpickling passes those of the original class."""
        return super().__new__(cls)

    def _discard(*_: Any) -> None:  # also called on the class itself, without an instance
        """Accept and discard contents that unpickling would store in the object."""

    __init__ = __setstate__ = __setitem__ = append = extend = add = _discard


class PlainDict(dict[Any, Any]):
    """Ordered dictionary that ignores the attributes that unpickling sets."""

    __slots__ = ()

    def __setstate__(*_: Any) -> None:
        """Discard attributes: torch's state dicts have their format versions as one."""


class _Rebuild:
    """Callable for a file; unlike a plain function it has no attributes that a file could change."""

    __slots__ = ()

    def __setstate__(*_: Any) -> None:
        """Discard attributes."""


class _RebuildTensor(_Rebuild):
    __slots__ = ()

    def __call__(self, storage: Any, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: Any) -> Tensor:
        tensor = torch.empty(0, dtype=storage.dtype)
        # The public accessor of a typed storage warns of its deprecation.
        return tensor.set_(storage._untyped_storage, offset, size, stride)


class _RebuildParameter(_Rebuild):
    __slots__ = ()

    def __call__(self, data: Tensor, *_: Any) -> Tensor:
        return data


_STAND_INS: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): PlainDict,
    ("torch._utils", "_rebuild_tensor_v2"): _RebuildTensor(),
    ("torch._utils", "_rebuild_parameter"): _RebuildParameter(),
}


class Unpickler(pickle.Unpickler):
    """Unpickler without imports; torch.load derives a class of its own, which adds the types of storage."""

    def find_class(self, module: str, name: str) -> Any:  # the only way by which a pickle reaches code
        """Return a stand-in, or a new subclass of :class:`Stub` with that name."""
        return _STAND_INS.get((module, name)) or type(name, (Stub,), {"__module__": module})


def load(file: IO[bytes], **options: Any) -> Any:
    """Unpickle one object, as :func:`pickle.load` does."""
    return Unpickler(file, **options).load()
