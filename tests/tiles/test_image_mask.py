"""Prepared tiles of images with invalid pixels: one form, whatever the way in which the file says it."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import torch
from affine import Affine

from mtlaerial.config import IGNORED
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.rasters.geotiff import map_raster, open_raster
from mtlaerial.rasters.grid import Grid
from mtlaerial.tiles.image_mask import ImageMask
from mtlaerial.tiles.measure import measure_tiles
from mtlaerial.tiles.prepare import prepare_tile
from mtlaerial.tiles.tile import load_tiles
from support import tiny
from support.masks import NODATA, WAYS, Way, write_masked

TILE = "city_1"
ROWS, COLUMNS = 24, 40
FILL = 127


def pixels() -> np.ndarray:
    return np.random.default_rng(0).integers(4, 255, (3, ROWS, COLUMNS), np.uint8)


def corner() -> np.ndarray:
    valid = np.ones((ROWS, COLUMNS), bool)
    valid[:10, :13] = False
    return valid


def data_set(root: Path, **image: Any) -> Dataset:
    """Return a data set with truth everywhere, and without an image."""
    spec = tiny.city_spec(image={"files": ["images/{tile}.tif", "images/{tile}.vrt"], **image})
    random = np.random.default_rng(1)
    heights = random.random((ROWS // 2, COLUMNS // 2), np.float32) * 20
    tiny.write_raster(root / "height" / f"{TILE}.tif", heights, pixel=1.0)
    tiny.write_raster(root / "labels" / f"{TILE}.tif", random.integers(1, 7, (ROWS, COLUMNS), np.uint8))
    return Dataset("town", spec, root)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.tif")}


def prepare(root: Path, way: Way) -> Path:
    dataset = data_set(root)
    write_masked(root / "images" / f"{TILE}.tif", pixels(), corner(), way)
    if way == "VRT":
        (root / "images" / f"{TILE}.tif").unlink(missing_ok=True)
    prepare_tile(dataset, TILE, root / TILE)
    return root / TILE


def test_tiles_are_the_same_bytes_however_the_file_says_what_is_image(tmp_path: Path) -> None:
    folders = {way: prepare(tmp_path / way, way) for way in WAYS}
    expected = contents(folders["tag"])
    for way, folder in folders.items():
        assert contents(folder) == expected, way
    specified = data_set(tmp_path / "specified", nodata=NODATA)
    tiny.write_raster(specified.root / "images" / f"{TILE}.tif", np.where(corner(), pixels(), NODATA).astype(np.uint8))
    prepare_tile(specified, TILE, specified.root / TILE)
    assert contents(specified.root / TILE) == expected


def test_invalid_pixels_have_one_fill_value_and_no_truth(tmp_path: Path) -> None:
    folder = prepare(tmp_path, "alpha")
    image = map_raster(folder / "image.tif")
    np.testing.assert_array_equal(image, np.moveaxis(np.where(corner(), pixels(), FILL), 0, -1))
    with open_raster(folder / "image.tif") as source:
        np.testing.assert_array_equal(source.read_masks(2) > 0, corner())
        assert source.nodata is None
    np.testing.assert_array_equal(map_raster(folder / "labels.tif") != IGNORED, corner())
    np.testing.assert_array_equal(np.isfinite(map_raster(folder / "height.tif")), corner()[::2, ::2])
    assert [tile.filled for tile in load_tiles([folder], torch.device("cpu"), 10)] == [True]


def test_a_tile_without_invalid_pixels_has_no_mask(tmp_path: Path) -> None:
    """Its bytes are those of a file that says nothing of validity."""
    everywhere = np.ones((ROWS, COLUMNS), bool)
    for way in ("alpha", "mask"):
        dataset = data_set(tmp_path / way)
        write_masked(dataset.root / "images" / f"{TILE}.tif", pixels(), everywhere, way)
        prepare_tile(dataset, TILE, dataset.root / TILE)
    plain = data_set(tmp_path / "plain")
    tiny.write_raster(plain.root / "images" / f"{TILE}.tif", pixels())
    prepare_tile(plain, TILE, plain.root / TILE)
    assert [tile.filled for tile in load_tiles([plain.root / TILE], torch.device("cpu"), 10)] == [False]
    expected = contents(plain.root / TILE)
    assert contents(tmp_path / "alpha" / TILE) == contents(tmp_path / "mask" / TILE) == expected


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite_are_no_image(tmp_path: Path, value: float) -> None:
    dataset = data_set(tmp_path, range=[0, 1])
    image = pixels().astype(np.float32) / 255
    image[1, 3, 5] = value
    tiny.write_raster(tmp_path / "images" / f"{TILE}.tif", image)
    prepare_tile(dataset, TILE, tmp_path / TILE)
    prepared = map_raster(tmp_path / TILE / "image.tif")
    assert np.argwhere(np.isnan(prepared).all(axis=-1)).tolist() == [[3, 5]]
    assert np.isfinite(prepared).sum() == 3 * (ROWS * COLUMNS - 1)
    assert np.argwhere(map_raster(tmp_path / TILE / "labels.tif") == IGNORED).tolist() == [[3, 5]]
    with warnings.catch_warnings(action="error"):
        statistics = measure_tiles(dataset.spec, [tmp_path / TILE])
    means = [mean for mean, _ in statistics.bands]
    np.testing.assert_allclose(means, np.nanmean(prepared, axis=(0, 1)), rtol=1e-6)
    assert statistics.without_image == pytest.approx(1 / (ROWS * COLUMNS))


def test_statistics_are_of_valid_pixels(tmp_path: Path) -> None:
    dataset, folder = data_set(tmp_path / "spec"), prepare(tmp_path, ".msk")
    statistics = measure_tiles(dataset.spec, [folder])
    valid = pixels()[:, corner()].astype(float)
    np.testing.assert_allclose(statistics.bands, np.stack([valid.mean(axis=1), valid.std(axis=1)], axis=1))
    assert statistics.without_image == pytest.approx(130 / 960)


def test_masked_truth_is_no_data(tmp_path: Path) -> None:
    """Also through an alpha band of colours, and a mask of heights."""
    classes = [{"name": name, "values": [[value] * 3], "colour": "#000000"} for name, value in (("a", 99), ("b", 4))]
    labels = {"files": "labels/{tile}.tif", "encoding": "rgb", "classes": classes}
    spec = tiny.city_spec(labels=labels)
    dataset = Dataset("town", spec, tmp_path)
    tiny.write_raster(tmp_path / "images" / f"{TILE}.tif", pixels())
    colours = np.full((3, ROWS, COLUMNS), 4, np.uint8)
    write_masked(tmp_path / "labels" / f"{TILE}.tif", colours, corner(), "alpha")
    heights = np.full((1, ROWS, COLUMNS), 5, np.float32)
    write_masked(tmp_path / "height" / f"{TILE}.tif", heights, corner(), ".msk")
    prepare_tile(dataset, TILE, tmp_path / TILE)
    np.testing.assert_array_equal(map_raster(tmp_path / TILE / "labels.tif") != IGNORED, corner())
    np.testing.assert_array_equal(np.isfinite(map_raster(tmp_path / TILE / "height.tif")), corner())


def test_scale_and_offset_tags_of_heights_are_applied(tmp_path: Path) -> None:
    dataset = data_set(tmp_path)
    tiny.write_raster(tmp_path / "images" / f"{TILE}.tif", pixels())
    decimetres = np.arange(ROWS * COLUMNS, dtype=np.int16).reshape(ROWS, COLUMNS)
    write_scaled(tmp_path / "height" / f"{TILE}.tif", decimetres, scale=0.1, offset=-5)
    prepare_tile(dataset, TILE, tmp_path / TILE)
    metres = map_raster(tmp_path / TILE / "height.tif")
    np.testing.assert_allclose(metres, decimetres * 0.1 - 5, rtol=1e-5)


def write_scaled(path: Path, values: np.ndarray, scale: float, offset: float) -> None:
    tiny.write_raster(path, values)
    with rasterio.open(path, "r+") as target:
        target.scales, target.offsets = [scale], [offset]


@pytest.mark.parametrize("width", [1, 7, 8, 9, 40])
def test_a_mask_is_kept_by_bits(tmp_path: Path, width: int) -> None:
    invalid = np.random.default_rng(0).random((1100, width)) < 0.3
    grid = Grid(None, Affine.scale(1, -1), 1100, width)
    with ImageMask(grid, tmp_path) as mask:
        assert not mask.cells(grid).any()
        assert list(mask.valid_blocks()) == []
        mask.add(0, None)
        mask.add(512, invalid[512:1024])
        expected = invalid.copy()
        expected[:512] = expected[1024:] = False
        np.testing.assert_array_equal(mask.cells(grid), expected)
        blocks = list(mask.valid_blocks())
        assert [top for top, _ in blocks] == [0, 512, 1024]
        np.testing.assert_array_equal(np.concatenate([valid for _, valid in blocks]), ~expected)
    assert list(tmp_path.iterdir()) == []
