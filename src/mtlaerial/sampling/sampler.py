"""Training patches: image, height and labels of a batch, resampled from one pose per patch.

A pose is a tile, a centre, and a 2 x 2 matrix from offsets in the patch to offsets in the image. ``PatchSampler.draw``
draws the poses (:mod:`mtlaerial.sampling.poses`), lays them on each layer's own grid
(:mod:`mtlaerial.sampling.patch_coordinates`) and resamples the layer there (:mod:`mtlaerial.sampling.resampling`). The
ground truth is never enlarged to the image's size.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from mtlaerial.config import IGNORED, LAYERS, Augmentation, Task
from mtlaerial.sampling.derived_truth import DerivedTruth, derived_tasks
from mtlaerial.sampling.patch_coordinates import PatchCoordinates, lay_patches
from mtlaerial.sampling.poses import Corners, Poses, UniformCorners, draw_matrices
from mtlaerial.sampling.resampling import Bilinear, BilinearAmongKnown, Copy, Nearest, Resampler
from mtlaerial.sampling.surroundings import SurroundingsSampler
from mtlaerial.sampling.thread_pool import ThreadPool
from mtlaerial.tiles.tile import Tile

_PART = 8
"""Patches that are resampled at a time on the CPU: few, so that the intermediate results stay in its cache."""


@dataclass(frozen=True)
class Batch:
    """Patches of a batch, or of this process's share of it.

    Attributes
    ----------
    image : Tensor, shape (batch, bands, patch, patch)
        As drawn, in the file's own values and dtype, or float32 where they are interpolated; as the network gets them,
        float32 in [-1, 1].
    height : Tensor, shape (batch, patch, patch), float32, metres
        NaN where not known.
    labels : Tensor, shape (batch, patch, patch), uint8
        Class indices; ``IGNORED`` where not known.
    derived : mapping of task to Tensor, shape (batch, patch, patch), float32, metres
        Truth of the tasks that follows from the heights; NaN where not known.
    surroundings : Tensor, shape (batch, bands, patch, patch), float32, or None
        What lies around the patches, for networks with a context; NaN where not known. None as the network gets them:
        the image then has their channels behind its own.
    """

    image: Tensor
    height: Tensor
    labels: Tensor
    surroundings: Tensor | None = None
    derived: Mapping[Task, Tensor] = field(default_factory=dict)

    def __getitem__(self, part: slice) -> "Batch":
        """Return some of the patches."""
        around = None if self.surroundings is None else self.surroundings[part]
        derived = {task: values[part] for task, values in self.derived.items()}
        return Batch(self.image[part], self.height[part], self.labels[part], around, derived)


class PatchSampler:
    """Draws patches of the training tiles.

    Parameters
    ----------
    tiles : sequence of Tile
    patch : int
        Side of a patch in image pixels.
    augmentation : Augmentation
        Geometric changes of patches; values are changed later (:mod:`mtlaerial.sampling.radiometry`).
    corners : Corners, optional
        Draws their positions; by default uniformly over the area of the tiles.
    device : torch.device, optional
        Device of the batches; by default that of the tiles.
    context_scale : int, optional
        How many times as wide as a patch its surroundings are; by default there are none.
    tasks : sequence of Task, optional
        Tasks of the method; truth that follows from the heights is drawn for those that have such.
    """

    def __init__(
        self,
        tiles: Sequence[Tile],
        patch: int,
        augmentation: Augmentation,
        corners: Corners | None = None,
        device: torch.device | None = None,
        context_scale: int | None = None,
        tasks: Sequence[Task] = (),
    ) -> None:
        self.tiles = tiles
        self.patch = patch
        self.augmentation = augmentation
        self.corners = corners or UniformCorners(tiles, patch)
        self.device = device or tiles[0].image.device
        self._smooth = augmentation.image_resampling == "bilinear"
        self._threads = ThreadPool(torch.get_num_threads())
        self._around = SurroundingsSampler(tiles, context_scale, self.device) if context_scale else None
        self._derived = {task: DerivedTruth(task, tiles) for task in derived_tasks(tasks)}

    def draw(self, batch: int, generator: torch.Generator, share: slice = slice(None)) -> Batch:
        """Draw a batch, or a share of it; the generator (on the CPU) decides everything."""
        poses = self.poses(batch, generator)[share]
        tiles = [self.tiles[index] for index in poses.tiles]
        image, height, labels = (lay_patches(poses, self.patch, tiles, layer) for layer in LAYERS)
        patches = self._empty_batch(len(tiles), interpolated=self._smooth and not image.on_cells)
        part = _PART if self.device.type == "cpu" else len(tiles)
        resamplers = self._resamplers(patches, part, image, height, labels)
        for task, truth in self._derived.items():
            resamplers.append(truth.resampler(height, poses.tiles, patches.derived[task], part))

        def fill(number: int) -> None:
            for resampler in resamplers:
                resampler.fill(number)

        self._threads.run(fill, -(-len(tiles) // part))
        for heights in (patches.height, *patches.derived.values()):
            height.mask_outside(heights, torch.nan)
        labels.mask_outside(patches.labels, IGNORED)
        if self._around is None:
            return patches
        return replace(patches, surroundings=self._around.draw(poses, self.patch, self._threads))

    def poses(self, batch: int, generator: torch.Generator) -> Poses:
        """Draw the poses of a batch."""
        tiles, corners = self.corners.draw(batch, generator)
        matrices, exact = draw_matrices(self.augmentation, batch, generator)
        return Poses(tiles, corners + self.patch / 2, matrices, exact)

    def _empty_batch(self, number: int, interpolated: bool) -> Batch:
        side, raster = self.patch, self.tiles[0].image
        dtype = torch.float32 if interpolated else raster.dtype
        image = torch.empty(number, side, side, raster.shape[-1], device=self.device, dtype=dtype)
        return Batch(
            image=image.permute(0, 3, 1, 2),  # channels last in memory, as in the files and as the network runs fastest
            height=torch.empty(number, side, side, device=self.device),
            labels=torch.empty(number, side, side, device=self.device, dtype=torch.uint8),
            derived={task: torch.empty(number, side, side, device=self.device) for task in self._derived},
        )

    def _resamplers(
        self, batch: Batch, part: int, image: PatchCoordinates, height: PatchCoordinates, labels: PatchCoordinates
    ) -> list[Resampler]:
        """Return the resamplers that fill a batch: copies where pixels are cells, else by the layer's kind."""
        images, heights = batch.image.permute(0, 2, 3, 1), batch.height[..., None]
        codes = batch.labels[..., None]
        of_height = (Copy if height.on_cells else BilinearAmongKnown)(height, heights, part)
        if labels.on_image and not labels.on_cells and not self._smooth:  # image and labels share their indices
            return [of_height, Nearest(image, images, part, (labels, codes))]
        image_kind = Bilinear if self._smooth else Nearest
        of_image = (Copy if image.on_cells else image_kind)(image, images, part)
        of_labels = (Copy if labels.on_cells else Nearest)(labels, codes, part)
        return [of_height, of_image, of_labels]
