"""Finished maps: those of the same image, by the same run, with the same settings, are not predicted again."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from mtlaerial.errors import DataError
from mtlaerial.maps.stac_item import ITEM
from mtlaerial.prediction.map_provenance import SOURCE_ID
from mtlaerial.rasters.geotiff import open_raster

IDENTITY = ("IMAGE_ID", "RUN_ID", "SETTINGS_ID")
"""Tags of the maps that must agree, where they are known."""


def is_finished(folder: Path, origin: Mapping[str, str]) -> bool:
    """Tell whether a folder has all maps of an image by a run, with the same settings.

    The STAC Item is written last and names the maps. Each map is opened too, as one may have been replaced after it.

    Parameters
    ----------
    folder : Path
    origin : mapping
        Tags that the maps would have; of an image that is still to be fetched without its hash.
    """
    try:
        item = json.loads((folder / ITEM).read_text(encoding="utf-8"))
        properties, assets = item["properties"], item["assets"]
        maps = [folder / asset["href"] for asset in assets.values() if "data" in asset["roles"]]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False
    keys = (*IDENTITY, SOURCE_ID)
    recorded = {key: properties.get(f"mtlaerial:{key.lower()}") for key in keys}
    return bool(maps) and _agree(recorded, origin, keys) and all(_is_map_of(path, origin) for path in maps)


def _agree(tags: Mapping[str, object], origin: Mapping[str, str], keys: Sequence[str] = IDENTITY) -> bool:
    return all(tags.get(key) == origin[key] for key in keys if key in origin)


def _is_map_of(path: Path, origin: Mapping[str, str]) -> bool:
    try:
        with open_raster(path) as source:
            return _agree(source.tags(), origin)
    except DataError:
        return False
