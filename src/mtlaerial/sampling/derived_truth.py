"""Truth of tasks that follows from heights, derived on the heights' own grid before it is resampled."""

from collections.abc import Sequence

import torch
from torch import Tensor

from mtlaerial.config import Task, task_entry
from mtlaerial.rasters.ground_size import ground_cell_area
from mtlaerial.sampling.patch_coordinates import PatchCoordinates
from mtlaerial.sampling.resampling import BilinearAmongKnown
from mtlaerial.tasks.derived_truth import Derive, derivation_of
from mtlaerial.tiles.tile import Tile


class DerivedTruth:
    """The derivation of a task's truth, for some tiles whose cells may differ in size.

    Parameters
    ----------
    task : Task
    tiles : sequence of Tile
    """

    def __init__(self, task: Task, tiles: Sequence[Tile]) -> None:
        derivation, self._derive = derivation_of(task_entry(task))
        self._cells = [derivation.cells(ground_cell_area(tile.grids["height"])) for tile in tiles]

    def resampler(
        self, heights: PatchCoordinates, tiles: Sequence[int], out: Tensor, part: int
    ) -> "DerivedAmongKnown":  # fmt: skip
        """Return the resampler that fills the task's truth.

        Parameters
        ----------
        heights : PatchCoordinates
            Those of the patches on the heights.
        tiles : sequence of int
            Index of each patch's tile.
        out : Tensor, shape (batch, patch, patch)
        part : int
            Patches at a time.
        """
        return DerivedAmongKnown(heights, out[..., None], part, self._derive, [self._cells[tile] for tile in tiles])


class DerivedAmongKnown(BilinearAmongKnown):
    """Interpolates what a function makes of a layer's cells, among those that it is known for.

    Parameters
    ----------
    coordinates, out, part
        As for :class:`mtlaerial.sampling.resampling.Resampler`.
    derive : Derive
    cells : sequence of int
        Reach of the function in each patch.
    """

    def __init__(
        self, coordinates: PatchCoordinates, out: Tensor, part: int, derive: Derive, cells: Sequence[int]
    ) -> None:  # fmt: skip
        super().__init__(coordinates, out, part, halo=max(cells))
        self._derive = derive
        self._reaches = torch.split(torch.tensor(cells), part)

    def _values(self, part_index: int) -> Tensor:
        values, reaches = super()._values(part_index), self._reaches[part_index]
        first = int(reaches[0])
        if bool((reaches == first).all()):
            return self._derive(values, first)
        windows = zip(values, reaches.tolist(), strict=True)
        return torch.cat([self._derive(window[None], cells) for window, cells in windows])


def derived_tasks(tasks: Sequence[Task]) -> list[Task]:
    """Return those of some tasks whose truth follows from another layer's values."""
    return [task for task in tasks if task_entry(task).derivation]
