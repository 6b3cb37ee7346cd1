"""Tiles show the rasters' values: their colours, and heights as terrain."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from PIL import Image
from rasterio.enums import ColorInterp
from rasterio.warp import transform

from mtlaerial.rasters.geotiff import create_raster
from mtlaerial.viewer.catalog import Catalog, read_catalog
from mtlaerial.viewer.layer import Layer
from mtlaerial.viewer.mercator import LIMIT, Bounds, tile_bounds
from mtlaerial.viewer.tiles import draw_terrain, draw_tile
from mtlaerial.viewer.values import values_at
from support.map_viewer import COLOURS, HEIGHT, SIDE, write_place
from support.object_maps import CLASSES, grid

ZOOM = 18


@pytest.fixture(scope="module")
def catalog(maps: Path) -> Catalog:
    return read_catalog(maps)


def layer(catalog: Catalog, title: str) -> Layer:
    return next(each for each in catalog.layers.values() if each.title == title)


def mercator(row: float, column: float) -> tuple[float, float]:
    """Return a pixel's centre in Web Mercator."""
    x, y = grid(SIDE, SIDE).transform @ (column + 0.5, row + 0.5)
    xs, ys = transform("EPSG:32632", "EPSG:3857", [x], [y])
    return xs[0], ys[0]


def tile_at(x: float, y: float, zoom: int = ZOOM) -> Bounds:
    side = 2 * LIMIT / 2**zoom
    bounds = tile_bounds(zoom, int((x + LIMIT) // side), int((LIMIT - y) // side))
    assert bounds is not None
    return bounds


def sample(png: bytes | None, bounds: Bounds, x: float, y: float) -> tuple[int, ...]:
    """Return the pixel of a tile at a place."""
    assert png is not None
    pixels = np.asarray(Image.open(io.BytesIO(png)))
    size = (bounds[2] - bounds[0]) / len(pixels)
    return tuple(pixels[int((bounds[3] - y) / size), int((x - bounds[0]) / size)].tolist())


@pytest.mark.parametrize(("row", "column"), [(20, 30), (10, 30), (60, 3), (40, 60)])
def test_classes_have_their_colours(catalog: Catalog, row: int, column: int) -> None:
    x, y = mercator(row, column)
    bounds, classes = tile_at(x, y), layer(catalog, "Classes")
    name = "tree" if row >= 48 else "building" if (row, column) == (20, 30) else "ground"
    assert sample(draw_tile(classes, 1, bounds), bounds, x, y) == (*COLOURS[CLASSES.index(name)], 255)


def test_pixels_without_a_class_are_transparent(catalog: Catalog) -> None:
    x, y = mercator(1, 1)
    bounds = tile_at(x, y)
    assert sample(draw_tile(layer(catalog, "Classes"), 1, bounds), bounds, x, y)[3] == 0


def test_probabilities_are_those_of_the_band(catalog: Catalog) -> None:
    x, y = mercator(20, 30)
    bounds, probabilities = tile_at(x, y), layer(catalog, "Probabilities of classes")
    colours = [sample(draw_tile(probabilities, band, bounds), bounds, x, y) for band in (1, 2, 3)]
    assert colours[0] == colours[2] != colours[1]


def test_the_image_has_its_colours(catalog: Catalog) -> None:
    x, y = mercator(30, 30)
    bounds = tile_at(x, y)
    assert sample(draw_tile(layer(catalog, "Image"), 1, bounds), bounds, x, y) == (10, 200, 90, 255)


def image_of(path: Path, values: tuple[int, ...], dtype: str, **attributes: Any) -> Layer:
    """Return the layer of an image whose bands have one value each."""
    with create_raster(path / "ortho.tif", grid(SIDE, SIDE), count=len(values), dtype=dtype) as out:
        out.write(np.array(values, dtype)[:, None, None] * np.ones((1, SIDE, SIDE), dtype))
    with rasterio.open(path / "ortho.tif", "r+") as file:
        for name, content in attributes.items():
            setattr(file, name, content)
    return layer(read_catalog(path), "Image")


def test_a_colour_with_the_no_data_value_in_one_band_is_visible(tmp_path: Path) -> None:
    x, y = mercator(30, 30)
    bounds = tile_at(x, y)
    image = image_of(tmp_path, (200, 30, 0), "uint8", nodata=0)
    assert sample(draw_tile(image, 1, bounds), bounds, x, y) == (200, 30, 0, 255)
    ((longitude,), (latitude,)) = transform("EPSG:3857", "EPSG:4326", [x], [y])
    (shown,) = values_at([image], longitude, latitude)
    assert [band["value"] for band in shown["values"]] == [200, 30, 0]


def test_the_no_data_value_in_all_bands_is_transparent(tmp_path: Path) -> None:
    assert draw_tile(image_of(tmp_path, (0, 0, 0), "uint8", nodata=0), 1, tile_at(*mercator(30, 30))) is None


@pytest.mark.parametrize("scale", [0.0001, 1.0])
def test_scale_tags_do_not_change_how_an_image_looks(tmp_path: Path, scale: float) -> None:
    x, y = mercator(30, 30)
    bounds = tile_at(x, y)
    image = image_of(tmp_path, (2000, 4000, 6000), "uint16", scales=(scale,) * 3)
    assert sample(draw_tile(image, 1, bounds), bounds, x, y) == (0, 128, 255, 255)


@pytest.mark.parametrize(
    "attributes",
    [
        {"descriptions": ("Blue", "Green", "Red", "nir")},
        {"colorinterp": (ColorInterp.blue, ColorInterp.green, ColorInterp.red, ColorInterp.undefined)},
    ],
)
def test_named_bands_are_drawn_as_what_they_are(tmp_path: Path, attributes: dict[str, Any]) -> None:
    x, y = mercator(30, 30)
    bounds = tile_at(x, y)
    image = image_of(tmp_path, (10, 20, 30, 40), "uint8", **attributes)
    assert sample(draw_tile(image, 1, bounds), bounds, x, y) == (30, 20, 10, 255)


def test_terrain_has_the_heights_in_metres(catalog: Catalog) -> None:
    x, y = mercator(24, 36)
    bounds = tile_at(x, y)
    red, green, blue = sample(draw_terrain(layer(catalog, "Height above ground"), bounds), bounds, x, y)
    assert 256 * red + green + blue / 256 - 32768 == pytest.approx(HEIGHT / 100, abs=0.01)
    outside = tile_at(*mercator(-4000, 0))
    png = draw_terrain(layer(catalog, "Height above ground"), outside)
    assert set(np.asarray(Image.open(io.BytesIO(png))).reshape(-1, 3).tolist()[0]) == {128, 0}


def test_a_tile_beside_the_maps_is_empty(catalog: Catalog) -> None:
    assert draw_tile(layer(catalog, "Classes"), 1, tile_at(*mercator(-4000, 0))) is None


def test_neighbouring_maps_are_one_layer(tmp_path: Path) -> None:
    for name, column in (("west", 0), ("east", SIDE)):
        write_place(tmp_path / name, grid(SIDE, SIDE, column=column))
    catalog = read_catalog(tmp_path)
    classes = layer(catalog, "Classes")
    assert [len(each.sources) for each in catalog.layers.values()] == [2] * 4
    assert list(catalog.places) == ["east", "west"]
    for column in (10, SIDE + 10):
        x, y = mercator(60, column)
        bounds = tile_at(x, y)
        assert sample(draw_tile(classes, 1, bounds), bounds, x, y) == (*COLOURS[CLASSES.index("tree")], 255)


def test_a_large_raster_is_read_by_its_overview(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_place(tmp_path)
    with rasterio.open(tmp_path / "height.tif", "r+") as file:
        file.build_overviews([2, 4, 8])
    heights, shapes = layer(read_catalog(tmp_path), "Height above ground"), []
    real = rasterio.DatasetReader.read

    def read(*arguments: Any, **options: Any) -> Any:
        shapes.append(options["out_shape"])
        return real(*arguments, **options)

    monkeypatch.setattr(rasterio.DatasetReader, "read", read)
    draw_tile(heights, 1, tile_at(*mercator(30, 30), zoom=13))
    (shape,) = shapes
    assert shape[1] < SIDE / 8
