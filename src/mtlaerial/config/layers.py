"""The layers of a data set: image, height and labels."""

import re
from collections import Counter
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from mtlaerial.config.base import Section
from mtlaerial.config.below_root import BelowRoot
from mtlaerial.config.faults import Unfit
from mtlaerial.config.names import Sentence, require_once
from mtlaerial.config.numbers import BandIndex, Factor, Range
from mtlaerial.config.tile_fields import FIELD

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
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, (list, tuple)):
        raise ValueError("a path below the root, or a list of paths")
    return value


def _with_fields_alone(patterns: tuple[str, ...]) -> tuple[str, ...]:
    for pattern in patterns:
        if re.search("[{}]", FIELD.sub("", pattern)):
            raise ValueError("paths with {tile} or other fields of tile names, or without braces")
    return patterns


def _as_colour(value: Any) -> Any:
    if isinstance(value, str) and re.fullmatch("#[0-9a-fA-F]{6}", value):
        return tuple(bytes.fromhex(value[1:]))
    if not isinstance(value, (list, tuple)):
        raise ValueError('a colour: "#rrggbb" in quotes, or a list of red, green and blue, each 0-255')
    return value


_LARGEST_CODE = 2**24
"""Codes are looked up in a table; a larger one is a mistake."""
Code = Annotated[int, Field(ge=0, le=_LARGEST_CODE)]
Byte = Annotated[int, Field(ge=0, le=255)]
_HexColour = Annotated[str, Field(pattern="^#[0-9a-fA-F]{6}$")]
Colour = Annotated[
    tuple[Byte, Byte, Byte],
    BeforeValidator(_as_colour, json_schema_input_type=_HexColour | tuple[Byte, Byte, Byte]),
]
"""Red, green, blue, each 0-255; in YAML a list of three or ``"#rrggbb"``."""

Patterns = Annotated[
    tuple[BelowRoot, ...],
    BeforeValidator(_as_tuple, json_schema_input_type=str | Annotated[tuple[str, ...], Field(min_length=1)]),
    AfterValidator(_with_fields_alone),
    Field(min_length=1),
]
"""Paths below the data root, of which the first that exists is taken; their folders may differ in spaces, underscores
and case. With ``{tile}`` or fields of ``tile_name``: a file per tile; without: one mosaic."""


def require_fields(key: str, pattern: str, names: tuple[str, ...]) -> None:
    """Refuse a pattern of tile names that lacks a field in braces, or has it twice, or another one.

    Raises
    ------
    Unfit
    """
    fields = re.findall(r"\{(.*?)\}", pattern)
    if sorted(fields) != sorted(names) or re.search("[{}]", re.sub(r"\{\w+\}", "", pattern)):
        expected = f"a pattern with {' and '.join(f'{{{name}}}' for name in names)}, each once, and no other braces"
        raise Unfit(key, repr(pattern), expected, "Correct the pattern.")


class ImageSpec(Section):
    """The aerial image: it defines the tiles."""

    files: Patterns
    """Paths below the data root, of which the first that exists is taken; with {tile} a file per tile."""
    bands: Annotated[tuple[BandIndex, ...], Field(min_length=1)] = (1, 2, 3)
    """Bands of the file to use, counted from 1, in the order the network sees them; prediction reads the same ones."""
    band_names: tuple[str, ...] = ("red", "green", "blue")
    """Names of ``bands``, in the same order."""
    range: Range = (0.0, 255.0)
    """Values brought to [-1, 1] for the network."""
    nodata: float | None = None
    """A pixel with this value in all bands is outside the image. So is one that the file masks (by a no-data tag, an
    alpha band, an internal or ``.msk`` mask) or that has a value which is not finite."""
    corner: str | None = None
    """Pattern of tile names that state the lower-left corner in the CRS, e.g. "UH_NAD83_{west}_{south}"; checked."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len(self.bands) != len(self.band_names):
            names = f"{len(self.band_names)} names ({', '.join(self.band_names)})"
            expected = f"as many names as bands ({len(self.bands)})"
            raise Unfit("band_names", names, expected, "Name each of image.bands.")
        require_once("band_names", self.band_names)
        if self.corner is not None:
            require_fields("corner", self.corner, ("west", "south"))
        return self


class HeightSpec(Section):
    """Height above ground in metres: one raster (``files``), or ``surface`` minus ``ground``."""

    RENAMED: ClassVar = {"range": "valid_range"}

    files: Patterns | None = None
    """Raster of heights above ground: paths below the data root, of which the first that exists is taken."""
    surface: Patterns | None = None
    """Raster of the surface with all that stands on the ground, from which ``ground`` is subtracted."""
    ground: Patterns | None = None
    """Raster of the bare ground."""
    scale: Factor = 1.0
    """Metres per unit of the raster: metres = value * scale + offset, where a pair's value is surface minus ground.
    Scale and offset tags of the file are applied without it."""
    offset: float = 0.0
    """Metres that are added after ``scale``."""
    valid_range: Range = (-10.0, 500.0)
    """Heights outside, in metres, are no-data."""
    nodata: float | None = None
    """Raw value that means no-data, as do cells that the file masks (no-data tag, internal or ``.msk`` mask)."""
    nodata_above: float | None = None
    """Raw values from here up mean no-data."""
    zero_height: Literal["valid", "ignore"] = "valid"
    """Whether heights <= 0 are trained on; scores are always given both ways."""
    optional: tuple[str, ...] = ()
    """Splits or tiles in which this layer may be absent."""
    obtain: Sentence = ""
    """Instructions to get this layer, in a sentence, if it does not come with the image."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        single, pair = self.files is not None, (self.surface is not None, self.ground is not None)
        if (single and any(pair)) or (not single and not all(pair)):
            given = [name for name in ("files", "surface", "ground") if getattr(self, name) is not None]
            expected = "either files, or both surface and ground"
            raise Unfit("files, surface, ground", " and ".join(given) or "none of them", expected)
        return self

    @property
    def sources(self) -> tuple[Patterns, ...]:
        """The patterns to read: one, or surface and ground."""
        return (self.files,) if self.files else (self.surface or (), self.ground or ())


class ClassSpec(Section):
    """One class: its name, its colour in maps, and the raw values that mean it."""

    name: str
    """Name in tables and maps."""
    colour: Colour
    """Colour in maps."""
    values: Annotated[tuple[Code | Colour, ...], Field(min_length=1)]
    """Raw values that mean the class: codes, or colours where ``encoding`` is rgb."""


class ErodedSpec(Section):
    """Labels without the borders of objects, which some benchmarks score on; for val and test tiles that have them."""

    files: Patterns
    """Paths below the data root, of which the first that exists is taken."""
    ignore: tuple[Code | Colour, ...] = ()
    """Raw values without a class, besides those of the labels: that of the borders."""


class LabelsSpec(Section):
    """A class per pixel."""

    files: Patterns | dict[Split, Patterns]
    """For all splits, or for each split its own."""
    encoding: Literal["codes", "rgb"] = "codes"
    """Raw values: codes in one band, or colours in three."""
    classes: Annotated[tuple[ClassSpec, ...], Field(min_length=2, max_length=IGNORED)]
    """In the order of their prepared codes 0, 1, 2, …"""
    ignore: tuple[Code | Colour, ...] = ()
    """Raw values without a class."""
    optional: tuple[str, ...] = ()
    """Splits or tiles in which this layer may be absent."""
    obtain: Sentence = ""
    """Instructions to get this layer, in a sentence, if it does not come with the image."""
    note: Sentence = ""
    """A sentence on the labels without which scores are misread, for below the tables and curves: for instance that
    they were derived from the heights."""
    eroded: ErodedSpec | None = None
    """Labels without the borders of objects, for a second score."""

    def files_of(self, split: Split) -> Patterns:
        """Return the patterns of a split."""
        return self.files[split] if isinstance(self.files, dict) else self.files

    @property
    def bands(self) -> tuple[int, ...]:
        """The bands of the file to read: one of codes, or red, green and blue."""
        return (1, 2, 3) if self.encoding == "rgb" else (1,)

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
            expected = "colours" if kind is tuple else "integer codes"
            raise Unfit(
                "classes and ignore", f"the value {wrong[0]}", f"{expected} only, as encoding is {self.encoding}"
            )
        for what, items in (("value", values), ("class name", [entry.name for entry in self.classes])):
            twice = [item for item, count in Counter(items).items() if count > 1]
            if twice:
                raise Unfit("classes and ignore", f"the {what} {twice[0]} twice", f"each {what} once", "Remove one.")
        return self
