"""The specification of a data set, ``config/datasets/*.yaml``."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from mtlaerial.config.base import Section, is_empty, is_none
from mtlaerial.config.below_root import BelowRoot
from mtlaerial.config.consistency import ConsistencyRules, require_rules
from mtlaerial.config.crs_text import CrsText
from mtlaerial.config.faults import Unfit, did_you_mean
from mtlaerial.config.file_kinds import read_kind
from mtlaerial.config.generation import title_suffix
from mtlaerial.config.layers import SPLITS, HeightSpec, ImageSpec, LabelsSpec, Patterns, Split
from mtlaerial.config.method import Name
from mtlaerial.config.mosaic import FootprintSpec, GridSpec
from mtlaerial.config.names import Sentence, require_names
from mtlaerial.config.numbers import Distance, Metres
from mtlaerial.config.published import PublishedSpec
from mtlaerial.config.sources import ArchiveSpec
from mtlaerial.config.specification_file import find_specification
from mtlaerial.config.tasks import TASKS, Task, task_entry
from mtlaerial.config.tile_fields import (
    has_wildcard,
    is_per_tile,
    match_name,
    require_known_fields,
    require_tile_name,
)
from mtlaerial.config.tile_groups import require_groups, with_tables
from mtlaerial.config.tile_name import TileName
from mtlaerial.errors import ConfigError


class DatasetSpec(Section):
    """The files, layers and splits of a data set, as its user describes them."""

    title: str
    """Title in tables, figures and report."""
    licence: str
    """Licence of the data."""
    citation: str = ""
    """How the data are to be cited."""
    obtain: Sentence
    """Instructions to get the data, in a sentence; shown when files are missing."""
    generated: bool = False
    """True for a generated data set, which tables, figures and report then state."""
    gsd: Metres | None = None
    """Metres per image pixel on the ground; needed where the files have no georeference."""
    crs: CrsText | None = None
    """CRS that all rasters must have, e.g. "EPSG:2993"; without it, each tile has that of its image, or none."""
    folders: Annotated[tuple[BelowRoot, ...], Field(min_length=1)] = (".",)
    """Folders below the root that are searched for each file, in this order; archives may have been unpacked there."""
    archives: tuple[ArchiveSpec, ...] = ()
    """Archives that the data set is distributed in."""
    image: ImageSpec
    """The aerial image, which defines the tiles."""
    height: HeightSpec | None = None
    """Height above ground; it or ``labels`` may be absent."""
    labels: LabelsSpec | None = None
    """A class per pixel; it or ``height`` may be absent."""
    grid: GridSpec | None = None
    """Tiles cut from a mosaic by a regular grid."""
    footprints: FootprintSpec | None = None
    """Tiles cut from a mosaic by the bounds of polygons."""
    splits: dict[Split, tuple[TileName, ...]] = {}
    """Tiles of each split; names with * stand for all tiles that have images, and whose names match."""
    areas: dict[Name, Annotated[tuple[TileName, ...], Field(min_length=1)]] = {}
    """Tiles of each area, instead of splits: each area is tested once, by a training on all others (a *fold*)."""
    tile_name: str | None = Field(default=None, exclude_if=is_none)
    """Pattern of tile names, such as "{row}_{column}", whose fields the paths of files may then have: {row:02} is a
    number with at least two digits."""
    buffer: Distance = 0.0
    """Metres: truth of training tiles nearer than this to validation or test tiles, and of validation tiles nearer than
    this to test tiles, is left out when tiles are prepared."""
    consistency: ConsistencyRules = Field(default={}, exclude_if=is_empty)
    """Heights that fit a class, by its name: ``{building: {height: ">= 2"}, water: {height: "<= 0.5"}}``. Scores count
    the cells whose predicted class and height break a rule."""
    recipe: dict[str, Any] = {}
    """Changes to ``training``, ``prediction`` and ``scoring`` of the configuration."""
    published: tuple[PublishedSpec, ...] = ()
    """Published scores, shown beside those of the runs."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        require_groups(self.splits, self.areas)
        mosaic = not any(map(is_per_tile, self.image.files))
        if mosaic != (self.grid is not None or self.footprints is not None):
            expected = "a grid or footprints where image.files has no {tile} (a mosaic), and neither where it has"
            raise Unfit("image.files, grid, footprints", " or ".join(self.image.files), expected)
        names = Counter(archive.file.casefold() for archive in self.archives)
        if names and max(names.values()) > 1:
            raise Unfit("archives", "a file twice", "each file once", "Remove one of them.")
        if self.grid and self.footprints:
            raise Unfit("grid, footprints", "both", "either grid or footprints", "Remove one of them.")
        by_split = self.labels.files if self.labels and isinstance(self.labels.files, dict) else self.splits
        if set(by_split) != set(self.splits):
            splits = ", ".join(self.splits)
            expected = f"files for each of the splits {splits}" if splits else "the same files for all tiles"
            raise Unfit("labels.files", f"files for {', '.join(by_split)}", expected)
        for entry in self.published:
            require_names("published.without_classes", entry.without_classes or (), self.class_names)
        if self.height is None and self.labels is None:
            raise Unfit("height, labels", "neither", "height, labels, or both", "Describe the ground truth.")
        return self

    @model_validator(mode="after")
    def _fields_in_names(self) -> Self:
        if self.tile_name is not None:
            require_tile_name(self.tile_name)
            other = [name for name in self.tiles if not has_wildcard(name) and not match_name(self.tile_name, name)]
            if other:
                raise Unfit("tile_name", f"the tile {other[0]}", f"names like {self.tile_name}", "Correct one of them.")
        for key, patterns in self._patterns():
            require_known_fields(key, patterns, self.tile_name)
        return self

    def _patterns(self) -> Iterator[tuple[str, Patterns]]:
        """Yield the key and the accepted paths of each file per tile."""
        yield "image.files", self.image.files
        for key in ("files", "surface", "ground"):
            if self.height and (patterns := getattr(self.height, key)):
                yield f"height.{key}", patterns
        if self.labels:
            files = self.labels.files
            for patterns in files.values() if isinstance(files, dict) else (files,):
                yield "labels.files", patterns
            if self.labels.eroded:
                yield "labels.eroded.files", self.labels.eroded.files

    @model_validator(mode="after")
    def _rules_of_classes(self) -> Self:
        require_rules(self.consistency, self.class_names, both=self.height is not None and self.labels is not None)
        return self

    @model_validator(mode="after")
    def _optional_where_tiles_are(self) -> Self:
        names = (*SPLITS, *self.tiles)
        for key, layer in (("height", self.height), ("labels", self.labels)):
            unknown = [name for name in (layer.optional if layer else ()) if name not in names]
            if unknown:
                remedy = did_you_mean(unknown[0], names, "Correct it, or leave it out.")
                raise Unfit(f"{key}.optional", repr(unknown[0]), "splits or tiles of the data set", remedy)
        return self

    @property
    def tasks(self) -> tuple[Task, ...]:
        """The package's tasks with ground truth."""
        return tuple(filter(self.has_truth, TASKS))

    def has_truth(self, task: Task) -> bool:
        """Tell whether there is ground truth of a task, which may be of another package."""
        sections = {"labels": self.labels, "height": self.height}
        return sections[task_entry(task).truth] is not None

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of the classes in the order of their codes; empty without labels."""
        return tuple(entry.name for entry in self.labels.classes) if self.labels else ()

    @property
    def tiles(self) -> tuple[str, ...]:
        """All tiles, in the order train, val, test, or by area."""
        fixed = [tile for split in SPLITS for tile in self.splits.get(split, ())]
        return (*fixed, *(tile for tiles in self.areas.values() for tile in tiles))

    def as_generated(self, description: str = "") -> "DatasetSpec":
        """Return the data set marked as generated, without published scores, and with style and noise in its title.

        Parameters
        ----------
        description : str
            Style and noise, see :attr:`mtlaerial.config.generation.Generation.description`; empty if not known.
        """
        title = self.title + title_suffix(description)
        return self.model_copy(update={"generated": True, "published": (), "title": title})

    @property
    def protocol(self) -> str:
        """The protocol of the evaluation, as a phrase."""
        buffer = f"buffer {self.buffer:g} m" if self.buffer else "no buffer"
        if self.areas:
            return f"{len(self.areas)} areas, each tested by a training on all others, {buffer}"
        return f"fixed split, {buffer}"

    def fold_areas(self, name: str) -> dict[str, str]:
        """Return the area that each fold of a data set tests, by the fold's name; none for fixed splits."""
        return {f"{name}.{area}": area for area in self.areas}

    def area_of(self, tile: str) -> str:
        """Return the area that a tile belongs to; empty where the splits are fixed."""
        return next((name for name, tiles in self.areas.items() if tile in tiles), "")

    def split_by_tile(self) -> dict[str, Split]:
        """Return the split that each tile belongs to; of areas, which are all tested, ``test``."""
        by_split = {tile: split for split in SPLITS for tile in self.splits.get(split, ())}
        by_area: dict[str, Split] = {tile: "test" for tiles in self.areas.values() for tile in tiles}
        return by_split | by_area


def load_dataset(path: Path) -> DatasetSpec:
    """Read a data set's specification.

    It is a shipped one by its name, such as ``autzen``, or a path from the working directory, else from the workflow's
    folder (:mod:`mtlaerial.config.specification_file`).

    ``splits: {csv: FILE}`` reads the columns ``tile`` and ``split`` of a CSV beside the YAML file, and
    ``areas: {csv: FILE}`` the columns ``tile`` and ``area``.

    Raises
    ------
    ConfigError
        When the file, or the CSV it names, is missing or wrong.
    """
    file = find_specification(path)
    data = with_tables(read_kind(file, "specification"), file.parent)
    spec = DatasetSpec.parse(data, str(path))
    if not spec.areas and not spec.splits.get("train"):
        raise ConfigError(f"{path}, key splits.train", "no tiles", "at least one tile", "List the training tiles.")
    return spec
