"""Training patches: image, height and labels of a batch in one consistent warp, on the device.

A patch has a *pose*: a tile, a centre, and a 2 x 2 matrix from offsets in the patch to offsets in the image. Each layer
is read where the pose says, from its own grid: the ground truth is never blown up to the image's size.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from mtlaerial.config import IGNORED, Augmentation, Layer, TrainingSpec
from mtlaerial.rasters.geotiff import map_raster
from mtlaerial.sampling.class_balance import BalancedCorners
from mtlaerial.sampling.patch_coordinates import Placement, place
from mtlaerial.sampling.poses import Poses, UniformCorners, draw_matrices
from mtlaerial.sampling.resampling import Bilinear, BilinearAmongKnown, Cells, Nearest, Warp
from mtlaerial.sampling.thread_pool import Workers
from mtlaerial.tiles.tile import Tile, load_tiles

Fill = tuple[Warp, list[tuple[Tensor, ...]]]
"""What fills layers of a batch, and of each layer the parts."""
_PART = 8
"""Patches that are resampled at a time on the CPU: few, so that its cache holds what lies between."""


@dataclass(frozen=True)
class Batch:
    """Patches of one training step.

    Attributes
    ----------
    image : Tensor, shape (batch, bands, patch, patch)
        In the file's own values; of its dtype, or float32 where they are interpolated.
    height : Tensor, shape (batch, patch, patch), float32, metres
        NaN where not known.
    labels : Tensor, shape (batch, patch, patch), uint8
        Class indices; ``IGNORED`` where not known.
    """

    image: Tensor
    height: Tensor
    labels: Tensor

    def __getitem__(self, own: slice) -> "Batch":
        """Return some of the patches."""
        return Batch(self.image[own], self.height[own], self.labels[own])


class Corners(Protocol):
    """Draws where patches lie before they are turned."""

    def draw(self, batch: int, generator: torch.Generator) -> tuple[list[int], Tensor]:
        """Return a tile per patch, and the columns and rows of their corners, shape (batch, 2)."""


class PatchSampler:
    """Draws patches of the training tiles.

    Parameters
    ----------
    tiles : sequence of Tile
        What to draw from.
    patch : int
        Side of a patch in image pixels.
    augmentation : Augmentation
        How patches are changed.
    corners : Corners, optional
        Where they lie; by default uniformly over the area of the tiles.
    device : torch.device, optional
        Where patches are wanted; by default where the tiles are.
    """

    def __init__(
        self,
        tiles: Sequence[Tile],
        patch: int,
        augmentation: Augmentation,
        corners: Corners | None = None,
        device: torch.device | None = None,
    ) -> None:
        self.tiles = tiles
        self.patch = patch
        self.augmentation = augmentation
        self.corners = corners or UniformCorners(tiles, patch)
        self.device = device or tiles[0].image.device
        self._smooth = augmentation.image_resampling == "bilinear"
        self._workers = Workers(torch.get_num_threads())

    def draw(self, batch: int, generator: torch.Generator, own: slice = slice(None)) -> Batch:
        """Draw some patches of a batch, or all; the generator (on the CPU) decides everything."""
        poses = self.poses(batch, generator)[own]
        image, height, labels = (self._place(poses, layer) for layer in ("image", "height", "labels"))
        interpolated = self._smooth and not image.on_cells
        drawn = self._empty(len(poses.tiles), torch.float32 if interpolated else self.tiles[0].image.dtype)
        fills = list(self._fills(image, height, labels, drawn))

        def fill(number: int) -> None:
            for warp, outs in fills:
                warp(number, *(out[number] for out in outs))

        self._workers.run(fill, len(fills[0][1][0]))
        self._mask(drawn.height, height, torch.nan)
        self._mask(drawn.labels, labels, IGNORED)
        return drawn

    def _fills(self, image: Placement, height: Placement, labels: Placement, drawn: Batch) -> Iterator[Fill]:
        """Yield what fills which parts of a batch."""
        part = _PART if self.device.type == "cpu" else len(drawn.labels)
        images, heights, codes = (
            torch.split(out, part)
            for out in (drawn.image.permute(0, 2, 3, 1), drawn.height[..., None], drawn.labels[..., None])
        )
        yield self._warp(height, BilinearAmongKnown, part), [heights]
        if labels.on_image and not labels.on_cells and not self._smooth:
            yield Nearest(image, part, self.device, labels), [images, codes]
        else:
            yield self._warp(image, Bilinear if self._smooth else Nearest, part), [images]
            yield self._warp(labels, Nearest, part), [codes]

    def poses(self, batch: int, generator: torch.Generator) -> Poses:
        """Draw where patches lie."""
        chosen, corners = self.corners.draw(batch, generator)
        matrices, exact = draw_matrices(self.augmentation, batch, generator)
        return Poses(chosen, corners + self.patch / 2, matrices, exact)

    def _empty(self, number: int, dtype: torch.dtype) -> Batch:
        side, bands = self.patch, self.tiles[0].image.shape[-1]
        return Batch(
            # Channels last, as the files are and as the network wants it.
            image=torch.empty(number, side, side, bands, device=self.device, dtype=dtype).permute(0, 3, 1, 2),
            height=torch.empty(number, side, side, device=self.device),
            labels=torch.empty(number, side, side, device=self.device, dtype=torch.uint8),
        )

    def _place(self, poses: Poses, layer: Layer) -> Placement:
        return place(poses, self.patch, [self.tiles[i] for i in poses.tiles], layer)

    def _warp(self, placement: Placement, kind: type[Warp], part: int) -> Warp:
        return (Cells if placement.on_cells else kind)(placement, part, self.device)

    def _mask(self, values: Tensor, placement: Placement, unknown: float) -> None:
        for index, mask in placement.outside():
            values[index].masked_fill_(mask.to(self.device, non_blocking=True), unknown)


def build_sampler(folders: Sequence[Path], spec: TrainingSpec, device: torch.device) -> PatchSampler:
    """Return what draws patches of prepared tiles, as a training wants them.

    Parameters
    ----------
    folders : sequence of Path
        A folder per tile; some hold labels where ``sampling`` is ``class_balanced``.
    spec : TrainingSpec
    device : torch.device
        Where patches are wanted, and tiles lie that fit ``memory_budget_mb``.
    """
    tiles = load_tiles(folders, device, spec.memory_budget_mb)
    balanced = spec.sampling == "class_balanced"
    corners = BalancedCorners(tiles, spec.patch, [map_raster(f / "labels.tif") for f in folders]) if balanced else None
    return PatchSampler(tiles, spec.patch, spec.augmentation, corners, device)
