"""The streaming engine: a network over overlapping windows of a raster of any size, in memory that follows the window.

The raster is worked through in blocks of columns, each from north to south by rows of windows. The next strip of the
image is read and finished values are written while the network computes. What a block's last windows share with the
next block's first waits in a file, so that no window is computed twice.
"""

import math
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from mtlaerial.prediction.blending.column_blocks import Block, Border, cut, still_needed
from mtlaerial.prediction.blending.read_ahead import Behind, ahead
from mtlaerial.prediction.blending.targets import Finished, Target
from mtlaerial.prediction.blending.windows import Axis, Layout

Network = Callable[[Tensor], Tensor]
"""From windows (batch, bands, rows, columns) in the file's values to outputs (batch, channels, rows, columns)."""
Read = Callable[[int, int, int, int], Tensor]
"""From row, column, rows, columns to the image there: (bands, rows, columns) in the file's values."""
Take = Callable[[Finished], None]
BLOCK_BYTES = 64 * 2**20
"""What a block's values in a row of windows may take on the CPU."""
GPU_BLOCKS = 8
"""So many times larger on a GPU: an image stored in strips is decoded again for every block, and a GPU would wait."""


class Strip(NamedTuple):
    """A block's image in a row of windows, (bands, rows, columns), and where it has no data: None for nowhere."""

    image: Tensor
    outside: Tensor | None


class Blender:
    """Runs a network over overlapping windows and blends what it says.

    Parameters
    ----------
    network : Network
    channels : int
        Channels of its output.
    layout : Layout
        The windows of either axis.
    batch : int
        Windows that the network gets at once.
    device : torch.device
    """

    def __init__(self, network: Network, channels: int, layout: Layout, batch: int, device: torch.device) -> None:
        self.network, self.channels = network, channels
        self.layout, self.batch, self.device = layout, batch, device

    def windows(self, rows: int, columns: int) -> int:
        """Return how many windows a raster takes; for progress bars."""
        return len(self.layout(rows).starts) * len(self.layout(columns).starts)

    def run(
        self,
        read: Read,
        rows: int,
        columns: int,
        targets: Sequence[Target],
        nodata: float | None,
        watch: Take | None = None,
        scratch: Path | None = None,
    ) -> Iterator[int]:
        """Blend a whole raster into the targets; yields the number of windows done, as it goes.

        Parameters
        ----------
        read : Read
            The image; called in a thread of its own, as the targets' ``write`` is.
        rows, columns : int
            Its size in pixels.
        targets : sequence of Target
        nodata : float or None
            Pixels with this value in all bands become NaN; windows without other pixels are not run.
        watch : callable, optional
            Gets the finished values too.
        scratch : Path, optional
            Folder for the file of what lies between blocks, which goes when it is closed; by default the system's.
        """
        down, across = self.layout(rows), self.layout(columns)
        room = BLOCK_BYTES * (1 if self.device.type == "cpu" else GPU_BLOCKS)
        blocks = cut(across, targets, room // (4 * self.channels * down.window))
        strips = (strip for block in blocks for strip in self._strips(read, down, block, nodata))
        takes = [target.take for target in targets] + ([watch] if watch else [])
        with tempfile.TemporaryFile(dir=scratch) as file, Behind() as behind, closing(ahead(strips)) as coming:
            border = Border(file, self.channels, down.window, blocks)
            for block in blocks:
                rows_of_block = _Rows(self.channels, block, down, targets, self.device)
                for index in range(len(down.starts)):
                    strip, fresh = next(coming), rows_of_block.begin(index)
                    border.load(index, fresh[..., : block.taken])
                    yield from self._run_windows(strip, down, across, block, fresh)
                    border.save(index, fresh[..., block.kept :])
                    behind(partial(_deliver, takes, rows_of_block.finish(index, strip.outside)))

    def _strips(self, read: Read, down: Axis, block: Block, nodata: float | None) -> Iterator[Strip]:
        """Read the strips of a block; what one shares with the one before is read once."""
        image, known = torch.empty(0), 0
        for index, start in enumerate(down.starts):
            new = read(known, block.left, down.stop(index) - known, block.right - block.left).to(self.device)
            image = torch.cat([image[:, start - known :], new], dim=1) if start < known else new
            known = down.stop(index)
            outside = None
            if nodata is not None:
                outside = (image.isnan() if math.isnan(nodata) else image == nodata).all(dim=0)
            yield Strip(image, outside)

    def _run_windows(self, strip: Strip, down: Axis, across: Axis, block: Block, merged: Tensor) -> Iterator[int]:
        """Run the windows of a strip, and blend each into those before it."""
        for first in range(0, len(block.windows), self.batch):
            chosen = block.windows[first : first + self.batch]
            places = {i: slice(across.starts[i] - block.left, across.stop(i) - block.left) for i in chosen}
            seen = [i for i in chosen if strip.outside is None or not strip.outside[:, places[i]].all()]
            if seen:
                crops = [padded(strip.image[:, :, places[i]], down.window, across.window) for i in seen]
                for i, output in zip(seen, self.network(torch.stack(crops)), strict=True):
                    room = merged[:, :, places[i]]
                    fade_in(room, output[:, : room.shape[1], : room.shape[2]], across.shares[i], across.known(i))
            yield len(chosen)


class _Rows:
    """The values at work of one block: those of a row of windows, and what of the rows before is still needed."""

    def __init__(
        self, channels: int, block: Block, down: Axis, targets: Sequence[Target], device: torch.device
    ) -> None:
        self._block, self._down, self._targets = block, down, targets
        self._top = 0
        self._values = torch.empty(channels, 0, block.right - block.left, device=device)
        self._before = self._values

    def begin(self, index: int) -> Tensor:
        """Return room for the values of a row of windows."""
        self._before, shape = self._values, self._values.shape
        self._values = self._before.new_empty(shape[0], self._down.stop(index) - self._top, shape[2])
        return self._values[:, self._down.starts[index] - self._top :]

    def finish(self, index: int, outside: Tensor | None) -> Finished:
        """Blend a row of windows into those before it; return what no later one touches, and keep what is needed."""
        start, done, top = self._down.starts[index], self._down.done(index), self._top
        fresh = self._values[:, start - top :]
        self._values[:, : start - top] = self._before[:, : start - top]
        known = self._before[:, start - top :]
        share = self._down.shares[index][: known.shape[1], None].to(fresh.device)
        torch.lerp(known, fresh[:, : known.shape[1]], share, out=fresh[:, : known.shape[1]])
        if outside is not None:
            fresh[:, : done - start].masked_fill_(outside[: done - start], math.nan)
        values = self._values[:, : done - top, : self._block.columns[1] - self._block.left]
        self._top = still_needed([target.rows.needed(done) for target in self._targets], done)
        self._values = self._values[:, self._top - top :]
        return Finished(values, top, self._block.left, (start, done), self._block.columns)


def fade_in(values: Tensor, output: Tensor, share: Tensor, known: int) -> None:
    """Blend a window's output into values, both (channels, rows, columns); their first ``known`` columns hold some."""
    fading = values[:, :, :known]
    fading.lerp_(output[:, :, :known], share[:known].to(values.device))
    values[:, :, known:] = output[:, :, known:]


def padded(crop: Tensor, rows: int, columns: int) -> Tensor:
    """Mirror an image that is smaller than a window out to its size."""
    for axis, size in ((1, rows), (2, columns)):
        while crop.shape[axis] < size:
            crop = torch.cat([crop, crop.flip(axis)], dim=axis)
    return crop[:, :rows, :columns]


def _deliver(takes: Sequence[Take], finished: Finished) -> None:
    for take in takes:
        take(finished)
