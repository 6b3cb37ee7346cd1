"""Values at a place are those that rasterio reads from the files."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.crs import CRS
from rasterio.enums import ColorInterp
from rasterio.warp import transform

from mtlaerial.rasters.geotiff import create_raster
from mtlaerial.rasters.grid import Grid
from mtlaerial.viewer.catalog import Catalog, read_catalog
from mtlaerial.viewer.values import values_at
from support.map_viewer import SIDE, write_place
from support.object_maps import CLASSES, UTM, grid

ROTATED = Affine.translation(600_000, 5_000_000) @ Affine.rotation(30) @ Affine.scale(0.5, -0.5)
GRIDS = {
    "UTM": grid(SIDE, SIDE),
    "rotated": Grid(UTM, ROTATED, SIDE, SIDE),
    "degrees": Grid(CRS.from_epsg(4326), Affine(1e-5, 0, 9.0, 0, -1e-5, 48.0), SIDE, SIDE),
}


def at(catalog: Catalog, longitude: float, latitude: float) -> dict[str, list[dict[str, Any]]]:
    return {entry["title"]: entry["values"] for entry in values_at(catalog.layers.values(), longitude, latitude)}


def place_of(place: Grid, row: int, column: int) -> tuple[float, float]:
    x, y = place.transform @ (column + 0.5, row + 0.5)
    longitudes, latitudes = transform(place.crs, "EPSG:4326", [x], [y])
    return longitudes[0], latitudes[0]


@pytest.mark.quick_cases(1, "writes all maps")
@pytest.mark.parametrize("name", GRIDS)
def test_values_at_ten_places_are_those_of_the_rasters(tmp_path: Path, name: str) -> None:
    place, random = GRIDS[name], np.random.default_rng(3)
    write_place(tmp_path, place)
    with rasterio.open(tmp_path / "semantics.tif") as source:
        codes = source.read(1)
    with rasterio.open(tmp_path / "height.tif") as source:
        stored = source.read(1)
    catalog = read_catalog(tmp_path)
    for row, column in random.integers(4, SIDE, (10, 2)).tolist():
        values = at(catalog, *place_of(place, row, column))
        code = int(codes[row, column])
        assert values["Classes"] == [{"name": "class", "value": code, "class": CLASSES[code]}]
        assert values["Height above ground"][0]["value"] == stored[row, column] / 100
        probabilities = [(name, 0.8 if each == code else 0.0) for each, name in enumerate(CLASSES)]
        assert [(each["name"], each["value"]) for each in values["Probabilities of classes"]] == probabilities
        assert [each["value"] for each in values["Image"]] == [10, 200, 90]


def test_a_click_shows_all_bands_of_an_image_by_their_names(tmp_path: Path) -> None:
    place, here = grid(SIDE, SIDE), place_of(grid(SIDE, SIDE), 30, 30)
    with create_raster(tmp_path / "ortho.tif", place, count=5, dtype="uint8") as out:
        out.colorinterp = (*[ColorInterp.undefined] * 4, ColorInterp.alpha)
        out.write(np.array([10, 20, 30, 40, 255], np.uint8)[:, None, None] * np.ones((1, SIDE, SIDE), np.uint8))
    unnamed = [("band 1", 10), ("band 2", 20), ("band 3", 30), ("band 4", 40)]
    assert [(each["name"], each["value"]) for each in at(read_catalog(tmp_path), *here)["Image"]] == unnamed
    with rasterio.open(tmp_path / "ortho.tif", "r+") as file:
        file.descriptions = ("blue", "green", "red", "nir", None)
    named = [("blue", 10), ("green", 20), ("red", 30), ("nir", 40)]
    assert [(each["name"], each["value"]) for each in at(read_catalog(tmp_path), *here)["Image"]] == named


def test_a_layer_without_a_value_is_left_out(maps: Path) -> None:
    values = at(read_catalog(maps), *place_of(grid(SIDE, SIDE), 1, 1))
    assert "Classes" not in values
    assert values["Height above ground"][0]["value"] == 0.65


def test_a_place_beside_the_maps_has_no_values(maps: Path) -> None:
    catalog = read_catalog(maps)
    assert at(catalog, *place_of(grid(SIDE, SIDE), -1, 5)) == {}
    assert at(catalog, -30.0, -60.0) == {}
