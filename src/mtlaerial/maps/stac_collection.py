"""STAC Collection of the maps of several images, one Item each.

STAC 1.1: https://github.com/radiantearth/stac-spec/blob/v1.1.0/collection-spec/collection-spec.md
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mtlaerial.system.files import write_text

COLLECTION = "collection.json"
"""Name of the Collection's file in the folder of the images' folders."""


def write_collection(folder: Path, items: Sequence[Path], run: str) -> None:
    """Write the Collection of Items below a folder.

    Parameters
    ----------
    folder : Path
    items : sequence of Path
        Files of the Items, below the folder.
    run : str
        Name of the run that predicted the maps.
    """
    bounds = [json.loads(item.read_text(encoding="utf-8")).get("bbox") for item in items]
    links = [{"rel": "root", "href": f"./{COLLECTION}", "type": "application/json"}]
    for item in items:
        href = f"./{item.relative_to(folder).as_posix()}"
        links.append({"rel": "item", "href": href, "type": "application/geo+json"})
    collection: dict[str, Any] = {
        "type": "Collection",
        "stac_version": "1.1.0",
        "id": f"maps-by-{run.replace('/', '-')}",
        "title": f"Maps by {run}",
        "description": f"Maps of {len(items)} images, predicted by {run}.",
        "license": "other",
        "extent": {
            "spatial": {"bbox": _overall([each for each in bounds if each])},
            # The times at which the images were taken are unknown.
            "temporal": {"interval": [["1900-01-01T00:00:00Z", "9999-12-31T23:59:59Z"]]},
        },
        "links": links,
    }
    write_text(folder / COLLECTION, json.dumps(collection, indent=1, allow_nan=False) + "\n")


def _overall(bounds: Sequence[Sequence[float]]) -> list[list[float]]:
    """Return the bounds around all, then each one's; those of the Earth where none has any."""
    if not bounds:
        return [[-180.0, -90.0, 180.0, 90.0]]
    west, south, east, north = zip(*bounds, strict=True)
    return [[min(west), min(south), max(east), max(north)], *map(list, bounds)]
