"""What a data set is: the specification in ``config/datasets/*.yaml``."""

import csv
from collections import Counter
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from mtlaerial.config.base import Section, read_yaml
from mtlaerial.config.layers import SPLITS, HeightSpec, ImageSpec, LabelsSpec, Patterns, Split
from mtlaerial.config.published import PublishedSpec
from mtlaerial.errors import ConfigError


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
    folders: Annotated[tuple[str, ...], Field(min_length=1)] = (".",)
    """Below the root, where archives may have been unpacked: each file is looked for in all of them, in this order."""
    image: ImageSpec
    height: HeightSpec | None = None
    labels: LabelsSpec | None = None
    grid: GridSpec | None = None
    footprints: FootprintSpec | None = None
    splits: dict[Split, tuple[str, ...]]
    recipe: dict[str, Any] = {}
    """What this data set changes in ``training``, ``prediction`` and ``scoring`` of the configuration."""
    published: tuple[PublishedSpec, ...] = ()
    """Scores of others, shown beside those of the runs."""

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
