"""Maps of images that are resampled to the pixels of the run, on the images' own grids."""

import dataclasses
import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from pyproj import Transformer
from rasterio.crs import CRS

from mtlaerial.config import IGNORED, PredictionSpec
from mtlaerial.errors import MismatchError
from mtlaerial.maps.layer import RasterLayer
from mtlaerial.prediction.image_options import ImageOptions
from mtlaerial.prediction.predictor import Predictor
from mtlaerial.prediction.regridded_map import RegriddedMap, write_on_image_grid
from mtlaerial.rasters.geotiff import open_raster
from mtlaerial.rasters.grid import Grid
from mtlaerial.rasters.resampled_grid import grid_at_gsd
from mtlaerial.rasters.validity import MaskedBands
from support import tiny

EXACT = {"height_encoding": "float32", "negative_heights": True}
SPEC = PredictionSpec(window=64, stride=48, activation="softmax", **EXACT)
RESAMPLED = ImageOptions(resample=True)


@pytest.fixture(scope="module")
def predictor(run_folder: Path) -> Predictor:
    return Predictor(run_folder, SPEC)


def picture(size: int = 60) -> np.ndarray:
    """Return an image of smooth shapes, bright enough that no pixel is 0."""
    rows, columns = np.mgrid[:size, :size]
    waves = [np.sin(rows / 7) + np.cos(columns / 9), np.sin((rows + columns) / 8), np.cos(rows * columns / 300)]
    return np.stack([130 + 50 * wave for wave in waves]).astype(np.uint8)


def pixels(path: Path) -> np.ndarray:
    with rasterio.open(path) as source:
        return source.read(1)


def enlarged(array: np.ndarray, factor: int = 2) -> np.ndarray:
    return array.repeat(factor, -2).repeat(factor, -1)


def halfway(array: np.ndarray) -> np.ndarray:
    """Return values between cells, a quarter of a cell from each side of their centres, by bilinear interpolation."""
    for axis in (0, 1):
        padded = np.pad(array, [(1, 1) if each == axis else (0, 0) for each in (0, 1)], mode="edge")
        before, after = (0.75 * array + 0.25 * np.take(padded, range(s, s + array.shape[axis]), axis) for s in (0, 2))
        array = np.stack([before, after], axis + 1).reshape([n * (1 + (k == axis)) for k, n in enumerate(array.shape)])
    return array


def test_maps_of_a_finer_image_are_those_at_the_pixels_of_the_run(predictor: Predictor, tmp_path: Path) -> None:
    """Pixels in equal fours have themselves as their mean, so the network sees the same image."""
    image = picture()
    predictor.predict_image(tiny.write_raster(tmp_path / "a.tif", image), tmp_path / "a")
    fine = tiny.write_raster(tmp_path / "b.tif", enlarged(image), pixel=0.25)
    with pytest.raises(MismatchError, match=r"pixels of 0\.25"):
        predictor.predict_image(fine, tmp_path / "b")
    predictor.predict_image(fine, tmp_path / "b", options=RESAMPLED)
    np.testing.assert_array_equal(
        pixels(tmp_path / "b" / "semantics.tif"), enlarged(pixels(tmp_path / "a" / "semantics.tif"))
    )
    expected = halfway(pixels(tmp_path / "a" / "height.tif"))
    np.testing.assert_allclose(pixels(tmp_path / "b" / "height.tif"), expected, atol=1e-4)
    with rasterio.open(tmp_path / "b" / "height.tif") as source, rasterio.open(fine) as original:
        assert (source.crs, source.transform, source.shape) == (original.crs, original.transform, original.shape)
    item = json.loads((tmp_path / "b" / "stac_item.json").read_text())
    assert item["properties"]["proj:shape"] == [120, 120]


CORNER = (151.2, -33.9)
PLACES: dict[str, dict[str, Any]] = {
    "degrees": {"crs": CRS.from_epsg(4326), "transform": Affine(6e-6, 0, CORNER[0], 0, -4.5e-6, CORNER[1])},
    "rotated": {"transform": Affine.translation(5e5, 5e6) @ Affine.rotation(20) @ Affine.scale(0.4, -0.4)},
    "south up": {"transform": Affine(0.5, 0, 5e5, 0, 0.5, 5e6)},
    "coarser": {"pixel": 0.8},
    "no CRS": {"pixel": 0.3, "crs": None},
    "no georeference": {"pixel": 0},
}


@pytest.mark.quick_cases(3, "predicts an image a case")
@pytest.mark.parametrize("name", PLACES)
def test_maps_have_the_grid_of_the_image_and_its_pixels(name: str, predictor: Predictor, tmp_path: Path) -> None:
    image = picture()
    image[:, 20:30, 35:50] = 0
    path = tiny.write_raster(tmp_path / "a.tif", image, nodata=0, **PLACES[name])
    gsd = 0.3 if name == "no georeference" else None
    predictor.predict_image(path, tmp_path / "maps", gsd=gsd, options=RESAMPLED)
    invalid = (image == 0).all(axis=0)
    with open_raster(path) as source, open_raster(tmp_path / "maps" / "semantics.tif") as classes:
        assert (classes.crs, classes.transform, classes.shape) == (source.crs, source.transform, source.shape)
        np.testing.assert_array_equal(classes.read(1) == IGNORED, invalid)
    np.testing.assert_array_equal(np.isnan(pixels(tmp_path / "maps" / "height.tif")), invalid)
    assert not [path for path in (tmp_path / "maps").iterdir() if path.name.startswith(".")]


def test_bands_and_gsd_of_the_options_count_beside_the_arguments(predictor: Predictor, tmp_path: Path) -> None:
    path = tiny.write_raster(tmp_path / "a.tif", picture()[[2, 0, 0, 1]], pixel=0)
    options = ImageOptions(bands=(3, 4, 1), gsd=0.3, resample=True)
    predictor.predict_image(path, tmp_path / "a", options=options)
    predictor.predict_image(path, tmp_path / "b", bands=(3, 4, 1), gsd=0.3, options=RESAMPLED)
    predictor.predict_image(path, tmp_path / "c", gsd=0.3, options=dataclasses.replace(options, gsd=9.0))
    for folder in ("b", "c"):
        np.testing.assert_array_equal(pixels(tmp_path / folder / "height.tif"), pixels(tmp_path / "a" / "height.tif"))


@pytest.mark.parametrize("name", ["degrees", "rotated"])
def test_a_map_is_brought_back_to_its_place(name: str, tmp_path: Path) -> None:
    """The map's values are coordinates. Means over turned or slightly smaller cells shift places by some hundredths."""
    with open_raster(tiny.write_raster(tmp_path / "a.tif", np.ones((60, 60), np.uint8), **PLACES[name])) as source:
        grid = Grid.of(source)
        network = grid_at_gsd(grid, 0.5)
        _, columns = np.mgrid[: network.height, : network.width] + 0.5
        written = np.full((60, 60), np.nan, np.float32)

        def write(row: int, column: int, block: np.ndarray) -> None:
            written[row : row + block.shape[0], column : column + block.shape[1]] = block

        layer = RasterLayer("x", ("x",), "float32", float("nan"), resampling="average")
        regridded = RegriddedMap(tmp_path / "x.tif", layer, network, grid, write)
        with regridded.open() as write_network:
            write_network(0, 0, columns.astype(np.float32))
        write_on_image_grid([regridded], MaskedBands(source, [1]), grid)
    own_rows, own_columns = np.mgrid[:60, :60] + 0.5
    a, b, c, d, e, f = tuple(grid.transform)[:6]
    x, y = a * own_columns + b * own_rows + c, d * own_columns + e * own_rows + f
    if network.crs != grid.crs:
        x, y = Transformer.from_crs(grid.crs, network.crs, always_xy=True).transform(x, y)
    expected = (x - network.transform.c) / network.transform.a
    inside = (expected > 1) & (expected < network.width - 1)
    np.testing.assert_allclose(written[inside], expected[inside], atol=0.06)
    assert inside.sum() > 3000


def test_an_image_that_shows_no_houses_is_refused(
    predictor: Predictor, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tiny.write_raster(tmp_path / "a.tif", picture(), pixel=10.0)
    with pytest.raises(MismatchError, match=r"found pixels of about 10 m; expected at most 5 m"):
        predictor.predict_image(path, tmp_path / "maps", options=RESAMPLED)
    caplog.set_level(logging.WARNING)
    path = tiny.write_raster(tmp_path / "b.tif", picture(), pixel=1.0)
    predictor.predict_image(path, tmp_path / "maps", options=RESAMPLED)
    turned = Affine.translation(5e5, 5e6) @ Affine.rotation(30) @ Affine.scale(0.45, -0.45)
    turned_path = tiny.write_raster(tmp_path / "c.tif", picture(), transform=turned)
    predictor.predict_image(turned_path, tmp_path / "turned", options=RESAMPLED)
    assert "c.tif: pixels of" not in caplog.text
    assert "b.tif: pixels of about 1 m have less detail than those of the training, 0.5 m" in caplog.text
