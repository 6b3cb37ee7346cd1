"""Surroundings of training patches: windows of the tiles' overviews in the patches' poses."""

from collections.abc import Sequence

import torch
from torch import Tensor

from mtlaerial.sampling.poses import Poses
from mtlaerial.sampling.thread_pool import ThreadPool
from mtlaerial.tiles.overview import overview_window, tile_overview
from mtlaerial.tiles.tile import Tile


class SurroundingsSampler:
    """Draws what lies around patches, in windows of as many pixels.

    Parameters
    ----------
    tiles : sequence of Tile
        Their overviews are computed at construction, and stay in the memory of the device that the images are on.
    scale : int
        How many times as wide, and as coarse, as the patches the windows are.
    device : torch.device
        Of the windows.
    """

    def __init__(self, tiles: Sequence[Tile], scale: int, device: torch.device) -> None:
        self.overviews = [tile_overview(tile.image, scale) for tile in tiles]
        self.scale, self.device = scale, device

    def draw(self, poses: Poses, patch: int, threads: ThreadPool) -> Tensor:
        """Return the surroundings, shape (batch, bands, patch, patch), float32; NaN beyond the tiles and at no data.

        Parameters
        ----------
        poses : Poses
            Of the patches.
        patch : int
            Side of a patch in pixels.
        threads : ThreadPool
        """
        # Channels last in memory, as the images that they join.
        shape = len(poses.tiles), patch, patch, self.overviews[0].shape[-1]
        windows = torch.empty(shape, device=self.device).permute(0, 3, 1, 2)
        centres = (poses.centres.double() / self.scale).tolist()

        def fill(index: int) -> None:
            overview, (column, row) = self.overviews[poses.tiles[index]], centres[index]
            # A pixel of the surroundings is a cell of the overview, as a patch's is one of the image: one matrix.
            matrix = poses.matrices[index]
            windows[index] = overview_window(overview, (column, row), matrix, (patch, patch), self.device)

        threads.run(fill, len(windows))
        return windows
