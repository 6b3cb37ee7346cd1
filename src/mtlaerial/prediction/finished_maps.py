"""Finished maps: those of the same image, by the same run, with the same settings, are not predicted again.

A corrected name or colour of a class, or title of the training data, changes a run's description and no weights: maps
that state others are not finished.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import rasterio

from mtlaerial.errors import DataError
from mtlaerial.maps.annotation import stated_palette
from mtlaerial.maps.layer import Category, Palette
from mtlaerial.maps.qgis_style import is_style
from mtlaerial.maps.stac_item import FILE_SIZE, ITEM
from mtlaerial.prediction.map_layers import class_palette
from mtlaerial.prediction.map_provenance import SOURCE_ID, TRAINED_ON, training_data
from mtlaerial.rasters.geotiff import open_raster
from mtlaerial.runs.run import RunDescription

IDENTITY = ("IMAGE_ID", "RUN_ID", "SETTINGS_ID")
"""Tags of the maps that must agree, where they are known."""


def is_finished(folder: Path, origin: Mapping[str, str], description: RunDescription) -> bool:
    """Tell whether a folder has all maps of an image by a run, with the same settings, classes and title.

    Each map is opened, as one may have been replaced after the STAC Item was written.

    Parameters
    ----------
    folder : Path
    origin : mapping
        Tags that the maps would have; of an image that is still to be fetched without its hash.
    description : RunDescription
    """
    properties, maps = _item(folder)
    keys = (*IDENTITY, SOURCE_ID)
    recorded = {key: properties.get(f"mtlaerial:{key.lower()}") for key in keys}
    if not maps or not _agree(recorded, origin, keys):
        return False
    return all(_is_map_of(path, size, origin, description) for path, size in maps.items())


def has_all_maps(folder: Path) -> bool:
    """Tell whether a folder has the maps that its STAC Item names, in their sizes; of which image does not matter."""
    _, maps = _item(folder)
    return bool(maps) and all(_size(path) == size for path, size in maps.items())


def _item(folder: Path) -> tuple[Mapping[str, object], dict[Path, int]]:
    """Return the properties of a folder's STAC Item, and the sizes of its maps in bytes; nothing without a sound one.

    It is written last. After a power cut, a file under its name may still be shorter than what was written: the Item,
    a map, or a style, for which there is no size, as a user may edit or remove it.
    """
    try:
        item = json.loads((folder / ITEM).read_text(encoding="utf-8"))
        properties, assets = item["properties"], item["assets"]
        maps = {folder / asset["href"]: asset[FILE_SIZE] for asset in assets.values() if "data" in asset["roles"]}
        styles = [folder / asset["href"] for asset in assets.values() if "style" in asset["roles"]]
        sound = isinstance(properties, dict) and all(is_style(style) for style in styles if style.exists())
        return (properties, maps) if sound else ({}, {})
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}, {}


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


def _agree(tags: Mapping[str, object], origin: Mapping[str, str], keys: Sequence[str] = IDENTITY) -> bool:
    return all(tags.get(key) == origin[key] for key in keys if key in origin)


def _is_map_of(path: Path, size: int, origin: Mapping[str, str], description: RunDescription) -> bool:
    if _size(path) != size:
        return False
    try:
        with open_raster(path) as source:
            return _agree(source.tags(), origin) and _describes(source, description)
    except DataError:
        return False


def _describes(source: rasterio.DatasetReader, description: RunDescription) -> bool:
    """Tell whether a map states the classes and the training data of a run, as far as it states any."""
    classes, title = stated_palette(source), source.tags().get(TRAINED_ON)
    alike = title is None or title.strip() == training_data(description).strip()
    return alike and (not classes.categories or _trimmed(classes) == _trimmed(class_palette(description)))


def _trimmed(palette: Palette) -> list[Category]:
    """Return classes with names as GDAL's tags keep them, without space at their beginning."""
    return [category._replace(name=category.name.strip()) for category in palette.categories]
