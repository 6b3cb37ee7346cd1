"""Poses of patches: position, rotation, mirroring and zoom, drawn at random."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from mtlaerial.config import Augmentation
from mtlaerial.tiles.tile import Tile


@dataclass(frozen=True)
class Poses:
    """Poses of the patches of a batch.

    Attributes
    ----------
    tiles : list of int
        Index of each patch's tile.
    centres : Tensor, shape (batch, 2)
        Column and row of the centre in image pixels (a pixel's centre is at its index + 0.5).
    matrices : Tensor, shape (batch, 2, 2)
        From (column, row) offsets in the patch to offsets in the image.
    exact : bool
        Whether the matrices only mirror, transpose and turn by quarters, so that pixels fall on pixels.
    """

    tiles: list[int]
    centres: Tensor
    matrices: Tensor
    exact: bool

    def __getitem__(self, part: slice) -> "Poses":
        """Return some of the poses."""
        return Poses(self.tiles[part], self.centres[part], self.matrices[part], self.exact)


class Corners(Protocol):
    """Draws the positions of patches before they are turned."""

    def draw(self, batch: int, generator: torch.Generator) -> tuple[list[int], Tensor]:
        """Return a tile per patch, and the columns and rows of their corners, shape (batch, 2)."""


class UniformCorners:
    """Draws corners of patches uniformly over the area of tiles.

    Parameters
    ----------
    tiles : sequence of Tile
    patch : int
        Side of a patch in image pixels.
    """

    def __init__(self, tiles: Sequence[Tile], patch: int) -> None:
        self.tiles, self.patch = tiles, patch
        self._areas = torch.tensor([float(tile.rows * tile.columns) for tile in tiles])

    def draw(self, batch: int, generator: torch.Generator) -> tuple[list[int], Tensor]:
        """Return a tile per patch, and the columns and rows of their corners, shape (batch, 2)."""
        chosen = torch.multinomial(self._areas, batch, replacement=True, generator=generator).tolist()
        fractions = torch.rand(batch, 2, generator=generator)
        free = free_space(self.tiles, chosen, self.patch)
        # A tile smaller than the patch is centred in it; what lies outside is masked.
        return chosen, torch.where(free > 0, torch.floor(fractions * (free + 1)), torch.floor(free / 2))


def free_space(tiles: Sequence[Tile], chosen: Sequence[int], patch: int) -> Tensor:
    """Return the columns and rows by which the chosen tiles are larger than a patch, shape (batch, 2)."""
    return torch.tensor([[tiles[i].columns, tiles[i].rows] for i in chosen]) - patch


def draw_matrices(options: Augmentation, batch: int, generator: torch.Generator) -> tuple[Tensor, bool]:
    """Draw the matrices of poses, shape (batch, 2, 2); return also whether pixels fall on pixels under all of them."""
    # All numbers are drawn whatever the options: an option does not change the positions of other patches.
    uniform = torch.rand(batch, 4, generator=generator)
    normal = torch.randn(batch, generator=generator).clamp(-3, 3)
    signs = torch.where(uniform[:, :2] < 0.5, -1.0, 1.0) if options.flip else torch.ones(batch, 2)
    quarters = torch.floor(uniform[:, 2] * 4) if options.quarter_turns else torch.zeros(batch)
    turn = quarters * (math.pi / 2) + normal * math.radians(options.rotation)
    scale = torch.exp((2 * uniform[:, 3] - 1) * math.log1p(options.zoom))
    cosine, sine = torch.cos(turn) * scale, torch.sin(turn) * scale
    matrices = torch.stack([cosine, -sine, sine, cosine], dim=1).reshape(batch, 2, 2) * signs[:, None, :]
    if options.mirror_along_sun is not None:  # flip is off, and its numbers are free
        mirrored = uniform[:, 0, None, None] < 0.5
        matrices = torch.where(mirrored, matrices @ mirror_across(options.mirror_along_sun), matrices)
    exact = is_exact(options)
    return (matrices.round() if exact else matrices), exact


def is_exact(options: Augmentation) -> bool:
    """Return whether poses only mirror, transpose and turn by quarters, so that pixels fall on pixels."""
    mirrors_exactly = options.mirror_along_sun is None or options.mirror_along_sun % 45 == 0
    return options.rotation == 0 and options.zoom == 0 and mirrors_exactly


def mirror_across(azimuth: float) -> Tensor:
    """Return the matrix, shape (2, 2), of (column, row) offsets that mirrors across the line in a direction.

    With the unit vector d = (sin azimuth, -cos azimuth) of the direction it is 2 d dᵀ - 1: d stays, and what is
    perpendicular to it is reversed.

    Parameters
    ----------
    azimuth : float
        Degrees, clockwise from the upper edge of the image.

    Examples
    --------
    >>> mirror_across(0.0).round().int().tolist()  # across a column
    [[-1, 0], [0, 1]]
    """
    direction = torch.tensor([math.sin(math.radians(azimuth)), -math.cos(math.radians(azimuth))])
    return 2 * torch.outer(direction, direction) - torch.eye(2)
