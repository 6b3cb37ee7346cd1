"""Maps of a data set's tiles: on the grids of their truth, as exact values."""

import logging
import re
from pathlib import Path

import numpy as np
import pytest
import rasterio
import torch

from mtlaerial.config import IGNORED
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.prediction import checkerboard_meter
from mtlaerial.prediction.array_maps import predict_arrays
from mtlaerial.prediction.predictor import Predictor
from mtlaerial.scoring.checkerboard import load_spectra
from mtlaerial.tiles.prepare import prepare_tile
from mtlaerial.tiles.tile import load_tiles
from support import tiny
from support.predictions import SPEC, TASKS, ortho, pixels


def test_maps_of_tiles_lie_on_the_grids_of_their_truth(
    predictor: Predictor, tiles: dict[str, list[Path]], tmp_path: Path
) -> None:
    predictor.predict_tiles(tiles["test"], tmp_path)
    tile = tiles["test"][0]
    loaded = load_tiles([tile], torch.device("cpu"), 10)[0]
    arrays = predict_arrays(predictor.blender, predictor.network, loaded)
    for task, layer in (("semantics", "labels"), ("height", "height")):
        path = tmp_path / tile.name / f"{task}.tif"
        with rasterio.open(path) as raster, rasterio.open(tile / f"{layer}.tif") as truth:
            assert (raster.shape, raster.transform, raster.crs) == (truth.shape, truth.transform, truth.crs)
        np.testing.assert_array_equal(pixels(path)[0], arrays[task])


def test_grids_of_heights_are_measured_in_the_image_not_in_coarse_maps(
    predictor: Predictor, tiles: dict[str, list[Path]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkerboard_meter, "LEAST_HEIGHT", -1e9)
    predictor.predict_tiles(tiles["test"], tmp_path)
    folder = tmp_path / tiles["test"][0].name
    assert pixels(folder / "height.tif").shape[1:] == (tiny.SIZE // 2, tiny.SIZE // 2)
    # An image of 96 pixels has one segment of 65 pixels in every third line; a map of 48 would have none.
    assert load_spectra(folder, "height")["across"][0].segments == tiny.SIZE // 3


def test_a_prediction_says_how_far_a_grid_stands_out(
    predictor: Predictor, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO)
    path = ortho(tmp_path, size=150)
    predictor.predict_image(path, tmp_path / "low")
    assert (
        "height: too few surfaces of 2 m and more to tell whether the network leaves a grid in them" in caplog.messages
    )
    monkeypatch.setattr(checkerboard_meter, "LEAST_HEIGHT", -1e9)
    predictor.predict_image(path, tmp_path / "all")
    line = r"height: power at \d+ px is \d+\.\d times its neighbours \(checkerboard ratio\)"
    assert re.fullmatch(line, caplog.messages[-1])


def test_coarse_maps_are_the_means_of_the_fine_ones(
    run_folder: Path, tiles: dict[str, list[Path]], tmp_path: Path
) -> None:
    Predictor(run_folder, SPEC.model_copy(update={"image_maps": True})).predict_tiles(tiles["test"], tmp_path)
    folder = tmp_path / tiles["test"][0].name
    fine, coarse = pixels(folder / "image_height.tif")[0], pixels(folder / "height.tif")[0]
    np.testing.assert_allclose(coarse, fine.reshape(48, 2, 48, 2).mean(axis=(1, 3)), rtol=1e-4, atol=1e-4)


def test_a_tile_without_truth_is_mapped_on_the_grid_of_its_image(
    predictor: Predictor, city: Dataset, tmp_path: Path
) -> None:
    dataset = Dataset("city", tiny.city_spec(height=None), city.root)
    prepare_tile(dataset, "city_4", tmp_path / "city_4")
    predictor.predict_tiles([tmp_path / "city_4"], tmp_path / "maps")
    assert pixels(tmp_path / "maps" / "city_4" / "height.tif").shape == (1, tiny.SIZE, tiny.SIZE)
    tile = load_tiles([tmp_path / "city_4"], torch.device("cpu"), 10)[0]
    arrays = predict_arrays(predictor.blender, predictor.network, tile)
    assert np.isnan(arrays["height"]).all()
    assert (arrays["semantics"] != IGNORED).all()


def test_maps_of_tiles_are_exact_however_other_images_are_stored(
    predictor: Predictor, run_folder: Path, tiles: dict[str, list[Path]], tmp_path: Path
) -> None:
    predictor.predict_tiles(tiles["test"], tmp_path / "default")
    other = SPEC.model_copy(update={"height_encoding": "lerc", "negative_heights": True})
    Predictor(run_folder, other).predict_tiles(tiles["test"], tmp_path / "other")
    name = tiles["test"][0].name
    for task in TASKS:
        first, second = (tmp_path / folder / name / f"{task}.tif" for folder in ("default", "other"))
        assert first.read_bytes() == second.read_bytes()
    heights = pixels(tmp_path / "default" / name / "height.tif")
    assert heights.dtype == np.float32
    assert (heights < 0).any(), "scores are of the heights as the network gives them"
