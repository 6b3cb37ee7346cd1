"""The layers of a data set: image, height and labels."""

from collections import Counter
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, PositiveInt, model_validator

from mtlaerial.config.base import Section

Split = Literal["train", "val", "test"]
Layer = Literal["image", "height", "labels", "eroded"]
SPLITS: tuple[Split, ...] = ("train", "val", "test")
LAYERS: tuple[Layer, ...] = ("image", "height", "labels")
"""Layers that a network is trained on."""
PREPARED_LAYERS: tuple[Layer, ...] = (*LAYERS, "eroded")
"""Layers of a prepared tile: also labels without the borders of objects, which only scores use."""
IGNORED = 255
"""The code of pixels without a class in prepared label rasters; so a data set has at most 255 classes."""


def _as_tuple(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


def _as_colour(value: Any) -> Any:
    if isinstance(value, str) and len(value) == 7 and value.startswith("#"):
        return tuple(bytes.fromhex(value[1:]))
    return value


_LARGEST_CODE = 2**24
"""Codes are looked up in a table; a larger one is a mistake."""
Code = Annotated[int, Field(ge=0, le=_LARGEST_CODE)]
Byte = Annotated[int, Field(ge=0, le=255)]
Colour = Annotated[tuple[Byte, Byte, Byte], BeforeValidator(_as_colour)]
"""Red, green, blue, each 0-255; in YAML a list of three or ``"#rrggbb"``."""

Patterns = Annotated[tuple[str, ...], BeforeValidator(_as_tuple), Field(min_length=1)]
"""Paths below the data root, of which the first that exists is taken; their folders may differ in spaces, underscores
and case. With ``{tile}``: a file per tile; without: one mosaic."""


class ImageSpec(Section):
    """The aerial image: it defines the tiles."""

    files: Patterns
    bands: Annotated[tuple[PositiveInt, ...], Field(min_length=1)] = (1, 2, 3)
    """Bands of the file to use, counted from 1, in the order the network sees them; prediction reads the same ones."""
    band_names: tuple[str, ...] = ("red", "green", "blue")
    range: tuple[float, float] = (0.0, 255.0)
    """Values brought to [-1, 1] for the network."""
    nodata: float | None = None
    """A pixel with this value in all bands is outside the image (also taken from the file's own tag)."""
    corner: str | None = None
    """Pattern of tile names that state the lower-left corner in the CRS, e.g. "UH_NAD83_{west}_{south}"; checked."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len(self.bands) != len(self.band_names):
            raise ValueError(f"as many band_names as bands ({len(self.bands)})")
        if self.corner is not None and not all(self.corner.count(key) == 1 for key in ("{west}", "{south}")):
            raise ValueError("a corner with {west} and {south}, each once")
        if self.range[0] >= self.range[1]:
            raise ValueError("a range with its lower value first")
        return self


class HeightSpec(Section):
    """Height above ground in metres: one raster (``files``), or ``surface`` minus ``ground``."""

    RENAMED: ClassVar = {"range": "valid_range"}

    files: Patterns | None = None
    surface: Patterns | None = None
    ground: Patterns | None = None
    scale: float = 1.0
    """Metres per unit of the raster: metres = value * scale + offset, where a pair's value is surface minus ground."""
    offset: float = 0.0
    valid_range: tuple[float, float] = (-10.0, 500.0)
    """Heights outside, in metres, are no-data."""
    nodata: float | None = None
    """Raw value that means no-data (also taken from the file's own tag)."""
    nodata_above: float | None = None
    """Raw values from here up mean no-data."""
    zero_height: Literal["valid", "ignore"] = "valid"
    """Whether heights <= 0 are trained on; scores are always given both ways."""
    optional: tuple[str, ...] = ()
    """Splits or tiles in which this layer may be absent."""
    obtain: str = ""
    """Instructions to get this layer, in a sentence, if it does not come with the image."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        single, pair = self.files is not None, (self.surface is not None, self.ground is not None)
        if (single and any(pair)) or (not single and not all(pair)):
            raise ValueError("either files, or both surface and ground")
        if self.valid_range[0] >= self.valid_range[1]:
            raise ValueError("a valid_range with its lower value first")
        return self

    @property
    def sources(self) -> tuple[Patterns, ...]:
        """The patterns to read: one, or surface and ground."""
        return (self.files,) if self.files else (self.surface or (), self.ground or ())


class ClassSpec(Section):
    """One class: its name, its colour in maps, and the raw values that mean it."""

    name: str
    colour: Colour
    values: Annotated[tuple[Code | Colour, ...], Field(min_length=1)]


class ErodedSpec(Section):
    """Labels without the borders of objects, which some benchmarks score on; for val and test tiles that have them."""

    files: Patterns
    ignore: tuple[Code | Colour, ...] = ()
    """Raw values without a class, besides those of the labels: that of the borders."""


class LabelsSpec(Section):
    """A class per pixel."""

    files: Patterns | dict[Split, Patterns]
    """For all splits, or for each split its own."""
    encoding: Literal["codes", "rgb"] = "codes"
    classes: Annotated[tuple[ClassSpec, ...], Field(min_length=2, max_length=IGNORED)]
    """In the order of their prepared codes 0, 1, 2, …"""
    ignore: tuple[Code | Colour, ...] = ()
    """Raw values without a class."""
    optional: tuple[str, ...] = ()
    """Splits or tiles in which this layer may be absent."""
    obtain: str = ""
    """Instructions to get this layer, in a sentence, if it does not come with the image."""
    eroded: ErodedSpec | None = None

    def files_of(self, split: Split) -> Patterns:
        """Return the patterns of a split."""
        return self.files[split] if isinstance(self.files, dict) else self.files

    def of(self, layer: Layer) -> "LabelsSpec":
        """Return the encoding of ``labels`` or ``eroded``."""
        if layer != "eroded" or self.eroded is None:
            return self
        return self.model_copy(update={"ignore": self.ignore + self.eroded.ignore})

    @model_validator(mode="after")
    def _unambiguous(self) -> Self:
        ignored = (*self.ignore, *(self.eroded.ignore if self.eroded else ()))
        values = [*(value for entry in self.classes for value in entry.values), *ignored]
        kind = tuple if self.encoding == "rgb" else int
        wrong = [value for value in values if not isinstance(value, kind)]
        if wrong:
            raise ValueError(f"{'colours' if kind is tuple else 'integer codes'} only, not {wrong[0]}")
        for what, items in (("value", values), ("class name", [entry.name for entry in self.classes])):
            twice = [item for item, count in Counter(items).items() if count > 1]
            if twice:
                raise ValueError(f"each {what} once, but {twice[0]} is given twice")
        return self
