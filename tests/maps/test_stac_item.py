"""STAC Items of predictions: the fields that STAC 1.1 and its extensions require, place, bands and classes."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from rasterio.crs import CRS

from mtlaerial.maps.stac_item import ITEM, write_item
from support.layers import CODES, HEIGHTS, LERC, UTM, codes, grid, heights, write_layer

NUMBERS = {"type": "array", "items": {"type": "number"}}
RING = {"type": "array", "minItems": 4, "items": {**NUMBERS, "minItems": 2, "maxItems": 2}}
POLYGON = {
    "required": ["type", "coordinates"],
    "properties": {"type": {"const": "Polygon"}, "coordinates": {"type": "array", "items": RING}},
}
BAND = {
    "required": ["name", "data_type", "nodata"],
    "properties": {
        "data_type": {"enum": ["uint8", "int16", "float32"]},
        "nodata": {"oneOf": [{"type": "number"}, {"enum": ["nan", "inf", "-inf"]}]},
        "unit": {"type": "string", "minLength": 1},
        "raster:scale": {"type": "number"},
        "statistics": {"type": "object", "additionalProperties": {"type": "number"}},
    },
}
CLASS = {
    "required": ["value", "name"],
    "properties": {
        "value": {"type": "integer"},
        "name": {"type": "string", "pattern": "^[0-9A-Za-z_-]+$"},
        "color_hint": {"type": "string", "pattern": "^[0-9A-F]{6}$"},
    },
}
SCHEMA: dict[str, Any] = {
    "required": ["stac_version", "id", "type", "geometry", "links", "assets", "properties"],
    "properties": {
        "type": {"const": "Feature"},
        "stac_version": {"const": "1.1.0"},
        "stac_extensions": {"type": "array", "uniqueItems": True, "items": {"type": "string"}},
        "id": {"type": "string", "minLength": 1},
        "geometry": {"oneOf": [{"type": "null"}, {"type": "object", **POLYGON}]},
        "bbox": {**NUMBERS, "minItems": 4, "maxItems": 4},
        "links": {"type": "array"},
        "properties": {
            "required": ["datetime", "proj:code", "proj:shape", "proj:transform"],
            "properties": {
                "datetime": {"type": "null"},
                "start_datetime": {"type": "string", "pattern": "Z$"},
                "end_datetime": {"type": "string", "pattern": "Z$"},
                "proj:code": {"type": ["string", "null"]},
                "proj:wkt2": {"type": ["string", "null"]},
                "proj:shape": {"type": "array", "minItems": 2, "maxItems": 2, "items": {"type": "integer"}},
                "proj:transform": {**NUMBERS, "minItems": 6, "maxItems": 9},
                "proj:bbox": {**NUMBERS, "minItems": 4, "maxItems": 4},
                "processing:software": {"type": "object", "additionalProperties": {"type": "string"}},
            },
        },
        "assets": {
            "additionalProperties": {
                "required": ["href", "type", "roles"],
                "properties": {
                    "bands": {"type": "array", "minItems": 1, "items": BAND},
                    "classification:classes": {"type": "array", "minItems": 1, "items": CLASS},
                },
            }
        },
    },
    # STAC: an Item with a geometry has a bbox, one without has none; without a datetime it has both ends.
    "if": {"properties": {"geometry": {"type": "null"}}},
    "then": {"not": {"required": ["bbox"]}},
    "else": {"required": ["bbox"]},
}
"""Fields that are used of the schemas of Item 1.1, Projection 2.0, Raster 2.0, Classification 2.0, Processing 1.2."""


def item_of(folder: Path, crs: CRS | None) -> dict[str, Any]:
    shape = (60, 40)
    layers = [write_layer(folder, HEIGHTS, heights(*shape), crs), write_layer(folder, CODES, codes(*shape), crs)]
    write_item(folder, "city/equal ortho.tif", grid(*shape, crs), layers, {"processing:software": {"mtlaerial": "1"}})
    item: dict[str, Any] = json.loads((folder / ITEM).read_text())
    jsonschema.validate(item, SCHEMA)
    return item


def test_an_item_says_where_the_maps_are(tmp_path: Path) -> None:
    item = item_of(tmp_path, UTM)
    assert item["id"] == "city-equal-ortho-tif"
    properties = item["properties"]
    assert properties["proj:code"] == "EPSG:32615"
    assert properties["proj:shape"] == [60, 40]
    assert properties["proj:transform"] == [0.5, 0, 271_000, 0, -0.5, 3_290_000]
    west, _, east, north = item["bbox"]
    # Houston, as gdalinfo gives the corners: 95d22' 2.49"W, 29d43' 8.56"N.
    assert (west, north) == pytest.approx((-(95 + 22 / 60 + 2.49 / 3600), 29 + 43 / 60 + 8.56 / 3600), abs=1e-5)
    assert 0 < east - west < 3e-4
    ring = np.array(item["geometry"]["coordinates"][0])
    assert (ring[0] == ring[-1]).all()
    area = np.sum(ring[:-1, 0] * ring[1:, 1] - ring[1:, 0] * ring[:-1, 1]) / 2
    assert area > 0, "outlines run counterclockwise, as RFC 7946 has it"


def test_an_item_says_what_the_layers_store(tmp_path: Path) -> None:
    assets = item_of(tmp_path, UTM)["assets"]
    (band,) = assets["height"]["bands"]
    assert (band["data_type"], band["nodata"], band["unit"], band["raster:scale"]) == ("int16", -32768, "metre", 0.01)
    assert band["statistics"]["minimum"] == 0
    counts = [(values == code).sum() for values in [codes(60, 40)] for code in (0, 1)]
    classes = assets["semantics"]["classification:classes"]
    assert [entry["count"] for entry in classes] == counts
    assert classes[1]["title"] == "low vegetation"
    assert sum(entry["percentage"] for entry in classes) == pytest.approx(100)
    for asset in assets.values():
        assert asset["href"].startswith("./")
    assert assets["height_style"]["href"] == "./height.qml"


def test_an_item_lists_the_extensions_that_it_uses(tmp_path: Path) -> None:
    prefix = "https://stac-extensions.github.io/"
    names = [uri.removeprefix(prefix).split("/")[0] for uri in item_of(tmp_path, UTM)["stac_extensions"]]
    assert names == ["projection", "raster", "classification", "processing", "file"]
    write_item(tmp_path, "heights", grid(60, 40), [write_layer(tmp_path, LERC, heights(60, 40))], {})
    versions = ["projection/v2.0.0", "file/v2.1.0"]
    expected = [f"{prefix}{version}/schema.json" for version in versions]
    assert json.loads((tmp_path / ITEM).read_text())["stac_extensions"] == expected


def test_an_item_without_a_crs_has_no_place(tmp_path: Path) -> None:
    item = item_of(tmp_path, None)
    assert item["geometry"] is None
    assert item["properties"]["proj:code"] is None
    assert item["properties"]["proj:shape"] == [60, 40]
