"""Prepared tiles: the decoded raw layers, each on its own grid, with no-data outside images and files."""

import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mtlaerial.config import IGNORED
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.datasets.decode import RawHeights, decode_height, decode_labels
from mtlaerial.errors import DataError
from mtlaerial.rasters.geotiff import map_raster, open_raster
from mtlaerial.rasters.grid import Grid
from mtlaerial.tiles.prepare import ABSENT, prepare_tile
from support import tiny

TILE = "city_1"
ROWS, COLUMNS = 24, 40


def read(path: Path) -> np.ndarray:
    with open_raster(path) as source:
        return source.read()


def grid_of(path: Path) -> Grid:
    with open_raster(path) as source:
        return Grid.of(source)


class Town:
    """A tile written by hand, and prepared."""

    def __init__(self, root: Path, **changes: Any) -> None:
        self.dataset = Dataset("town", tiny.city_spec(**changes), root / "raw")
        self.folder = root / "tile"
        self.random = np.random.default_rng(0)
        self.image = self.random.integers(1, 255, (3, ROWS, COLUMNS), np.uint8)
        self.heights = self.random.random((ROWS, COLUMNS), np.float32) * 20
        self.labels = self.random.integers(1, 7, (ROWS, COLUMNS), np.uint8)

    def write(self, layer: str, array: np.ndarray, **place: Any) -> None:
        folder = {"image": "images"}.get(layer, layer)
        tiny.write_raster(self.dataset.root / folder / f"{TILE}.tif", array, **place)

    def prepared(self, **layers: np.ndarray) -> dict[str, np.ndarray]:
        arrays = {"image": self.image, "height": self.heights, "labels": self.labels, **layers}
        for layer, array in arrays.items():
            if not (self.dataset.root / {"image": "images"}.get(layer, layer) / f"{TILE}.tif").exists():
                self.write(layer, array)
        prepare_tile(self.dataset, TILE, self.folder)
        return {layer: read(self.folder / f"{layer}.tif") for layer in arrays}


def test_prepared_layers_are_the_decoded_raw_ones(city: Dataset, tiles: dict[str, list[Path]]) -> None:
    assert city.spec.height
    assert city.spec.labels
    for folder in tiles["train"]:
        raw = {layer: read(city.files(layer, folder.name)[0]) for layer in ("image", "height", "labels")}
        np.testing.assert_array_equal(read(folder / "image.tif"), raw["image"])
        height = decode_height(city.spec.height, RawHeights(raw["height"][0]))
        np.testing.assert_array_equal(read(folder / "height.tif")[0], height)
        labels = decode_labels(city.spec.labels, raw["labels"][0])
        np.testing.assert_array_equal(read(folder / "labels.tif")[0], labels)
        assert grid_of(folder / "height.tif").pixel_size == (1.0, 1.0)
        assert grid_of(folder / "image.tif") == grid_of(city.files("image", folder.name)[0])


def test_layers_can_be_mapped_and_describe_themselves(tiles: dict[str, list[Path]]) -> None:
    folder = tiles["train"][0]
    assert map_raster(folder / "image.tif").shape == (tiny.SIZE, tiny.SIZE, 3)
    assert map_raster(folder / "height.tif").shape == (tiny.SIZE // 2, tiny.SIZE // 2)
    with open_raster(folder / "image.tif") as image, open_raster(folder / "height.tif") as height:
        assert image.descriptions == ("red", "green", "blue")
        assert height.units == ("metre",)
        assert np.isnan(height.nodata)
    with open_raster(folder / "labels.tif") as labels:
        assert labels.colormap(1)[1][:3] == (0xD7, 0x19, 0x1C)
        assert labels.nodata == IGNORED


def test_bands_are_picked_in_the_stated_order(tmp_path: Path) -> None:
    town = Town(tmp_path, image={"files": "images/{tile}.tif", "bands": [3, 1], "band_names": ["blue", "red"]})
    np.testing.assert_array_equal(town.prepared()["image"], town.image[[2, 0]])


def test_truth_is_unknown_where_the_image_has_no_data(tmp_path: Path) -> None:
    town = Town(tmp_path, image={"files": "images/{tile}.tif", "nodata": 0})
    town.image[:, 4:10, 6:20] = 0
    town.image[0, 15, 15] = 0  # one band alone is dark, not absent
    coarse = np.ones((ROWS // 2, COLUMNS // 2), np.float32)
    town.write("height", coarse, pixel=1.0)
    layers = town.prepared()
    expected = np.zeros((ROWS, COLUMNS), bool)
    expected[4:10, 6:20] = True
    np.testing.assert_array_equal(layers["labels"][0] == IGNORED, expected)
    np.testing.assert_array_equal(np.isnan(layers["height"][0]), expected[::2, ::2])


def test_not_a_number_may_mean_no_data(tmp_path: Path) -> None:
    town = Town(tmp_path, image={"files": "images/{tile}.tif", "range": [0, 1]})
    image = town.image.astype(np.float32) / 255
    image[:, :5] = np.nan
    town.write("image", image, nodata=np.nan)
    layers = town.prepared()
    assert (layers["labels"][0, :5] == IGNORED).all()
    assert (layers["labels"][0, 5:] != IGNORED).all()


@pytest.mark.parametrize("shift", [-0.3, 0.2, 0.25, 0.4])
@pytest.mark.parametrize("pixel", [0.5, 0.85, 0.25])
def test_a_cell_belongs_to_a_tile_where_its_centre_is(tmp_path: Path, shift: float, pixel: float) -> None:
    rows, columns = round(ROWS * 0.5 / pixel) + 8, round(COLUMNS * 0.5 / pixel) + 8
    town = Town(tmp_path, height={"files": "height.tif"})
    array = np.ones((rows, columns), np.float32)
    tiny.write_raster(
        town.dataset.root / "height.tif", array, pixel, tiny.WEST - 4 * pixel + shift, tiny.NORTH + 4 * pixel
    )
    valid = np.isfinite(town.prepared()["height"][0])
    grid, image = grid_of(town.folder / "height.tif"), grid_of(town.folder / "image.tif")
    x = grid.transform.c + (np.arange(grid.width) + 0.5) * pixel
    y = grid.transform.f - (np.arange(grid.height) + 0.5) * pixel
    west, south, east, north = image.bounds
    inside = ((y > south) & (y < north))[:, None] & (x > west + 1e-5) & (x < east + 1e-5)
    np.testing.assert_array_equal(valid, inside)


def test_truth_is_unknown_beyond_its_file(tmp_path: Path) -> None:
    town = Town(tmp_path, labels={**tiny.city_spec().model_dump(mode="json")["labels"], "files": "labels.tif"})
    tiny.write_raster(town.dataset.root / "labels.tif", town.labels[:10, 5:], west=tiny.WEST + 2.5)
    labels = town.prepared()["labels"][0]
    np.testing.assert_array_equal(labels[:10, 5:], town.labels[:10, 5:] - 1)
    assert (labels[10:] == IGNORED).all()
    assert (labels[:, :5] == IGNORED).all()


def test_surface_minus_ground_is_height(tmp_path: Path) -> None:
    town = Town(tmp_path, height={"surface": "dsm.tif", "ground": "dtm.tif", "nodata_above": 9000})
    ground = np.full((ROWS // 2, COLUMNS // 2), 120.0, np.float32)
    surface = ground + np.arange(ground.size, dtype=np.float32).reshape(ground.shape) / 10
    surface[3, 4] = 1e38
    ground[5, 6] = 1e38
    tiny.write_raster(town.dataset.root / "dsm.tif", surface, pixel=1.0)
    # The ground begins elsewhere: the two are matched by their coordinates.
    tiny.write_raster(town.dataset.root / "dtm.tif", ground[:, 1:], pixel=1.0, west=tiny.WEST + 1)
    height = town.prepared()["height"][0]
    expected = np.arange(ground.size, dtype=np.float32).reshape(ground.shape) / 10
    expected[3, 4] = expected[5, 6] = np.nan
    expected[:, 0] = np.nan
    np.testing.assert_allclose(height, expected, atol=1e-4)


def test_an_absent_layer_is_one_unknown_cell(tmp_path: Path) -> None:
    town = Town(tmp_path, height=None)
    town.write("image", town.image)
    town.write("labels", town.labels)
    prepare_tile(town.dataset, TILE, town.folder)
    assert np.isnan(read(town.folder / "height.tif")).tolist() == [[[True]]]
    assert grid_of(town.folder / "height.tif").bounds == grid_of(town.folder / "image.tif").bounds
    with open_raster(town.folder / "height.tif") as source:
        assert source.tags()["MTLAERIAL"] == ABSENT["MTLAERIAL"]


def test_a_truncated_image_is_named(tmp_path: Path) -> None:
    town = Town(tmp_path)
    noise = town.random.integers(0, 255, (3, 300, 300), np.uint8)
    town.write("image", noise, compress="deflate", blockysize=16)
    path = town.dataset.files("image", TILE)[0]
    path.write_bytes(path.read_bytes()[:150_000])
    with pytest.raises(DataError, match=rf"images/{TILE}\.tif: .*truncated or damaged"):
        prepare_tile(town.dataset, TILE, town.folder)
    assert not list(town.folder.iterdir())


def test_memory_follows_the_block_and_not_the_raster(tmp_path: Path) -> None:
    town = Town(tmp_path)
    rows, columns = 6000, 300
    town.write("image", np.zeros((3, rows, columns), np.uint8))
    town.write("height", np.zeros((rows, columns), np.float32))
    town.write("labels", np.ones((rows, columns), np.uint8))
    tracemalloc.start()
    prepare_tile(town.dataset, TILE, town.folder)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < rows * columns * 4, "less than one layer of float32"
