"""Predictions of networks with a context see around their windows; those without see nothing else."""

from pathlib import Path

import numpy as np
import pytest
import rasterio
import torch

from mtlaerial.config import PredictionSpec
from mtlaerial.prediction.array_maps import predict_arrays
from mtlaerial.prediction.predictor import Predictor
from mtlaerial.prediction.views import View
from mtlaerial.runs.ensemble import make_ensemble
from mtlaerial.tiles.statistics import Statistics
from mtlaerial.tiles.tile import load_tiles
from support import networks, tiny
from support.small_runs import drawn_run
from support.tiny import Folders

WINDOWS = PredictionSpec(window=32, stride=24, activation="softmax", height_encoding="float32", negative_heights=True)


@pytest.fixture(scope="module")
def predictors(statistics: Statistics, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Predictor]:
    """Return runs with and without a context, whose weights are drawn."""
    folder = tmp_path_factory.mktemp("runs")
    plans = {name: networks.plan(name) for name in ("context", "fusion")}
    return {name: Predictor(drawn_run(folder / name, plan, statistics), WINDOWS) for name, plan in plans.items()}


def heights(predictor: Predictor, image: np.ndarray, folder: Path) -> np.ndarray:
    path = tiny.write_raster(folder / "ortho.tif", image)
    predictor.predict_image(path, folder / "maps", replace=True)
    with rasterio.open(folder / "maps/height.tif") as source:
        return np.asarray(source.read(1))


@pytest.mark.parametrize(("name", "changes"), [("context", True), ("fusion", False)])
def test_a_map_depends_on_what_no_window_shows(
    predictors: dict[str, Predictor], name: str, changes: bool, tmp_path: Path
) -> None:
    image = np.random.default_rng(0).integers(60, 200, (3, 96, 96), dtype=np.uint8)
    before = heights(predictors[name], image, tmp_path)
    image[:, :, 72:] = 255
    after = heights(predictors[name], image, tmp_path)
    assert np.abs(after - before)[:, 72:].max() > 0
    # Windows that end before column 72 are blended up to column 48.
    assert (np.abs(after - before)[:, :40].max() > 1e-5) == changes


def test_validation_predicts_as_predict_does(predictors: dict[str, Predictor], tiles: Folders, tmp_path: Path) -> None:
    predictor = predictors["context"]
    (folder,) = tiles["test"]
    predictor.predict_tiles([folder], tmp_path)
    (tile,) = load_tiles([folder], torch.device("cpu"), 0, masks=True)
    arrays = predict_arrays(predictor.blender, predictor.network, tile)
    with rasterio.open(tmp_path / folder.name / "height.tif") as source:
        np.testing.assert_array_equal(source.read(1), arrays["height"])


@pytest.mark.full("plain predictions are in the quick tier")
def test_dropout_passes_see_the_surroundings_too(
    predictors: dict[str, Predictor], tmp_path: Path, tiles: Folders
) -> None:
    passes = WINDOWS.model_copy(update={"dropout_passes": 2, "views": ("mirror", "turns", "scales"), "blend": "even"})
    predictor = Predictor(predictors["context"].runs[0].folder, passes)
    predictor.predict_tiles(tiles["test"], tmp_path)
    with rasterio.open(tmp_path / "city_4/height_std.tif") as source:
        assert (source.read(1) > 0).mean() > 0.9


def test_members_of_an_ensemble_see_their_own_surroundings(
    statistics: Statistics, tiles: Folders, tmp_path: Path
) -> None:
    plans = {name: networks.plan(name) for name in ("context", "fusion")}
    plans["wider"] = networks.plan("context").model_copy(
        update={"model": networks.network_spec("context", context={"scale": 8, "channels": 6})}
    )
    runs = [drawn_run(tmp_path / name, plan, statistics, seed) for seed, (name, plan) in enumerate(plans.items())]
    make_ensemble(runs, tmp_path / "mean")
    maps = {}
    for run in (*runs, tmp_path / "mean"):
        Predictor(run, WINDOWS).predict_tiles(tiles["test"], tmp_path / "maps" / run.name)
        with rasterio.open(tmp_path / "maps" / run.name / "city_4/height.tif") as source:
            maps[run.name] = source.read(1)
    expected = np.mean([maps[run.name] for run in runs], axis=0)
    np.testing.assert_allclose(maps["mean"], expected, rtol=0, atol=1e-4)


def test_views_at_other_scales_keep_the_centre_of_an_image(predictors: dict[str, Predictor]) -> None:
    # Surroundings lie around the centre: so must what a view adds to fill a multiple.
    view = View(scale=0.8)
    ramp = (torch.arange(64) - 31.5).expand(1, 1, 64, 64)
    image = view.of(ramp, 32)
    assert image.shape == (1, 1, 64, 64)
    assert image[0, 0, :, 31:33].mean().abs() < 0.7  # half a pixel, as 51 pixels cannot lie in the middle of 64
    torch.testing.assert_close(view.back(image, ramp, 32)[0, 0, 5, 8:56], ramp[0, 0, 5, 8:56], rtol=0, atol=0.7)
