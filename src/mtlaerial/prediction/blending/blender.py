"""The streaming engine: a network over overlapping windows of a raster of any size, with bounded memory.

The raster is divided into blocks of columns; each is run from north to south, a row of windows at a time. A thread
prefetches the next strip of the image and another writes finished values while the network computes.
"""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial
from itertools import chain
from pathlib import Path

import torch
from torch import Tensor

from mtlaerial.prediction.blending.column_blocks import Block, BorderFile, column_blocks
from mtlaerial.prediction.blending.mixture import Spreads, mix
from mtlaerial.prediction.blending.read_ahead import WriteBehind, prefetch
from mtlaerial.prediction.blending.row_buffer import RowBuffer
from mtlaerial.prediction.blending.strips import Read, Strip, joined, padded
from mtlaerial.prediction.blending.surroundings import Around, Surroundings
from mtlaerial.prediction.blending.targets import Finished, Target
from mtlaerial.prediction.blending.windows import Axis, Layout

Network = Callable[[Tensor], Tensor]
"""From windows (batch, bands, rows, columns), in the file's values, to outputs (batch, channels, rows, columns)."""
Take = Callable[[Finished], None]
BLOCK_BYTES = 64 * 2**20
"""Limit of a block's values in a row of windows on the CPU."""
GPU_BLOCKS = 8
"""Factor of the limit on a GPU: an image stored in strips is decoded again for every block, and a GPU would wait."""


class Blender:
    """Engine that runs a network over overlapping windows and blends its outputs.

    Parameters
    ----------
    network : Network
    channels : int
        Channels of its output.
    layout : Layout
        The windows of either axis.
    batch : int
        Number of windows that the network gets at once.
    device : torch.device
    context_scales : sequence of int, optional
        Behind its bands the network gets the surroundings of a window of each scale, so many times as wide.
    spreads : sequence of (int, int), optional
        Channels of values, and of their variance, to which the disagreement of overlapping windows is added; the
        variance is NaN where one window alone decides.
    whole_batches : bool
        Always give the network ``batch`` windows, the last one repeatedly: on some devices rounding depends on their
        number.
    """

    def __init__(
        self,
        network: Network,
        channels: int,
        layout: Layout,
        batch: int,
        device: torch.device,
        context_scales: Sequence[int] = (),
        spreads: Spreads = (),
        whole_batches: bool = False,
    ) -> None:
        self.network, self.channels, self.whole_batches = network, channels, whole_batches
        self.layout, self.batch, self.device = layout, batch, device
        self.context_scales, self.spreads = context_scales, spreads

    def count_windows(self, rows: int, columns: int) -> int:
        """Return the number of windows of a raster; for progress bars."""
        return len(self.layout(rows).starts) * len(self.layout(columns).starts)

    def run(
        self,
        read: Read,
        rows: int,
        columns: int,
        targets: Sequence[Target],
        watch: Take | None = None,
        scratch: Path | None = None,
        context: int = 1,
    ) -> Iterator[int]:
        """Blend a raster into the targets; yield the number of windows done after each batch.

        Parameters
        ----------
        read : Read
            Reader of the image; called in a thread, as the targets' ``write`` is in another. At invalid pixels values
            become NaN; windows of such pixels alone are not run.
        rows, columns : int
            The image's size in pixels.
        targets : sequence of Target
        watch : callable, optional
            Takes the finished values too.
        scratch : Path, optional
            Folder for the temporary file of the blocks' borders; by default the system's.
        context : int
            Number of finished rows and columns before the new ones that ``watch`` gets at least, inside the image.
        """
        down, across = self.layout(rows), self.layout(columns)
        limit = BLOCK_BYTES * (1 if self.device.type == "cpu" else GPU_BLOCKS)
        blocks = column_blocks(across, targets, limit // (4 * self.channels * down.window), context)
        strips = chain.from_iterable(self._strips(read, down, block) for block in blocks)
        surroundings = [Surroundings(read, rows, columns, s, self.device, scratch) for s in self.context_scales]
        takes: list[Take] = [target.take for target in targets]
        takes += [watch] if watch else []
        with tempfile.TemporaryFile(dir=scratch) as file, WriteBehind() as write, closing(prefetch(strips)) as coming:
            border = BorderFile(file, self.channels, down.window, blocks)
            for block in blocks:
                buffer = RowBuffer(self.channels, block, down, across, targets, self.device, context, self.spreads)
                for index in range(len(down.starts)):
                    strip, fresh = next(coming), buffer.begin(index)
                    border.load(index, fresh[..., : block.inherited])
                    around = [scale.of_row(down, index, across) for scale in surroundings]
                    yield from self._run_windows(strip, down, across, block, fresh, around)
                    # Before finish() blends downwards: the next block does that itself, with all of its columns.
                    border.save(index, fresh[..., block.handed_on :])
                    write(partial(_deliver, takes, buffer.finish(index, strip.invalid)))

    def _strips(self, read: Read, down: Axis, block: Block) -> Iterator[Strip]:
        """Read the strips of a block; rows that two strips share are read once."""
        strip, read_to = Strip(torch.empty(0), None), 0
        for index, start in enumerate(down.starts):
            fresh = read(read_to, block.left, down.stop(index) - read_to, block.right - block.left)
            invalid = None if fresh.invalid is None else fresh.invalid.to(self.device)
            fresh = Strip(fresh.image.to(self.device), invalid)
            strip = joined(strip, fresh, start - read_to) if start < read_to else fresh
            read_to = down.stop(index)
            yield strip

    def _run_windows(
        self, strip: Strip, down: Axis, across: Axis, block: Block, merged: Tensor, around: Sequence[Around]
    ) -> Iterator[int]:
        """Run the windows of a strip, and blend each into those before it."""
        for first in range(0, len(block.windows), self.batch):
            indices = block.windows[first : first + self.batch]
            spans = {i: slice(across.starts[i] - block.left, across.stop(i) - block.left) for i in indices}
            # A window that is not run leaves its values uninitialised: all are invalid, which finish() masks.
            with_data = [i for i in indices if strip.invalid is None or not strip.invalid[:, spans[i]].all()]
            if with_data:
                crops = [padded(strip.image[:, :, spans[i]], down.window, across.window) for i in with_data]
                for cut in around:
                    windows = [cut(across.starts[i]) for i in with_data]
                    crops = [torch.cat([crop.float(), window]) for crop, window in zip(crops, windows, strict=True)]
                crops += crops[-1:] * (self.batch - len(crops) if self.whole_batches else 0)
                outputs = self.network(torch.stack(crops))[: len(with_data)]
                for i, output in zip(with_data, outputs, strict=True):
                    values = merged[:, :, spans[i]]
                    fade_in(
                        values,
                        output[:, : values.shape[1], : values.shape[2]],
                        across.fade_factors[i],
                        across.overlap_before(i),
                        self.spreads,
                    )
            yield len(indices)


def fade_in(values: Tensor, output: Tensor, share: Tensor, shared: int, spreads: Spreads = ()) -> None:
    """Blend a window's output into values, both (channels, rows, columns); earlier windows cover ``shared`` columns."""
    fading = values[:, :, :shared]
    mix(fading, output[:, :, :shared], share[:shared].to(values.device), fading, spreads)
    values[:, :, shared:] = output[:, :, shared:]


def _deliver(takes: Sequence[Take], finished: Finished) -> None:
    for take in takes:
        take(finished)
