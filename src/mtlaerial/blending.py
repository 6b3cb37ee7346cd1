"""The streaming engine: overlapping windows over a raster of any size, blended, in memory that follows the window.

The raster is worked through in vertical bands, and each band from north to south. The rows that no later window touches
are finished: they are handed to the targets and forgotten.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import torch
from torch import Tensor

from mtlaerial.cells import Cells

Network = Callable[[Tensor], Tensor]
"""From windows (batch, bands, window, window) in the file's values to outputs (batch, channels, window, window)."""
Read = Callable[[int, int, int, int], Tensor]
"""From row, column, rows, columns to the image there: (bands, rows, columns) in the file's values."""
BAND_BYTES = 256 * 2**20
"""What a band's sums may take; wide rasters are cut into more bands."""


@dataclass
class Target:
    """Where finished values go: a grid of its own, and what to do with a block of it.

    Attributes
    ----------
    channels : slice
        Channels of the network's output that it takes.
    rows, columns : Cells
        Its cells.
    write : callable
        Gets the first row and column of a block of cells, and its values (channels, rows, columns): means over the
        pixels with data, NaN for cells that have none.
    """

    channels: slice
    rows: Cells
    columns: Cells
    write: Callable[[int, int, Tensor], None]
    _next: int = field(default=0, init=False)

    def begin(self) -> None:
        """Start again at the first row: a new band."""
        self._next = 0

    def emit(self, band: "_Band", values: Tensor, top: int, done: int) -> int:
        """Write the cells that are complete once all rows before ``done`` are; return the first row still needed.

        Parameters
        ----------
        band : _Band
            The columns at work.
        values : Tensor, shape (channels, rows, columns)
            Blended values from row ``top`` on.
        top, done : int
            Image rows.
        """
        stop = max(self._next, self.rows.complete(done))
        columns = self.columns.starting(band.begin, band.end)
        if stop > self._next and columns[1] > columns[0]:
            chosen = values[self.channels]
            known = ~torch.isnan(chosen[:1])

            def mean(pixels: Tensor) -> Tensor:
                rows = self.rows.mean(pixels, 1, (self._next, stop), top)
                return self.columns.mean(rows, 2, columns, band.begin)

            block = mean(chosen) if bool(known.all()) else mean(chosen.where(known, 0)) / mean(known.float())
            self.write(self._next, columns[0], block)
        self._next = stop
        return min(int(self.rows.first[stop]), done) if stop < len(self.rows) else done


@dataclass(frozen=True)
class _Band:
    """Columns ``begin`` to ``end`` of the image; its sums reach on to ``reach``, for cells that straddle the end."""

    begin: int
    end: int
    reach: int


def starts(length: int, window: int, stride: int) -> list[int]:
    """Return where windows start along an axis: every stride, and a last one at the end."""
    last = max(length - window, 0)
    return [*range(0, last, stride), last]


def kernel(window: int) -> Tensor:
    """Return the blending weights, shape (window, window): exp(-d² / (2 * 0.2²)) on [-1, 1]², as the paper's."""
    line = torch.exp(-(torch.linspace(-1, 1, window) ** 2) / (2 * 0.2**2))
    return line[:, None] * line[None, :]


class Blender:
    """Runs a network over overlapping windows and blends what it says.

    Parameters
    ----------
    network : Network
    channels : int
        Channels of its output.
    window, stride, batch : int
        As in :class:`mtlaerial.config.PredictionSpec`.
    device : torch.device
    """

    def __init__(
        self, network: Network, channels: int, window: int, stride: int, batch: int, device: torch.device
    ) -> None:
        self.network, self.channels = network, channels
        self.window, self.stride, self.batch, self.device = window, stride, batch, device
        self.kernel = kernel(window).to(device)

    def windows(self, rows: int, columns: int, targets: Sequence[Target]) -> int:
        """Return how many windows a raster takes; for progress bars."""
        bands = self._bands(columns, targets)
        return len(starts(rows, self.window, self.stride)) * sum(len(self._columns(b, columns)) for b in bands)

    def run(
        self, read: Read, rows: int, columns: int, targets: Sequence[Target], nodata: float | None
    ) -> Iterator[int]:
        """Blend a whole raster into the targets; yields the number of windows done, as it goes.

        Parameters
        ----------
        read : Read
            The image.
        rows, columns : int
            Its size in pixels.
        targets : sequence of Target
        nodata : float or None
            Pixels with this value in all bands become NaN.
        """
        for band in self._bands(columns, targets):
            for target in targets:
                target.begin()
            yield from self._run_band(band, read, rows, columns, targets, nodata)

    def _run_band(
        self, band: _Band, read: Read, rows: int, columns: int, targets: Sequence[Target], nodata: float | None
    ) -> Iterator[int]:
        sums = _Sums(self.channels, self.window + max(t.rows.largest for t in targets) + 1, band, self.device)
        tops = starts(rows, self.window, self.stride)
        lefts = self._columns(band, columns)
        width = min(lefts[-1] + self.window, columns) - lefts[0]
        for top, following in zip(tops, [*tops[1:], rows], strict=True):
            strip = read(top, lefts[0], min(self.window, rows - top), width).to(self.device)
            if nodata is not None:
                sums.mark(top, lefts[0], (strip.isnan() if math.isnan(nodata) else strip == nodata).all(dim=0))
            for i in range(0, len(lefts), self.batch):
                chosen = lefts[i : i + self.batch]
                crops = [strip[:, :, left - lefts[0] : left - lefts[0] + self.window] for left in chosen]
                outputs = self.network(torch.stack([_padded(crop, self.window) for crop in crops]))
                for left, output in zip(chosen, outputs, strict=True):
                    sums.add(top, left, output, self.kernel, rows)
                yield len(chosen)
            blended = sums.blended(following)
            sums.drop(min(target.emit(band, blended, sums.top, following) for target in targets))

    def _bands(self, columns: int, targets: Sequence[Target]) -> list[_Band]:
        bytes_per_column = 4 * (self.channels + 2) * (self.window + max(t.rows.largest for t in targets) + 1)
        width = max(2 * self.window, BAND_BYTES // bytes_per_column)
        number = math.ceil(columns / width)
        edges = [round(columns * i / number) for i in range(number)] + [columns + 1]  # the last has all cells beyond
        margin = max(target.columns.largest for target in targets)
        return [_Band(a, b, min(b + margin, columns)) for a, b in pairwise(edges)]

    def _columns(self, band: _Band, columns: int) -> list[int]:
        """Return the left edges of the windows that touch a band."""
        edges = starts(columns, self.window, self.stride)
        return [left for left in edges if left < band.reach and left + self.window > band.begin]


class _Sums:
    """Weighted sums of the outputs over the rows at work of one band."""

    def __init__(self, channels: int, rows: int, band: _Band, device: torch.device) -> None:
        self.band = band
        self.top = 0
        self._sums = torch.zeros(channels, rows, band.reach - band.begin, device=device)
        self._weights = torch.zeros(rows, band.reach - band.begin, device=device)
        self._outside = torch.zeros(rows, band.reach - band.begin, dtype=torch.bool, device=device)

    def add(self, top: int, left: int, output: Tensor, weights: Tensor, rows: int) -> None:
        """Add a window's output; what lies outside the band or the image is left out."""
        height = min(weights.shape[0], rows - top)
        begin, end = max(left, self.band.begin), min(left + weights.shape[1], self.band.reach)
        source = slice(begin - left, end - left)
        place = slice(top - self.top, top - self.top + height), slice(begin - self.band.begin, end - self.band.begin)
        self._sums[:, *place] += output[:, :height, source] * weights[:height, source]
        self._weights[place] += weights[:height, source]

    def mark(self, top: int, left: int, outside: Tensor) -> None:
        """Remember where the image has no data."""
        begin, end = max(left, self.band.begin), min(left + outside.shape[1], self.band.reach)
        rows = slice(top - self.top, top - self.top + outside.shape[0])
        columns = slice(begin - self.band.begin, end - self.band.begin)
        self._outside[rows, columns] = outside[:, begin - left : end - left]

    def blended(self, done: int) -> Tensor:
        """Return the finished rows' values, shape (channels, rows, columns)."""
        rows = slice(0, done - self.top)
        values = self._sums[:, rows] / self._weights[rows]
        return values.masked_fill_(self._outside[rows], torch.nan)

    def drop(self, row: int) -> None:
        """Forget the rows before the given one."""
        shift = row - self.top
        if shift <= 0:
            return
        for plane in (self._sums, self._weights, self._outside):
            kept = plane[..., shift:, :].clone()
            plane[..., : kept.shape[-2], :] = kept
            plane[..., kept.shape[-2] :, :] = 0
        self.top = row


def _padded(crop: Tensor, window: int) -> Tensor:
    """Mirror an image smaller than the window out to its size."""
    for axis in (1, 2):
        while crop.shape[axis] < window:
            crop = torch.cat([crop, crop.flip(axis)], dim=axis)
    return crop[:, :window, :window]
