"""Files of a folder that are shown: rasters by the maps that they belong to, and GeoPackages."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mtlaerial.errors import DataError

RASTERS = (".tif", ".tiff", ".vrt")
GEOPACKAGE = ".gpkg"
INDEX = "collection.json"
"""File beside the VRTs of a region, and beside the folders of several images."""
REMEDY = "Give a folder that `mtlaerial predict` or `snakemake map` wrote."


@dataclass(frozen=True)
class MapFiles:
    """Files of one map: of an image, of a region, or one that the user named.

    Attributes
    ----------
    name : str
        Empty of a file that the user named, which is no place of its own.
    root : Path
        Folder outside of which nothing is read.
    rasters, geopackages : tuple of Path
    """

    name: str
    root: Path
    rasters: tuple[Path, ...]
    geopackages: tuple[Path, ...]


def find_maps(folder: Path, further: Sequence[Path]) -> list[MapFiles]:
    """Return the maps of a folder, those of its folders, and further files that the user names.

    The sheets of a region are not among them where VRTs show all of them.

    Raises
    ------
    DataError
        When there is no such folder or file, or no map in it.
    """
    if not folder.is_dir():
        observed = "a file" if folder.exists() else "no such folder"
        raise DataError(folder, observed, "a folder of maps", REMEDY)
    try:
        maps = [MapFiles(path.name, folder, *_files(path)) for path in _places(folder)]
    except OSError as error:
        raise DataError(folder, str(error), "a readable folder", "Check its permissions.") from None
    maps = [each for each in maps if each.rasters or each.geopackages]
    if not any(each.rasters for each in maps):
        raise DataError(folder, "no map (.tif or .vrt) in it or in its folders", "at least one", REMEDY)
    return [*maps, *map(_named, further)]


def _places(folder: Path) -> Iterator[Path]:
    """Yield a folder and, but for a region, which its VRTs show, those in it."""
    yield folder
    is_region = (folder / INDEX).exists() and any(folder.glob("*.vrt"))
    if not is_region:
        yield from sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))


def _files(folder: Path) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    """Return rasters and GeoPackages in a folder, without hidden ones, which are not complete."""
    paths = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    rasters = tuple(path for path in paths if path.suffix.lower() in RASTERS)
    return rasters, tuple(path for path in paths if path.suffix.lower() == GEOPACKAGE)


def _named(path: Path) -> MapFiles:
    """Return a file that the user names, as the only one of a map without a name."""
    suffix = path.suffix.lower()
    if not path.is_file():
        raise DataError(path, "no such file", "an image or a GeoPackage", "Check the path.")
    if suffix == GEOPACKAGE:
        return MapFiles("", path.parent, (), (path,))
    return MapFiles("", path.parent, (path,), ())
