"""Weights as safetensors files, whole or not at all."""

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
        except SafetensorError as error:
            raise OSError(errno.EIO, str(error)) from None


def load_weights(model: nn.Module, path: Path) -> None:
    """Load a run's weights, which fit the model exactly.

    Raises
    ------
    DataError
        When they are missing or damaged, or are those of another model.
    """
    try:
        model.load_state_dict(load_file(path))
    except FileNotFoundError:
        raise DataError(path, "no file", "the run's weights", "Train the run first.") from None
    except (SafetensorError, OSError, RuntimeError) as error:
        found = " ".join(str(error).split())[:300]
        raise DataError(path, found, "the run's weights", "Train the run again.") from None
