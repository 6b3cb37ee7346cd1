"""Validity of pixels: which pixels of a raster are image, as GDAL, the specification and the values say."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.enums import ColorInterp, MaskFlags
from rasterio.windows import Window

from mtlaerial.rasters.decoder_warnings import decoding
from mtlaerial.rasters.geotiff import row_blocks

Mask = NDArray[np.bool_]
_ROWS, _LARGEST_BLOCK = 512, 128 * 2**20
"""Most rows and most bytes of a block that is read at once."""


class Pixels(NamedTuple):
    """Values of a window, shape (bands, rows, columns), and the mask of its invalid pixels.

    The mask has the shape (rows, columns); None where all pixels are valid.
    """

    values: NDArray[Any]
    invalid: Mask | None


class MaskedBands:
    """Reader of chosen bands of a raster, with the mask of the pixels that are not image.

    A pixel is invalid if

    - all chosen bands have the value of their no-data tag,
    - or GDAL's mask is invalid in all chosen bands (internal mask, ``.msk`` file, mask of a VRT),
    - or an alpha band, unless it is chosen itself, is 0,
    - or all chosen bands have the specified no-data value,
    - or a chosen band has a value that is not finite.

    Parameters
    ----------
    source : DatasetReader
    bands : sequence of int
        Bands to read, counted from 1, in this order.
    nodata : float, optional
        The specified no-data value, in values of the file.
    """

    def __init__(self, source: rasterio.DatasetReader, bands: Sequence[int], nodata: float | None = None) -> None:
        self.source, self.bands, self.nodata = source, list(bands), nodata
        interpretations = zip(source.indexes, source.colorinterp, strict=True)
        alpha = [band for band, kind in interpretations if kind is ColorInterp.alpha]
        self._alpha = [band for band in alpha if band not in self.bands]
        flags = [set(source.mask_flag_enums[band - 1]) for band in self.bands]
        # GDAL's mask of an alpha band is left out, as that band may be chosen, and a no-data tag would hide it.
        self._masked = not any({MaskFlags.all_valid, MaskFlags.alpha} & each for each in flags)
        self._shared = all(MaskFlags.per_dataset in each for each in flags)
        # Beside a mask, GDAL leaves a no-data tag out of account.
        tags = [source.nodatavals[band - 1] for band in self.bands]
        self._tags = tags if None not in tags else None
        self._masked_by_tags = all(each == {MaskFlags.nodata} for each in flags)

    @property
    def count(self) -> int:
        """Number of the bands to read."""
        return len(self.bands)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Data type of the first band to read."""
        name: str = self.source.dtypes[self.bands[0] - 1]
        return np.dtype(name)

    @property
    def tagged(self) -> bool:
        """Whether all bands have a no-data tag, by which GDAL masks them."""
        return self._masked_by_tags

    @property
    def masked(self) -> bool:
        """Whether the file masks pixels, by a no-data tag, a mask or an alpha band."""
        return self._masked or bool(self._alpha)

    def blocks(self, window: Window) -> Iterator[Pixels]:
        """Read a window in blocks of rows, the fewer the wider it is."""
        row_bytes = int(window.width) * sum(np.dtype(self.source.dtypes[band - 1]).itemsize for band in self.bands)
        most = max(1, min(_ROWS, _LARGEST_BLOCK // max(1, row_bytes)))
        for top, rows in row_blocks(int(window.height), most):
            yield self.read(Window(window.col_off, window.row_off + top, window.width, rows))

    def read(self, window: Window | None = None) -> Pixels:
        """Read a window, by default the whole raster.

        Raises
        ------
        DataError
            When the decoder warns of damaged pixels.
        """
        with decoding(self.source.name):
            values = self.source.read(self.bands, window=window)
            invalid: Mask | None = None
            for mask in self._masks(values, window):
                invalid = mask if invalid is None else invalid | mask
        return Pixels(values, invalid if invalid is not None and invalid.any() else None)

    def _masks(self, values: NDArray[Any], window: Window | None) -> Iterator[Mask]:
        """Yield masks of invalid pixels, shape (rows, columns), one for each reason."""
        if self._tags is not None:
            # Not by GDAL's mask, for which a compressed raster would be decoded again where its cache is small.
            yield _all_equal(values, self._tags)
        if self._masked and not self._masked_by_tags:
            bands = self.bands[:1] if self._shared else self.bands
            yield np.asarray((self.source.read_masks(bands, window=window) == 0).all(axis=0))
        for band in self._alpha:
            yield np.asarray(self.source.read(band, window=window) == 0)
        if self.nodata is not None:
            yield _all_equal(values, [self.nodata] * len(values))
        if values.dtype.kind in "fc":
            yield ~np.isfinite(values).all(axis=0)


def _all_equal(values: NDArray[Any], nodata: Sequence[float]) -> Mask:
    """Return the mask of pixels with the no-data value of every band; NaN is met by the test for finite values."""
    with np.errstate(over="ignore"):  # a no-data value beyond the dtype's range is no pixel's
        pairs = zip(values, nodata, strict=True)
        matches = [band == _as_value(number, band.dtype) for band, number in pairs]
    return np.asarray(np.all(matches, axis=0))


def _as_value(number: float, dtype: np.dtype[Any]) -> Any:
    """Return a no-data value as the pixels have it."""
    if dtype.kind in "ui":
        # Comparing integers with an integer is several times faster than with a float, and exact.
        return int(number) if float(number).is_integer() else number
    return dtype.type(number)


def fill_value(dtype: np.dtype[Any] | str, value_range: tuple[float, float]) -> float | int:
    """Return the value that invalid pixels are replaced with for the network, in training and in prediction.

    It is NaN for floats, which becomes 0, the middle of the network's input range, and the integer in the middle of the
    range for integers: next to an image's edge the network sees what its own zero padding looks like.

    Examples
    --------
    >>> fill_value("uint8", (0, 255)), fill_value("uint16", (0, 3000)), fill_value("float32", (0, 1))
    (127, 1500, nan)
    """
    dtype = np.dtype(dtype)
    if dtype.kind not in "ui":
        return float("nan")
    limits = np.iinfo(dtype)
    return int(min(max(sum(value_range) // 2, limits.min), limits.max))
