"""Weights as safetensors files, written atomically."""

import errno
from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from mtlaerial.errors import DataError
from mtlaerial.system.files import writing


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


def load_weights(model: nn.Module, path: Path) -> None:
    """Load a run's weights into its model; names and shapes must match exactly.

    Raises
    ------
    DataError
        When the file is missing or damaged, or belongs to another model.
    """
    try:
        model.load_state_dict(load_file(path))
    except FileNotFoundError:
        raise DataError(path, "no file", "the run's weights", "Train the run first.") from None
    except (SafetensorError, OSError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:300]  # torch lists every tensor that does not fit
        raise DataError(path, reason, "the run's weights", "Train the run again.") from None
