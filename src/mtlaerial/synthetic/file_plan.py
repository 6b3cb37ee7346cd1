"""The file plan of a generated data set: files, and the tiles of the town in each of them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path

from mtlaerial.config import Layer, NoiseSpec
from mtlaerial.config.generation import GRID, StyleName
from mtlaerial.config.layers import Code, Colour
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.errors import ConfigError
from mtlaerial.synthetic.encode import Source, sources
from mtlaerial.synthetic.tile_layout import Place, Town

STRIP = 2**21
"""Image pixels that are rendered at a time, which bounds the memory for tiles of any size."""
TIFF, JPEG = (".tif", ".tiff"), (".jpg", ".jpeg")


@dataclass(frozen=True)
class File:
    """A file of the data set: its layer, its path, and the tiles in it."""

    source: Source
    path: Path
    tiles: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """A data set to write.

    Attributes
    ----------
    dataset : Dataset
    seed : int
        Seed of the town.
    town : Town
        The places of the tiles.
    ratios : dict
        Image pixels per pixel of each layer.
    parts : Path
        Temporary folder for the tiles of mosaics, which are joined when all are written.
    style : str
        Style of the town.
    noise : NoiseSpec
        Noise of images, and of the truth of training and validation tiles.
    """

    dataset: Dataset
    seed: int
    town: Town
    ratios: dict[Layer, int]
    parts: Path
    style: StyleName = GRID
    noise: NoiseSpec = field(default_factory=NoiseSpec)

    def files(self) -> list[File]:
        """Return all files; those of a tile are in the order of its sources."""
        spec = self.dataset.spec
        heights = self.dataset.candidates("height", spec.tiles[0])
        eight_bit = any(is_jpeg(_writable(paths, "height")) for paths in heights)
        tiles: dict[Path, list[str]] = {}
        sources_by_path: dict[Path, Source] = {}
        for source in sources(spec, self.seed, self.ratios, eight_bit):
            for tile in spec.tiles:
                candidates = self.dataset.candidates(source.layer, tile)
                if source.index < len(candidates):  # the eroded layer has no files for training tiles
                    path = _writable(candidates[source.index], source.layer)
                    sources_by_path[path] = source
                    tiles.setdefault(path, []).append(tile)
        return [File(source, path, tuple(tiles[path])) for path, source in sources_by_path.items()]

    def files_of(self, tile: str) -> list[tuple[File, Path]]:
        """Return the files that contain a tile, each with the path to write the tile to."""
        number = self.dataset.spec.tiles.index(tile)
        files = [file for file in self.files() if tile in file.tiles]
        return [(file, self.part(file, number)) for file in files]

    def part(self, file: File, number: int) -> Path:
        """Return the path that a tile is written to, by its number: the file's, or a temporary one for a mosaic."""
        if not file.source.mosaic:
            return file.path
        return self.parts / f"{file.source.layer}{file.source.index}_{number}.tif"

    def noise_of(self, tile: str) -> NoiseSpec:
        """Return the noise of a tile: the truth of test tiles is exact."""
        tested = self.dataset.split_of(tile) == "test"
        return NoiseSpec(image=self.noise.image) if tested else self.noise

    def extent(self, file: File) -> Place:
        """Return the part of the town in a file."""
        places = [self.town.places[tile] for tile in file.tiles]
        if self.dataset.spec.grid:
            places.insert(0, Place(0, 0, 0, 0))  # the cells of a grid count from the town's corner
        return reduce(Place.joined, places)

    @property
    def border(self) -> Code | Colour:
        """The value of border pixels in eroded labels: the first ignored one, by default 0 (black)."""
        labels = self.dataset.spec.labels
        if labels is None or labels.eroded is None:
            return 0
        return next(iter((*labels.eroded.ignore, *labels.ignore)), 0)

    def strip(self, place: Place) -> int:
        """Return the number of rows of a place to render at a time, a whole number of pixels of all layers."""
        multiple = math.lcm(*self.ratios.values())
        return max(1, STRIP // (place.columns * multiple)) * multiple

    def check_formats(self) -> None:
        """Check that all files have a format that can be written.

        Raises
        ------
        ConfigError
            For the first file with another format.
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


def _writable(paths: Sequence[Path], layer: Layer) -> Path:
    """Return the preferred one of a file's accepted paths that has a format that can be written; else the first."""
    formats = (*TIFF, *JPEG) if layer == "height" else TIFF
    return next((path for path in paths if path.suffix in formats), paths[0])


def is_jpeg(path: Path) -> bool:
    """Tell by its suffix whether a file is a JPEG."""
    return path.suffix.lower() in JPEG
