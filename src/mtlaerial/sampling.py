"""Training patches: where they lie, and one warp of image, height and labels per batch, on the device.

A patch has a *pose*: a tile, a centre, and a 2 x 2 matrix from offsets in the patch to offsets in the image. Each layer
is read where the pose says, from its own grid: the ground truth is never blown up to the image's size.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from mtlaerial.config import IGNORED, Augmentation
from mtlaerial.tiles import Tile


@dataclass(frozen=True)
class Batch:
    """Patches of one training step.

    Attributes
    ----------
    image : Tensor, shape (batch, bands, patch, patch), float32
        In the file's own values.
    height : Tensor, shape (batch, patch, patch), float32, metres
        NaN where not known.
    labels : Tensor, shape (batch, patch, patch), int64
        Class indices; ``IGNORED`` where not known.
    """

    image: Tensor
    height: Tensor
    labels: Tensor

    def __getitem__(self, own: slice) -> "Batch":
        """Return some of the patches."""
        return Batch(self.image[own], self.height[own], self.labels[own])


@dataclass(frozen=True)
class Poses:
    """Where the patches of a batch lie.

    Attributes
    ----------
    tiles : list of int
        Index of each patch's tile.
    centres : Tensor, shape (batch, 2)
        Column and row of the centre in image pixels (a pixel's centre is at its index + 0.5).
    matrices : Tensor, shape (batch, 2, 2)
        From (column, row) offsets in the patch to offsets in the image.
    exact : bool
        Whether the matrices only mirror and turn by quarters, so that pixels fall on pixels.
    """

    tiles: list[int]
    centres: Tensor
    matrices: Tensor
    exact: bool

    def __getitem__(self, own: slice) -> "Poses":
        """Return some of the poses."""
        return Poses(self.tiles[own], self.centres[own], self.matrices[own], self.exact)


class PatchSampler:
    """Draws patches uniformly over the area of the training tiles.

    Parameters
    ----------
    tiles : sequence of Tile
        What to draw from.
    patch : int
        Side of a patch in image pixels.
    augmentation : Augmentation
        How patches are changed.
    """

    def __init__(self, tiles: Sequence[Tile], patch: int, augmentation: Augmentation) -> None:
        self.tiles = tiles
        self.patch = patch
        self.augmentation = augmentation
        self._areas = torch.tensor([float(tile.rows * tile.columns) for tile in tiles])

    def draw(self, batch: int, generator: torch.Generator, own: slice = slice(None)) -> Batch:
        """Draw some patches of a batch, or all; the generator (on the CPU) decides everything."""
        poses = self.poses(batch, generator)[own]
        positions = _positions(poses, self.patch)
        inside = self._inside(poses, positions)
        image = self._image(poses, positions)
        height = self._height(poses, positions)
        labels = self._labels(poses, positions)
        return Batch(
            image=image,
            height=torch.where(inside, height, torch.nan),
            labels=torch.where(inside, labels, IGNORED).long(),
        )

    def poses(self, batch: int, generator: torch.Generator) -> Poses:
        """Draw where patches lie."""
        chosen = torch.multinomial(self._areas, batch, replacement=True, generator=generator).tolist()
        fractions = torch.rand(batch, 2, generator=generator)
        free = torch.tensor([[self.tiles[i].columns, self.tiles[i].rows] for i in chosen]) - self.patch
        # A tile smaller than the patch is centred in it; what lies outside is masked.
        corners = torch.where(free > 0, torch.floor(fractions * (free + 1)), torch.floor(free / 2))
        exact = self.augmentation.rotation == 0 and self.augmentation.zoom == 0
        return Poses(chosen, corners + self.patch / 2, self._matrices(batch, generator), exact)

    def _matrices(self, batch: int, generator: torch.Generator) -> Tensor:
        options = self.augmentation
        uniform = torch.rand(batch, 4, generator=generator)
        normal = torch.randn(batch, generator=generator).clamp(-3, 3)
        signs = torch.where(uniform[:, :2] < 0.5, -1.0, 1.0) if options.flip else torch.ones(batch, 2)
        quarters = torch.floor(uniform[:, 2] * 4) if options.quarter_turns else torch.zeros(batch)
        turn = quarters * (math.pi / 2) + normal * math.radians(options.rotation)
        scale = torch.exp((2 * uniform[:, 3] - 1) * math.log1p(options.zoom))
        cosine, sine = torch.cos(turn) * scale, torch.sin(turn) * scale
        rotation = torch.stack([cosine, -sine, sine, cosine], dim=1).reshape(batch, 2, 2)
        return rotation * signs[:, None, :]

    def _inside(self, poses: Poses, positions: Tensor) -> Tensor:
        """Tell for each patch pixel whether it lies on its tile."""
        sizes = torch.tensor([[self.tiles[i].columns, self.tiles[i].rows] for i in poses.tiles])
        return _within(positions, sizes).to(self.tiles[0].image.device)

    def _image(self, poses: Poses, positions: Tensor) -> Tensor:
        layers = [self.tiles[i].image for i in poses.tiles]
        if poses.exact:
            return _crops(layers, poses, self.patch).float()
        windows, local = _windows(layers, positions)
        mode = self.augmentation.image_resampling
        return grid_sample(windows.float(), local, mode=mode, padding_mode="border", align_corners=False)

    def _height(self, poses: Poses, positions: Tensor) -> Tensor:
        """Bilinear among valid cells; valid where they hold at least half of the weight."""
        layers = [self.tiles[i].height for i in poses.tiles]
        if poses.exact and all(self.tiles[i].height_on_image_grid for i in poses.tiles):
            return _crops(layers, poses, self.patch)[:, 0]
        mapped = _mapped(positions, [self.tiles[i].to_height for i in poses.tiles])
        windows, local = _windows(layers, mapped)
        valid = torch.isfinite(windows)
        stacked = torch.cat([torch.where(valid, windows, 0), valid.float()], dim=1)
        total, weight = grid_sample(stacked, local, padding_mode="border", align_corners=False).unbind(1)
        known = (weight >= 0.5) & self._covered(mapped, layers)
        return torch.where(known, total / weight.clamp(min=0.5), torch.nan)

    def _labels(self, poses: Poses, positions: Tensor) -> Tensor:
        layers = [self.tiles[i].labels for i in poses.tiles]
        if poses.exact and all(self.tiles[i].labels_on_image_grid for i in poses.tiles):
            return _crops(layers, poses, self.patch)[:, 0]
        mapped = _mapped(positions, [self.tiles[i].to_labels for i in poses.tiles])
        windows, local = _windows(layers, mapped)
        labels = grid_sample(windows.float(), local, mode="nearest", padding_mode="border", align_corners=False)
        return torch.where(self._covered(mapped, layers), labels[:, 0], IGNORED)

    def _covered(self, positions: Tensor, layers: Sequence[Tensor]) -> Tensor:
        sizes = torch.tensor([[layer.shape[1], layer.shape[0]] for layer in layers])
        return _within(positions, sizes).to(layers[0].device)


def _positions(poses: Poses, patch: int) -> Tensor:
    """Return the (column, row) in image pixels of every patch pixel's centre, shape (batch, patch, patch, 2)."""
    offsets = torch.arange(patch) + 0.5 - patch / 2
    rows, columns = torch.meshgrid(offsets, offsets, indexing="ij")
    turned = torch.einsum("bij,rcj->brci", poses.matrices, torch.stack([columns, rows], dim=-1))
    return poses.centres[:, None, None, :] + turned


def _within(positions: Tensor, sizes: Tensor) -> Tensor:
    """Tell which positions lie on rasters of the given (columns, rows)."""
    return ((positions >= 0) & (positions < sizes[:, None, None, :])).all(dim=-1)


def _mapped(positions: Tensor, maps: Sequence[tuple[float, float, float, float]]) -> Tensor:
    """Bring image positions to a layer's own pixels, by scale and offset per axis."""
    table = torch.tensor(maps)
    return positions * table[:, None, None, :2] + table[:, None, None, 2:]


def _crops(layers: Sequence[Tensor], poses: Poses, patch: int) -> Tensor:
    """Return patches whose pixels fall on pixels: slices, mirrored and turned, shape (batch, bands, patch, patch)."""
    crops = []
    for layer, centre, matrix in zip(layers, poses.centres.tolist(), poses.matrices.tolist(), strict=True):
        column, row = int(centre[0] - patch / 2), int(centre[1] - patch / 2)
        crop = _window(layer, row, column, patch, patch)
        (a, b), (c, d) = ((round(value) for value in line) for line in matrix)
        if a == 0:  # rows and columns change places
            crop = crop.transpose(0, 1)
            a, d = c, b
        crops.append(crop.flip([axis for axis, sign in ((0, d), (1, a)) if sign < 0]))
    return torch.stack(crops).permute(0, 3, 1, 2)


def _windows(layers: Sequence[Tensor], positions: Tensor) -> tuple[Tensor, Tensor]:
    """Cut from each layer the window that holds its positions, all of one size.

    Returns
    -------
    windows : Tensor, shape (batch, bands, rows, columns)
    local : Tensor, shape (batch, patch, patch, 2)
        The positions in the windows, in [-1, 1], for ``grid_sample``.
    """
    flat = positions.flatten(1, 2)
    first = torch.floor(flat.amin(dim=1) - 0.5).long()  # a neighbour on each side for the bilinear weights
    last = torch.floor(flat.amax(dim=1) + 0.5).long()
    columns, rows = (last - first + 1).amax(dim=0).tolist()
    corners = first.tolist()
    cut = [_window(layer, y, x, rows, columns) for layer, (x, y) in zip(layers, corners, strict=True)]
    size = torch.tensor([columns, rows], dtype=torch.float32)
    local = (positions - first[:, None, None, :]) / size * 2 - 1
    windows = torch.stack(cut).permute(0, 3, 1, 2)
    return windows, local.to(windows.device)


def _window(layer: Tensor, row: int, column: int, rows: int, columns: int) -> Tensor:
    """Return a window of a layer of shape (rows, columns, bands); outside the layer its edge is repeated."""
    if row >= 0 and column >= 0 and row + rows <= layer.shape[0] and column + columns <= layer.shape[1]:
        return layer[row : row + rows, column : column + columns]
    ys = torch.arange(row, row + rows, device=layer.device).clamp(0, layer.shape[0] - 1)
    xs = torch.arange(column, column + columns, device=layer.device).clamp(0, layer.shape[1] - 1)
    return layer[ys[:, None], xs]
