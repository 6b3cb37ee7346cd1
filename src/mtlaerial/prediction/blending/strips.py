"""Strips of an image with the masks of their invalid pixels, and crops of them."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor


class Strip(NamedTuple):
    """A part of the image, (bands, rows, columns) in the file's values, and the mask of its invalid pixels.

    The mask has the shape (rows, columns); None where all pixels are valid.
    """

    image: Tensor
    invalid: Tensor | None


Read = Callable[[int, int, int, int], Strip]
"""From row, column, rows, columns to the image there."""


def joined(strip: Strip, fresh: Strip, rows: int) -> Strip:
    """Return the last rows of a strip, given as a negative number, and those of the next below them."""
    image = torch.cat([strip.image[:, rows:], fresh.image], dim=1)
    if strip.invalid is None and fresh.invalid is None:
        return Strip(image, None)
    return Strip(image, torch.cat([_mask(strip)[rows:], _mask(fresh)]))


def _mask(strip: Strip) -> Tensor:
    """Return the mask of a strip's invalid pixels, also if it has none."""
    return torch.zeros_like(strip.image[0], dtype=torch.bool) if strip.invalid is None else strip.invalid


def padded(crop: Tensor, rows: int, columns: int) -> Tensor:
    """Extend an image that is smaller than a window to its size by mirroring."""
    for axis, size in ((1, rows), (2, columns)):
        while crop.shape[axis] < size:
            crop = torch.cat([crop, crop.flip(axis)], dim=axis)
    return crop[:, :rows, :columns]
