"""What a generated data set consists of: which files, and which tiles of the town each of them shows."""

import math
from dataclasses import dataclass
from functools import reduce
from pathlib import Path

from mtlaerial.config import Layer
from mtlaerial.config.layers import Code, Colour
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.errors import ConfigError
from mtlaerial.synthetic.encode import Source, sources
from mtlaerial.synthetic.tile_layout import Place, Town

STRIP = 2**21
"""Pixels that are rendered at a time: memory follows it, not the tile."""
TIFF, JPEG = (".tif", ".tiff"), (".jpg", ".jpeg")


@dataclass(frozen=True)
class File:
    """A file of the data set: what it holds, its path, and the tiles that it shows."""

    source: Source
    path: Path
    tiles: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """What to write, and where.

    Attributes
    ----------
    dataset : Dataset
    seed : int
        Of the town.
    town : Town
        Where each tile lies.
    ratios : dict
        Image pixels per pixel of each layer.
    parts : Path
        Folder for the parts of mosaics: each tile is a file of its own until all are there.
    """

    dataset: Dataset
    seed: int
    town: Town
    ratios: dict[Layer, int]
    parts: Path

    def files(self) -> list[File]:
        """Return all files, those of one tile in the order of its sources."""
        spec = self.dataset.spec
        eight_bit = any(is_jpeg(paths[0]) for paths in self.dataset.candidates("height", spec.tiles[0]))
        tiles: dict[Path, list[str]] = {}
        made: dict[Path, Source] = {}
        for source in sources(spec, self.seed, self.ratios, eight_bit):
            for tile in spec.tiles:
                for path in (paths[0] for paths in self.dataset.candidates(source.layer, tile)[source.index :][:1]):
                    made[path] = source
                    tiles.setdefault(path, []).append(tile)
        return [File(source, path, tuple(tiles[path])) for path, source in made.items()]

    def files_of(self, tile: str) -> list[tuple[File, Path]]:
        """Return the files that show a tile, with where it is written to: the file, or the tile's part of a mosaic."""
        number = self.dataset.spec.tiles.index(tile)
        return [
            (file, self.part(file, number) if file.source.mosaic else file.path)
            for file in self.files()
            if tile in file.tiles
        ]

    def part(self, file: File, number: int) -> Path:
        """Return where a tile's part of a mosaic is kept."""
        return self.parts / f"{file.source.layer}{file.source.index}_{number}.tif"

    def extent(self, file: File) -> Place:
        """Return the part of the town in a file; the cells of a grid count from the town's corner."""
        corner = [Place(0, 0, 0, 0)] if self.dataset.spec.grid else []
        return reduce(Place.joined, [*corner, *(self.town.places[tile] for tile in file.tiles)])

    @property
    def border(self) -> Code | Colour:
        """Return the value of labels at borders, where those are left out: by custom 0, or black."""
        labels = self.dataset.spec.labels
        return next(iter((*labels.eroded.ignore, *labels.ignore)), 0) if labels and labels.eroded else 0

    def strip(self, place: Place) -> int:
        """Return how many rows of a place to render at a time."""
        multiple = math.lcm(*self.ratios.values())
        return max(1, STRIP // (place.columns * multiple)) * multiple

    def check_formats(self) -> None:
        """Refuse files of a kind that cannot be written.

        Raises
        ------
        ConfigError
            For the first of them.
        """
        for path in self.dataset.footprint_paths[:1]:
            if path.suffix.lower() == ".shp":
                expected = "a format of one file, as .geojson or .gpkg"
                raise ConfigError("footprints.files", path.name, expected, "Name such a file first.")
        for file in self.files():
            layer, suffix = file.source.layer, file.path.suffix.lower()
            if suffix not in TIFF and not (suffix in JPEG and layer == "height" and not file.source.mosaic):
                expected = "GeoTIFF, or for heights in a file per tile JPEG"
                raise ConfigError(f"{layer}.files", file.path.name, expected, "Name such a file first.")


def is_jpeg(path: Path) -> bool:
    """Tell by its name whether a file is a JPEG."""
    return path.suffix.lower() in JPEG
