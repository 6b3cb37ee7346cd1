"""A layer of a map, as plain data: what predictors hand to the writer."""

import math
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, get_args

import numpy as np

from mtlaerial.errors import ConfigError

Codec = Literal["zstd", "deflate", "lerc"]
Dtype = Literal["uint8", "int16", "float32"]
Resampling = Literal["nearest", "average"]
Colour = tuple[int, int, int]
VIRIDIS: tuple[Colour, ...] = (
    (68, 1, 84),
    (70, 50, 127),
    (54, 92, 141),
    (39, 127, 142),
    (31, 161, 135),
    (74, 193, 109),
    (160, 218, 57),
    (253, 231, 37),
)
"""Eight colours of Matplotlib's viridis, at equal distances."""
TILE = 512
"""Side of a tile of a file in pixels."""
_COMPRESSION: dict[str, dict[str, Any]] = {
    "zstd": {"compress": "zstd", "zstd_level": 1},
    "deflate": {"compress": "deflate", "zlevel": 6},
    "lerc": {"compress": "lerc_zstd", "zstd_level": 1},
}
_PREDICTORS: dict[Dtype, int] = {"uint8": 2, "int16": 2, "float32": 3}
"""TIFF predictors: 2 stores differences of neighbours, 3 does so for floating-point numbers."""


class Category(NamedTuple):
    """A class of a layer: its code, name and colour."""

    code: int
    name: str
    colour: Colour


@dataclass(frozen=True)
class Palette:
    """Style of a layer of codes: a colour and a name for each."""

    categories: tuple[Category, ...]


@dataclass(frozen=True)
class Ramp:
    """Style of a layer of values: colours at ascending values in the layer's unit, interpolated between them."""

    stops: tuple[tuple[float, Colour], ...]


@dataclass(frozen=True)
class RasterLayer:
    """A layer of a map.

    Attributes
    ----------
    name : str
        Name of the file, without suffix.
    bands : tuple of str
        Description of each band.
    dtype : Dtype
        Type of the stored values.
    nodata : float
        The stored value of pixels without a value; NaN in float32.
    unit : str
        Unit of ``scale`` times the stored values, singular, e.g. ``metre``; empty without one.
    scale : float
        Units per step of the stored values; 1 in float32.
    codec : Codec
        Compression. ``lerc`` is lossy by at most ``precision``, the others are exact.
    precision : float
        Largest error of a value by the codec, in units.
    lowest : float, optional
        Lower values are stored as this one, in units.
    resampling : Resampling
        From pixels to those of overviews: ``nearest`` takes one of four, ``average`` the mean of those with a value.
    style : Palette or Ramp, optional

    Raises
    ------
    ConfigError
        When a part is none of those that can be written, or the parts do not fit together.
    """

    name: str
    bands: tuple[str, ...]
    dtype: Dtype
    nodata: float
    unit: str = ""
    scale: float = 1.0
    codec: Codec = "zstd"
    precision: float = 0.0
    lowest: float | None = None
    resampling: Resampling = "nearest"
    style: Palette | Ramp | None = None

    def __post_init__(self) -> None:
        for key, value, choices in (
            ("codec", self.codec, get_args(Codec)),
            ("dtype", self.dtype, get_args(Dtype)),
            ("resampling", self.resampling, get_args(Resampling)),
        ):
            if value not in choices:
                self._refuse(f"the {key} {value!r}", f"one of {', '.join(choices)}")
        if not self.bands:
            self._refuse("no bands", "a description of each band")
        if not self.scale > 0:
            self._refuse(f"the scale {self.scale:g}", "a positive one")
        if self.precision and self.codec != "lerc":
            self._refuse(f"a precision with the codec {self.codec}, which is exact", "the codec lerc, or no precision")
        if self.dtype == "float32":
            if self.scale != 1 or not math.isnan(self.nodata):
                self._refuse(f"float32 with the scale {self.scale:g} and no-data {self.nodata:g}", "1 and NaN")
        elif not np.iinfo(self.dtype).min <= self.nodata <= np.iinfo(self.dtype).max:
            self._refuse(f"the no-data value {self.nodata:g}", f"a value of {self.dtype}")
        if self.categories and self.dtype != "uint8":
            self._refuse(f"a palette with the dtype {self.dtype}", "uint8, which has a colour table")

    def _refuse(self, content: str, expected: str) -> None:
        raise ConfigError(f"layer {self.name}", content, expected, "Correct the code that defines it.")

    @property
    def categories(self) -> tuple[Category, ...]:
        """The classes of a layer of codes; none of one of values."""
        return self.style.categories if isinstance(self.style, Palette) else ()

    @property
    def profile(self) -> dict[str, Any]:
        """Arguments of rasterio for a tiled GeoTIFF."""
        options = {"count": len(self.bands), "dtype": self.dtype, "nodata": self.nodata, **_COMPRESSION[self.codec]}
        if self.codec == "lerc":
            options["max_z_error"] = self.precision / self.scale  # in stored values
        else:
            # Neighbouring codes are equal or unrelated: their differences compress worse than they do.
            options["predictor"] = 1 if self.categories else _PREDICTORS[self.dtype]
        if len(self.bands) > 1:
            options["photometric"] = "minisblack"  # else GDAL takes three bands of bytes for red, green and blue
        return {**options, "tiled": True, "blockxsize": TILE, "blockysize": TILE}
