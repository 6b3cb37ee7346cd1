"""Weights as safetensors files, whole or not at all."""

import errno
from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from mtlaerial.raster import writing


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
