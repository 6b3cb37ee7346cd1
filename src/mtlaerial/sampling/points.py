"""Patches about drawn points: the point in a running sum of sizes, and the corner of a patch that contains it."""

from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Number = TypeVar("Number", np.int64, np.float64)
Position = TypeVar("Position", int, float)


def find_group(sums: NDArray[Number], position: Position) -> tuple[int, Position]:
    """Return the group at a position, and the position within it, from running sums of the groups' sizes."""
    group = int(np.searchsorted(sums, position, side="right"))
    return group, position - type(position)(sums[group - 1]) if group else position


def corners_about(points: Tensor, aside: Tensor, patch: int, free: Tensor, reach: float | None = None) -> Tensor:
    """Return the corners of patches that contain points, shape (batch, 2), float32, as (column, row).

    Parameters
    ----------
    points : Tensor, shape (batch, 2), float64
        Columns and rows in image pixels.
    aside : Tensor, shape (batch, 2), float64
        Uniform in ±0.5: the point lies anywhere in the middle half of the patch.
    patch : int
        Side of a patch in image pixels.
    free : Tensor, shape (batch, 2)
        Columns and rows by which the tiles are larger than a patch, in which a patch stays.
    reach : float, optional
        Largest distance in pixels from the centre of a patch to its point, for patches that will be turned or scaled: a
        patch at a corner of its tile then leaves the tile rather than its point. None for patches that stay upright.
    """
    corners = torch.round(points + aside * (patch / 2) - patch / 2)
    within = torch.where(free > 0, corners.clamp(min=0).minimum(free), torch.floor(free / 2))
    if reach is not None:
        offset = points - (within + patch / 2)
        distance = offset.norm(dim=1, keepdim=True)
        within = within + offset * ((distance - reach).clamp(min=0) / distance.clamp(min=1e-9))
    return within.float()
