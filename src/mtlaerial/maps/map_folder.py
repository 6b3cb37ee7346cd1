"""Folder of maps: those of one image, or the index of a region's sheets."""

from dataclasses import dataclass
from pathlib import Path

from mtlaerial.config import task_entry
from mtlaerial.errors import DataError
from mtlaerial.maps.annotation import stated_palette
from mtlaerial.rasters.geotiff import open_raster
from mtlaerial.rasters.grid import Grid

CLASSES = task_entry("semantics").maps[0].name
HEIGHTS = task_entry("height").maps[0].name
PROBABILITIES = "semantics_probabilities"
"""Names of the files of maps, without suffix."""
_REMEDY = "Give a folder that `mtlaerial predict` or `snakemake map` wrote."
_PROVENANCE = ("RUN", "RUN_ID", "IMAGE", "IMAGE_ID", "TRAINED_ON", "MTLAERIAL")


@dataclass(frozen=True)
class MapFolder:
    """A folder of maps of one image, or of the sheets of a region.

    Attributes
    ----------
    path : Path
    grid : Grid
        Of the map of classes.
    classes : tuple of str
        Names of the classes by code.
    origin : dict of str to str
        Tags that say which run mapped which image.
    """

    path: Path
    grid: Grid
    classes: tuple[str, ...]
    origin: dict[str, str]

    @property
    def class_map(self) -> Path:
        """The map of classes."""
        return layer_file(self.path, CLASSES)

    def layer(self, name: str) -> Path | None:
        """Return the file of another map; None if there is none."""
        path = layer_file(self.path, name)
        return path if path.exists() else None


def layer_file(folder: Path, name: str) -> Path:
    """Return the file of a map, whether it exists or not: a GeoTIFF, or the VRT that shows all sheets of a region."""
    file, index = folder / f"{name}.tif", folder / f"{name}.vrt"
    return index if index.exists() and not file.exists() else file


def read_folder(path: Path) -> MapFolder:
    """Return a folder of maps.

    Raises
    ------
    DataError
        When it lacks a map of classes, or the map names no classes.
    """
    file = layer_file(path, CLASSES)
    if not file.exists():
        observed = "no such map" if path.is_dir() else "no such folder"
        raise DataError(file, observed, "a map of classes", _remedy(path))
    with open_raster(file) as source:
        tags, grid = source.tags(), Grid.of(source)
        names = [category.name for category in stated_palette(source).categories]
    if not names:
        raise DataError(file, "no names of classes", "the tags CLASS_0, CLASS_1, …", _REMEDY)
    origin = {key: tags[key] for key in _PROVENANCE if key in tags}
    return MapFolder(path, grid, tuple(names), origin)


def _remedy(path: Path) -> str:
    """Return advice where a folder has no map of classes; predict writes a folder for each of several images."""
    images = sorted(file.parent for file in path.glob(f"*/{CLASSES}.tif"))
    if not images:
        return _REMEDY
    return f"Maps of images ({len(images)}) are in folders of their own in it: give those, such as {images[0]}."
