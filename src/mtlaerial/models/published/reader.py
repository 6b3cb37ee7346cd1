"""Tensors by name, read from files of elsewhere; no code in them is run."""

import re
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from mtlaerial.errors import DataError
from mtlaerial.models.original.untrusted import require_plain_checkpoint
from mtlaerial.system.safetensors_header import require_header

_EXPECTED = "weights by name"


def read_tensors(path: Path, remedy: str) -> dict[str, Tensor]:
    """Read tensors by name from a safetensors file, or a checkpoint of either of torch's formats.

    Parameters
    ----------
    path : Path
    remedy : str
        Advice for a file that is damaged or something else.

    Raises
    ------
    DataError
        When the file is missing, damaged, or holds other objects.
    """
    try:
        if _is_safetensors(path):
            require_header(path)
            return load_file(path)
        require_plain_checkpoint(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except DataError as error:
        raise DataError(path, error.found, _EXPECTED, remedy) from None
    except Exception as error:  # a damaged file fails in any way
        missing = isinstance(error, FileNotFoundError)
        reason = "no file" if missing else f"a file that cannot be read ({_first_sentence(error)})"
        raise DataError(path, reason, _EXPECTED, remedy) from None
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise DataError(path, "other objects", _EXPECTED, remedy)
    return state


def _is_safetensors(path: Path) -> bool:
    """Tell by the name or by the header, a JSON object after eight bytes with its length."""
    if path.suffix == ".safetensors":
        return True
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(9)[8:] == b"{"


def _first_sentence(error: Exception) -> str:
    """Return the first sentence of an error; torch's goes on with how to trust the file."""
    return re.split(r"[.\n]", str(error), maxsplit=1)[0].strip() or type(error).__name__
