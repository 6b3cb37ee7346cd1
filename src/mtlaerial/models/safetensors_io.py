"""Weights as safetensors files, written atomically."""

import errno
from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from mtlaerial.errors import DataError
from mtlaerial.system.files import writing
from mtlaerial.system.safetensors_header import require_header


def save_weights(path: Path, weights: Mapping[str, Tensor], metadata: dict[str, str] | None = None) -> None:
    """Write tensors by name.

    Raises
    ------
    DataError
        When the folder cannot be written or the disk is full.
    """
    with writing(path) as partial:
        try:
            save_file({key: value.detach().cpu().contiguous() for key, value in weights.items()}, partial, metadata)
        except SafetensorError as error:  # `writing` turns only an OSError into a message for the user
            raise OSError(errno.EIO, str(error)) from None


def load_weights(path: Path) -> dict[str, Tensor]:
    """Read a run's weights by name.

    Raises
    ------
    DataError
        When the file is missing or damaged, or has weights that are not finite.
    """
    try:
        require_header(path)
        weights: dict[str, Tensor] = load_file(path)
    except FileNotFoundError:
        raise DataError(path, "no file", "the run's weights", "Train the run first.") from None
    except (SafetensorError, OSError) as error:
        raise DataError(path, str(error), "the run's weights", "Train the run again.") from None
    require_finite_weights(path, weights)
    return weights


def require_finite_weights(path: Path, weights: Mapping[str, Tensor]) -> None:
    """Refuse weights with infinite values or NaN, or of types that no training writes.

    Parameters
    ----------
    path : Path
        The file that holds or is to hold them, for messages.
    weights : mapping of str to Tensor

    Raises
    ------
    DataError
        When a value is not finite; it names the first such tensor.
    """
    for name, tensor in weights.items():
        if tensor.is_complex() or (tensor.is_floating_point() and tensor.itemsize < 2):
            kind = str(tensor.dtype).removeprefix("torch.")
            remedy = "Get the file anew, or train again."
            raise DataError(path, f"numbers of type {kind} in {name}", "float32 or another type of weights", remedy)
        if not bool(tensor.isfinite().all()):
            remedy = "Train again, with a lower training.learning_rate."
            raise DataError(path, f"values in {name} that are not finite", "finite weights", remedy)
