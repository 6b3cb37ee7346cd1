"""Values of a block of columns in the current row of windows, and those of earlier rows that are still needed."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from mtlaerial.prediction.blending.column_blocks import Block, first_needed
from mtlaerial.prediction.blending.lone_windows import lone_pixels
from mtlaerial.prediction.blending.mixture import Spreads, mix
from mtlaerial.prediction.blending.targets import Finished, Target
from mtlaerial.prediction.blending.windows import Axis


class RowBuffer:
    """A block's values in the current row of windows, and those of earlier rows that are still needed.

    With spreads, finished variances are NaN where one window alone decides.
    """

    def __init__(
        self,
        channels: int,
        block: Block,
        down: Axis,
        across: Axis,
        targets: Sequence[Target],
        device: torch.device,
        context: int,
        spreads: Spreads = (),
    ) -> None:
        self._block, self._down, self._targets, self._context = block, down, targets, context
        self._spreads = spreads
        self._largest_shares = across.largest_shares[block.left : block.right].to(device)
        self._top = 0
        self._values = torch.empty(channels, 0, block.right - block.left, device=device)
        self._before = self._values

    def begin(self, index: int) -> Tensor:
        """Return the uninitialised values of a row of windows, shape (channels, rows, columns)."""
        # A new buffer for each row of windows: the writing thread still reads the one before.
        self._before, shape = self._values, self._values.shape
        self._values = self._before.new_empty(shape[0], self._down.stop(index) - self._top, shape[2])
        return self._values[:, self._down.starts[index] - self._top :]

    def finish(self, index: int, invalid: Tensor | None) -> Finished:
        """Blend a row of windows into those before it, drop rows no longer needed, and return the finished values."""
        start, done, top = self._down.starts[index], self._down.done(index), self._top
        fresh = self._values[:, start - top :]
        self._values[:, : start - top] = self._before[:, : start - top]
        earlier = self._before[:, start - top :]
        share = self._down.fade_factors[index][: earlier.shape[1], None].to(fresh.device)
        shared = fresh[:, : earlier.shape[1]]
        mix(earlier, shared, share, shared, self._spreads)
        if self._spreads and done > start:
            lone = lone_pixels(self._down.largest_shares[start:done].to(fresh.device), self._largest_shares)
            for _, variance in self._spreads:
                fresh[variance, : done - start].masked_fill_(lone, math.nan)
        if invalid is not None:
            # Rows from `done` on are masked with the next strip, which holds them too.
            fresh[:, : done - start].masked_fill_(invalid[: done - start], math.nan)
        values = self._values[:, : done - top, : self._block.columns[1] - self._block.left]
        self._top = first_needed([target.rows.needed(done) for target in self._targets], done, self._context)
        self._values = self._values[:, self._top - top :]
        return Finished(values, top, self._block.left, (start, done), self._block.columns)
