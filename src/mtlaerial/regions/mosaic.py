"""Mosaic of the images of a region: at each pixel the first image, in their order, that is valid there."""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from rasterio.windows import Window

from mtlaerial.rasters.validity import Mask, Pixels


class Span(NamedTuple):
    """A rectangle of pixels of a region: first row and column, number of rows and columns."""

    row: int
    column: int
    rows: int
    columns: int

    def shared(self, other: "Span") -> "Span | None":
        """Return the pixels of both; None where there are none.

        Examples
        --------
        >>> Span(0, 0, 10, 10).shared(Span(6, 8, 10, 10))
        Span(row=6, column=8, rows=4, columns=2)
        """
        row, column = max(self.row, other.row), max(self.column, other.column)
        rows = min(self.row + self.rows, other.row + other.rows) - row
        columns = min(self.column + self.columns, other.column + other.columns) - column
        return Span(row, column, rows, columns) if rows > 0 and columns > 0 else None

    def slices(self, origin: "Span") -> tuple[slice, slice]:
        """Return the rows and columns of an array that begins where ``origin`` does."""
        top, left = self.row - origin.row, self.column - origin.column
        return slice(top, top + self.rows), slice(left, left + self.columns)


class PlacedSource(Protocol):
    """An image on the pixels of a region."""

    @property
    def span(self) -> Span:
        """Its pixels in the region."""
        ...

    def read(self, window: Window) -> Pixels:
        """Read a window, counted from the first pixel of its span."""
        ...


class Mosaic:
    """Images on the pixels of a region, in the order by which overlaps are resolved: the first valid one counts.

    Pixels of no image, also those beyond the region, are invalid.

    Parameters
    ----------
    images : sequence of PlacedSource
    origin : tuple of int
        Row and column in the region of the mosaic's first pixel.
    count : int
        Number of bands.
    dtype : dtype
    """

    def __init__(
        self, images: Sequence[PlacedSource], origin: tuple[int, int], count: int, dtype: np.dtype[Any]
    ) -> None:
        self.images, self.origin, self.count, self.dtype = images, origin, count, np.dtype(dtype)

    def read(self, window: Window) -> Pixels:
        """Read a window; see :class:`mtlaerial.rasters.image_source.ImageSource`."""
        top, left = self.origin
        wanted = Span(int(window.row_off) + top, int(window.col_off) + left, int(window.height), int(window.width))
        values = np.zeros((self.count, wanted.rows, wanted.columns), self.dtype)
        missing = np.ones((wanted.rows, wanted.columns), np.bool_)
        for image in self.images:
            part = image.span.shared(wanted)
            if part and missing[part.slices(wanted)].any():
                _fill(values, missing, part.slices(wanted), _read(image, part))
        return Pixels(values, missing if missing.any() else None)


def _read(image: PlacedSource, part: Span) -> Pixels:
    rows, columns = part.slices(image.span)
    return image.read(Window(columns.start, rows.start, part.columns, part.rows))


def _fill(values: np.ndarray[Any, Any], missing: Mask, place: tuple[slice, slice], pixels: Pixels) -> None:
    """Copy the valid pixels of an image to where no image has been valid so far."""
    taken = missing[place] if pixels.invalid is None else missing[place] & ~pixels.invalid
    np.copyto(values[:, *place], pixels.values, where=taken)
    missing[place] &= ~taken
