"""STAC Collection of a region's sheets (STAC 1.1)."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mtlaerial.system.files import write_text

COLLECTION = "collection.json"
WHOLE_WORLD = [-180.0, -90.0, 180.0, 90.0]


def write_collection(folder: Path, items: Sequence[Path]) -> None:
    """Write the Collection of some Items.

    Parameters
    ----------
    folder : Path
    items : sequence of Path
        Their files, relative to the folder.
    """
    boxes: list[list[float]] = []
    description = ""
    for path in items:
        item = json.loads((folder / path).read_text(encoding="utf-8"))
        boxes += [item["bbox"]] if "bbox" in item else []
        description = item["properties"]["description"]
    links = [{"rel": "item", "href": f"./{path.as_posix()}", "type": "application/geo+json"} for path in items]
    collection: dict[str, Any] = {
        "type": "Collection",
        "stac_version": "1.1.0",
        "id": "region",
        "description": f"Maps of a region by sheets. {description}",
        "license": "other",
        "extent": {"spatial": {"bbox": [_bounds(boxes)]}, "temporal": {"interval": [[None, None]]}},
        "links": [{"rel": "root", "href": f"./{COLLECTION}", "type": "application/json"}, *links],
    }
    write_text(folder / COLLECTION, json.dumps(collection, indent=1) + "\n")


def _bounds(boxes: Sequence[Sequence[float]]) -> list[float]:
    """Return west, south, east and north of all boxes; those of the world without one."""
    if not boxes:
        return WHOLE_WORLD
    west, south, east, north = zip(*boxes, strict=True)
    return [min(west), min(south), max(east), max(north)]
