"""Monte-Carlo dropout: mean and standard deviation of passes over each window, reproducible draws."""

import itertools
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import rasterio
import torch
from torch import Tensor, nn

from mtlaerial.config import PredictionSpec, Task, parse_project
from mtlaerial.config.recipe_in_force import recipe_in_force
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.errors import ConfigError
from mtlaerial.models import D3Net, build_model
from mtlaerial.models.normalisation import Normalisation
from mtlaerial.prediction.blending import blender as blending
from mtlaerial.prediction.blending.windows import original
from mtlaerial.prediction.monte_carlo_dropout import dropout_forward, window_generator
from mtlaerial.prediction.predictor import Predictor
from mtlaerial.prediction.settings import prediction_for
from mtlaerial.runs.plan import RunPlan, task_outputs
from mtlaerial.runs.run import save_description
from mtlaerial.runs.weights import Provenance, save_run_weights
from mtlaerial.tiles.statistics import Statistics
from support import tiny

PASSES, WINDOW, STRIDE = 4, 64, 48
EXACT = {"height_encoding": "float32", "negative_heights": True}
SPEC = PredictionSpec(window=WINDOW, stride=STRIDE, activation="softmax", dropout_passes=PASSES, **EXACT)
CPU = torch.device("cpu")
NAMES = ["height.tif", "height_std.tif", "semantics.tif"]


@pytest.fixture(scope="module")
def image(city: Dataset) -> Path:
    return city.files("image", "city_4")[0]


def save_untrained(folder: Path, statistics: Statistics, plan: RunPlan) -> Path:
    """Save an untrained run, with batch norms that amplify activations, so that passes differ by metres."""
    torch.manual_seed(0)
    model = build_model(plan.model, 3, task_outputs(plan, statistics))
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_var.fill_(0.1)  # type: ignore[union-attr]  # batch norms have it
    save_run_weights(folder, Provenance(code="untrained", epoch=1), model.state_dict(), {})
    save_description(folder, plan, statistics)
    return folder


def plan(tasks: tuple[Task, ...] = ("semantics", "height"), seed: int = 0, dropout: float = 0.5) -> RunPlan:
    return tiny.run_plan(tasks, seed).model_copy(update={"model": tiny.model_spec(dropout=dropout)})


@pytest.fixture(scope="module")
def run(statistics: Statistics, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_untrained(tmp_path_factory.mktemp("run"), statistics, plan())


@pytest.fixture(scope="module")
def predictor(run: Path) -> Predictor:
    return Predictor(run, SPEC)


@pytest.fixture(scope="module")
def maps(predictor: Predictor, image: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("maps")
    predictor.predict_image(image, folder)
    return folder


def pixels(path: Path) -> np.ndarray:
    with rasterio.open(path) as source:
        return source.read(1)


def network(dropout: float = 0.5) -> D3Net:
    torch.manual_seed(0)
    return build_model(tiny.model_spec(dropout=dropout), 3, {"semantics": 3, "height": 1}).eval()


def window_outputs(
    predictor: Predictor, image: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[tuple[slice, slice], Tensor, Tensor]]:
    """Yield place, class scores and metres of all passes over each window, pass by pass by the plain network."""
    with rasterio.open(image) as source:
        normal = Normalisation(0, 255)(torch.from_numpy(source.read()))
    starts = original(WINDOW, STRIDE)(tiny.SIZE).starts
    for y, x in itertools.product(starts, starts):
        place = slice(y, y + WINDOW), slice(x, x + WINDOW)
        crop = normal[:, *place]
        draws, passes = window_generator(crop, seed=0), []
        for _ in range(PASSES):

            def drop(layer: nn.Dropout, features: Tensor, draws: torch.Generator = draws) -> Tensor:
                return features * (torch.rand(features[0].shape, generator=draws) >= layer.p) / (1 - layer.p)

            monkeypatch.setattr(nn.Dropout, "forward", drop)
            with torch.inference_mode():
                passes.append(predictor.runs[0].model(crop[None]))
        monkeypatch.undo()
        scores = torch.cat([each["semantics"].softmax(1) for each in passes])
        yield place, scores.double(), 5 * torch.cat([each["height"][:, 0] for each in passes]).double()


@pytest.mark.skipif("config.getoption('--accelerator') == 'cuda'", reason="its draws are those of the CPU")
def test_maps_are_blended_means_and_variances_over_the_passes_of_each_window(
    predictor: Predictor, maps: Path, image: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    axis = original(WINDOW, STRIDE)(tiny.SIZE)
    kernel = (axis.weights[:, None] * axis.weights[None, :]).double()
    sums = torch.zeros(9, tiny.SIZE, tiny.SIZE, dtype=torch.float64)
    for place, scores, heights in window_outputs(predictor, image, monkeypatch):
        mean, variance = heights.mean(dim=0), heights.var(dim=0, correction=0)
        parts = torch.cat([scores.mean(dim=0), mean[None], variance[None], torch.ones_like(mean)[None]])
        sums[:, *place] += kernel * parts
    height, variance = (sums[6:8] / sums[8]).numpy()
    assert np.median(variance) > 0.01
    np.testing.assert_allclose(pixels(maps / "height.tif"), height, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(pixels(maps / "height_std.tif"), np.sqrt(variance), rtol=1e-3, atol=1e-4)
    scores = sums[:6] / sums[8]
    first, second = scores.topk(2, dim=0).values
    clear = (first - second > 1e-4).numpy()
    assert clear.mean() > 0.9
    np.testing.assert_array_equal(pixels(maps / "semantics.tif")[clear], scores.argmax(0).numpy()[clear])


def test_a_cell_has_the_root_mean_square_of_its_pixels_deviations(
    run: Path, tiles: dict[str, list[Path]], tmp_path: Path
) -> None:
    """That of an error that all pixels of a cell share: the most that the deviation of their mean can be."""
    predictor = Predictor(run, SPEC.model_copy(update={"image_maps": True}))
    predictor.predict_tiles(tiles["test"], tmp_path)
    folder, truth = tmp_path / tiles["test"][0].name, tiles["test"][0] / "height.tif"
    with rasterio.open(folder / "height_std.tif") as raster, rasterio.open(truth) as grid:
        assert (raster.shape, raster.transform, raster.crs) == (grid.shape, grid.transform, grid.crs)
    fine = pixels(folder / "image_height_std.tif").astype(np.float64).reshape(48, 2, 48, 2)
    np.testing.assert_allclose(pixels(folder / "height_std.tif"), np.sqrt((fine**2).mean(axis=(1, 3))), rtol=1e-4)
    assert fine.min() > 0


def test_the_map_of_the_deviation_says_what_it_shows(maps: Path, image: Path) -> None:
    assert sorted(path.name for path in maps.glob("*.tif")) == NAMES
    with rasterio.open(maps / "height_std.tif") as raster, rasterio.open(image) as source:
        assert (raster.shape, raster.transform, raster.crs) == (source.shape, source.transform, source.crs)
        assert raster.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert raster.dtypes == ("float32",)
        assert math.isnan(raster.nodata)
        assert raster.units == ("metre",)
        assert raster.descriptions == ("standard deviation of height, by samples",)


def test_pixels_without_data_have_no_deviation(predictor: Predictor, tmp_path: Path) -> None:
    array = np.random.default_rng(0).integers(1, 255, (3, 70, 90), np.uint8)
    array[:, 10:30, 20:50] = 0
    predictor.predict_image(tiny.write_raster(tmp_path / "ortho.tif", array, nodata=0), tmp_path)
    np.testing.assert_array_equal(np.isnan(pixels(tmp_path / "height_std.tif")), (array == 0).all(axis=0))


def test_a_tile_s_maps_are_the_same_again_and_whatever_came_before(
    predictor: Predictor, tiles: dict[str, list[Path]], tmp_path: Path
) -> None:
    tile = tiles["test"][0]
    before = torch.get_rng_state()
    predictor.predict_tiles([tile], tmp_path / "alone")
    assert torch.equal(torch.get_rng_state(), before)
    predictor.predict_tiles([tiles["train"][0], tile], tmp_path / "after another")
    for name in NAMES:
        alone, after = (tmp_path / folder / tile.name / name for folder in ("alone", "after another"))
        assert alone.read_bytes() == after.read_bytes()


def test_maps_depend_on_the_run_s_seed(statistics: Statistics, maps: Path, image: Path, tmp_path: Path) -> None:
    run = save_untrained(tmp_path / "run", statistics, plan(seed=1))  # of the same weights
    Predictor(run, SPEC).predict_image(image, tmp_path)
    assert (pixels(tmp_path / "height_std.tif") != pixels(maps / "height_std.tif")).mean() > 0.99


@pytest.mark.parametrize("change", ["batch", "blocks"])
def test_maps_do_not_depend_on_how_the_work_is_cut(
    run: Path, maps: Path, image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    if change == "blocks":
        monkeypatch.setattr(blending, "BLOCK_BYTES", 1)
        size = 3 * WINDOW
        image = tiny.write_raster(
            tmp_path / "wide.tif", np.random.default_rng(0).integers(1, 255, (3, 40, size), np.uint8)
        )
        maps = tmp_path / "one block"
        with monkeypatch.context() as patch:
            patch.setattr(blending, "BLOCK_BYTES", 2**28)
            Predictor(run, SPEC).predict_image(image, maps)
    batch = 3 if change == "batch" else 1
    Predictor(run, SPEC.model_copy(update={"batch": batch})).predict_image(image, tmp_path / "cut")
    for name in ("height.tif", "height_std.tif"):
        np.testing.assert_allclose(pixels(tmp_path / "cut" / name), pixels(maps / name), rtol=1e-4, atol=1e-4)


def test_only_dropout_layers_are_in_training_mode() -> None:
    model = network()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    image = torch.rand(2, 3, 64, 64)
    with torch.inference_mode():
        plain = model(image)["height"]
        passes = [outputs["height"] for outputs in dropout_forward(model, "32-true", CPU, 3, seed=0)(image)]
        torch.testing.assert_close(model(image)["height"], plain, rtol=0, atol=0)
    assert len(passes) == 3
    assert all(not torch.equal(output, previous) for output, previous in zip(passes, [plain, *passes], strict=False))
    assert not any(module.training for module in model.modules())
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())


def test_each_layer_drops_at_its_rate_and_keeps_the_mean() -> None:
    model = network(dropout=0.25)
    dropped: list[Tensor] = []
    layers = [module for module in model.modules() if isinstance(module, nn.Dropout)]
    forward = dropout_forward(model, "32-true", CPU, 2, seed=0)
    assert len(layers) == 2
    with torch.inference_mode():
        for layer in layers:
            layer.forward = torch.ones_like  # type: ignore[method-assign]  # all ones: what is dropped shows
        following = [block[3] for block in (model.trunk.block5, model.trunk.block4)]
        for relu in following:
            relu.register_forward_pre_hook(lambda _, inputs: dropped.append(inputs[0].clone()))
        list(forward(torch.rand(1, 3, 256, 256)))
    for features in dropped:
        assert set(features.unique().tolist()) == {0.0, float(torch.tensor(1) / 0.75)}
        assert float((features == 0).float().mean()) == pytest.approx(0.25, abs=0.03)


def test_windows_of_different_content_draw_differently() -> None:
    windows = torch.rand(2, 3, 8, 8)
    first, second, again = (torch.rand(9, generator=window_generator(w, 0)) for w in (*windows, windows[0].clone()))
    assert torch.equal(first, again)
    assert not torch.equal(first, second)


def test_a_run_of_semantics_alone_has_no_deviation(statistics: Statistics, image: Path, tmp_path: Path) -> None:
    alone = save_untrained(tmp_path / "run", statistics, plan(tasks=("semantics",)))
    Predictor(alone, SPEC).predict_image(image, tmp_path / "maps")
    assert [path.name for path in (tmp_path / "maps").glob("*.tif")] == ["semantics.tif"]


def test_a_network_without_dropout_is_refused(statistics: Statistics, tmp_path: Path) -> None:
    save_untrained(tmp_path, statistics, plan(dropout=0))
    with pytest.raises(
        ConfigError, match=r"prediction\.dropout_passes: found 4; expected 0, as the model's dropout is 0"
    ):
        Predictor(tmp_path, SPEC)
    with pytest.raises(ConfigError, match="--dropout-passes: found 30"):
        prediction_for(tmp_path, None, None, 30)
    config = {
        "run": {"datasets": ["town"], "methods": ["both"], "seeds": [0]},
        "datasets": {"town": {"spec": "town.yaml", "root": "town"}},
        "models": {"plain": {"dropout": 0}},
        "methods": {"both": {"tasks": ["height"], "model": "plain"}},
        "prediction": {"dropout_passes": 30},
    }
    with pytest.raises(ConfigError, match=r"prediction\.dropout_passes: found 30"):
        recipe_in_force(parse_project(config), {}, "both")


def test_one_pass_is_refused() -> None:
    with pytest.raises(ConfigError, match="at least 2"):
        PredictionSpec.parse({"dropout_passes": 1}, "prediction")
