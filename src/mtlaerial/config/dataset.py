"""What a data set is: the specification in ``config/datasets/*.yaml``."""

import csv
from collections import Counter
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, PositiveFloat, PositiveInt, model_validator

from mtlaerial.config.base import Section, read_yaml
from mtlaerial.errors import ConfigError

Split = Literal["train", "val", "test"]
Layer = Literal["image", "height", "labels"]
SPLITS: tuple[Split, ...] = ("train", "val", "test")
LAYERS: tuple[Layer, ...] = ("image", "height", "labels")
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
"""Paths below the data root, the first that exists is taken. With ``{tile}``: a file per tile; without: one mosaic."""


class ImageSpec(Section):
    """The aerial image: it defines the tiles."""

    files: Patterns
    bands: Annotated[tuple[PositiveInt, ...], Field(min_length=1)] = (1, 2, 3)
    """Bands of the file to use, counted from 1, in the order the network sees them."""
    band_names: tuple[str, ...] = ("red", "green", "blue")
    range: tuple[float, float] = (0.0, 255.0)
    """Values brought to [-1, 1] for the network."""
    nodata: float | None = None
    """A pixel with this value in all bands is outside the image (also taken from the file's own tag)."""
    corner: str | None = None
    """How a tile's name tells its lower-left corner in the CRS, e.g. "UH_NAD83_{west}_{south}"; checked."""

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

    files: Patterns | None = None
    surface: Patterns | None = None
    ground: Patterns | None = None
    scale: float = 1.0
    """Metres per unit of the raster: metres = value * scale + offset, where a pair's value is surface minus ground."""
    offset: float = 0.0
    range: tuple[float, float] = (-10.0, 500.0)
    """Heights outside, in metres, are no-data."""
    nodata: float | None = None
    """Raw value that means no-data (also taken from the file's own tag)."""
    nodata_above: float | None = None
    """Raw values from here up mean no-data."""
    zero_height: Literal["valid", "ignore"] = "valid"
    """Whether heights <= 0 are trained on; scores are always given both ways."""
    optional: tuple[str, ...] = ()
    """Splits or tiles where this layer may be absent."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        single, pair = self.files is not None, (self.surface is not None, self.ground is not None)
        if (single and any(pair)) or (not single and not all(pair)):
            raise ValueError("either files, or both surface and ground")
        if self.range[0] >= self.range[1]:
            raise ValueError("a range with its lower value first")
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
    """Splits or tiles where this layer may be absent."""

    def files_of(self, split: Split) -> Patterns:
        """Return the patterns of a split."""
        return self.files[split] if isinstance(self.files, dict) else self.files

    @model_validator(mode="after")
    def _unambiguous(self) -> Self:
        values = [value for entry in self.classes for value in entry.values] + list(self.ignore)
        kind = tuple if self.encoding == "rgb" else int
        wrong = [value for value in values if not isinstance(value, kind)]
        if wrong:
            raise ValueError(f"{'colours' if kind is tuple else 'integer codes'} only, not {wrong[0]}")
        for what, items in (("value", values), ("class name", [entry.name for entry in self.classes])):
            twice = [item for item, count in Counter(items).items() if count > 1]
            if twice:
                raise ValueError(f"each {what} once, but {twice[0]} is given twice")
        return self


class GridSpec(Section):
    """Tiles cut from a mosaic by a regular grid."""

    size: tuple[PositiveInt, PositiveInt]
    """Rows and columns of a tile in image pixels; the last row and column of tiles may be smaller."""
    name: str = "r{row}c{column}"
    """How a tile is named; rows count from the north, columns from the west, both from 1."""


class FootprintSpec(Section):
    """Tiles cut from a mosaic by the bounds of polygons in a vector file."""

    files: Patterns
    column: str = "tile"
    """The attribute with the tile's name."""


class DatasetSpec(Section):
    """A data set as its user describes it."""

    title: str
    licence: str
    citation: str = ""
    obtain: str
    """Where and how to get the data, in a sentence; shown when files are missing."""
    generated: bool = False
    """True for a generated data set: said wherever it appears."""
    gsd: PositiveFloat | None = None
    """Ground sampling distance of the image in metres per pixel; needed where the files have no georeference."""
    crs: str | None = None
    """The CRS all rasters must have, e.g. "EPSG:2993"; without, each tile has that of its image, or none."""
    image: ImageSpec
    height: HeightSpec | None = None
    labels: LabelsSpec | None = None
    grid: GridSpec | None = None
    footprints: FootprintSpec | None = None
    splits: dict[Split, tuple[str, ...]]
    recipe: dict[str, Any] = {}
    """What this data set changes in ``training``, ``prediction`` and ``scoring`` of the configuration."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        listed = Counter(tile for tiles in self.splits.values() for tile in tiles)
        twice = [tile for tile, count in listed.items() if count > 1]
        if twice:
            raise ValueError(f"each tile in one split, but {twice[0]} is listed {listed[twice[0]]} times")
        mosaic = not any("{tile}" in pattern for pattern in self.image.files)
        if mosaic != (self.grid is not None or self.footprints is not None):
            raise ValueError(
                "a grid or footprints where image.files has no {tile} (a mosaic), and neither where it has"
            )
        if self.grid and self.footprints:
            raise ValueError("either grid or footprints, not both")
        by_split = self.labels.files if self.labels and isinstance(self.labels.files, dict) else self.splits
        if set(by_split) != set(self.splits):
            raise ValueError(f"labels.files for each of the splits {', '.join(self.splits)}")
        if self.height is None and self.labels is None:
            raise ValueError("height, labels, or both")
        return self

    @property
    def tiles(self) -> tuple[str, ...]:
        """All tiles, in the order train, val, test."""
        return tuple(tile for split in SPLITS for tile in self.splits.get(split, ()))

    def split_of(self, tile: str) -> Split:
        """Return the split a tile belongs to."""
        for split in SPLITS:
            if tile in self.splits.get(split, ()):
                return split
        expected = f"one of {', '.join(self.tiles)}"
        raise ConfigError("splits", f"no tile {tile}", expected, "Correct the tile's name.")


def load_dataset(path: Path) -> DatasetSpec:
    """Read a data set's specification.

    ``splits: {csv: FILE}`` reads the columns ``tile`` and ``split`` of a CSV beside the YAML file.

    Raises
    ------
    ConfigError
        When the file, or the CSV it names, is missing or wrong.
    """
    data = read_yaml(path)
    splits = data.get("splits")
    if isinstance(splits, dict) and set(splits) == {"csv"}:
        data["splits"] = _read_splits(path.parent / str(splits["csv"]))
    spec = DatasetSpec.parse(data, str(path))
    if not spec.splits.get("train"):
        raise ConfigError(f"{path}, key splits.train", "no tiles", "at least one tile", "List the training tiles.")
    return spec


def _read_splits(path: Path) -> dict[str, list[str]]:
    """Read a split table; an unknown split is left for the model to report."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(path, str(error), "a CSV of splits", "Correct splits.csv in the specification.") from None
    if not rows or not {"tile", "split"} <= set(rows[0]):
        found = f"the columns {', '.join(rows[0])}" if rows else "no rows"
        raise ConfigError(path, found, "a header with tile and split, and a row per tile", "Correct the table.")
    splits: dict[str, list[str]] = {}
    for row in rows:
        splits.setdefault(row["split"], []).append(row["tile"])
    return splits
