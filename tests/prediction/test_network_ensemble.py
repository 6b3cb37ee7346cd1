"""Several networks as one: averages of their scores and heights, in one pass over the raster."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import torch

from mtlaerial.config import PredictionSpec
from mtlaerial.config.ensemble import Average
from mtlaerial.errors import ConfigError
from mtlaerial.models.height_heads import LinearHead
from mtlaerial.models.normalisation import Normalisation
from mtlaerial.prediction.map_files import scored_channels
from mtlaerial.prediction.map_network import MapNetwork, build_blender
from mtlaerial.prediction.network_ensemble import NetworkEnsemble, median
from mtlaerial.prediction.predictor import Predictor
from mtlaerial.prediction.strip_reader import strip_reader
from mtlaerial.runs.ensemble import make_ensemble
from mtlaerial.tiles.statistics import Statistics
from support import tiny
from support.networks import network_spec
from support.small_runs import drawn_run

SPEC = PredictionSpec(window=64, stride=48, activation="softmax")
OUTPUTS = {"semantics": 3, "height": 1}
AVERAGES: tuple[Average, ...] = ("mean", "median")
Folders = dict[str, list[Path]]


@pytest.fixture(scope="module")
def members(statistics: Statistics, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return the folders of runs: of both tasks at half the resolution, of heights in another unit, of classes."""
    folder = tmp_path_factory.mktemp("members")
    both = tiny.run_plan(height_unit=5).model_copy(update={"model": network_spec("gated")})
    heights = tiny.run_plan(("height",), seed=1, height_unit=2)
    classes = tiny.run_plan(("semantics",), seed=2)
    plans = {"both": both, "heights": heights, "classes": classes}
    return [drawn_run(folder / name, plan, statistics, seed) for seed, (name, plan) in enumerate(plans.items())]


def maps_of(run: Path, tiles: Folders, folder: Path, **changes: Any) -> dict[str, np.ndarray]:
    """Return the maps of the test tile by name."""
    Predictor(run, SPEC.model_copy(update=changes)).predict_tiles(tiles["test"], folder)
    maps = {}
    for path in folder.glob("*/*.tif"):
        with rasterio.open(path) as raster:
            maps[path.stem] = raster.read(1)
    return maps


def joined(runs: list[Path], folder: Path, heights: Average = "mean") -> Path:
    make_ensemble(runs, folder, heights=heights)
    return folder


def constant(semantics: list[float], height: float, passes: int = 1) -> MapNetwork:
    """Return a network whose outputs do not depend on the image; its passes are 1, 2 and so on times as high."""

    def forward(image: torch.Tensor) -> list[dict[str, torch.Tensor]]:
        scores = torch.tensor(semantics)[None, :, None, None].expand(-1, -1, *image.shape[-2:])
        level = torch.full((1, 1, *image.shape[-2:]), height)
        return [{"semantics": scores, "height": factor * level} for factor in range(1, passes + 1)]

    spec = SPEC.model_copy(update={"dropout_passes": passes if passes > 1 else 0})
    return MapNetwork(forward, Normalisation(0, 1), spec, OUTPUTS, LinearHead(1))


def test_an_ensemble_of_one_run_is_that_run_to_the_byte(members: list[Path], tiles: Folders, tmp_path: Path) -> None:
    alone = maps_of(members[0], tiles, tmp_path / "alone")
    ensemble = maps_of(joined(members[:1], tmp_path / "joined"), tiles, tmp_path / "maps")
    assert alone.keys() == ensemble.keys() == {"semantics", "height"}
    for name, values in alone.items():
        assert values.tobytes() == ensemble[name].tobytes(), name


def test_heights_are_means_in_metres_over_the_runs_that_learn_them(
    members: list[Path], tiles: Folders, tmp_path: Path
) -> None:
    """The networks have different encoders, units of height and multiples, and one learns classes alone."""
    single = [maps_of(run, tiles, tmp_path / run.name)["height"] for run in members[:2]]
    ensemble = maps_of(joined(members, tmp_path / "joined"), tiles, tmp_path / "maps")
    assert abs(single[0] - single[1]).max() > 1e-3
    np.testing.assert_allclose(ensemble["height"], (single[0] + single[1]) / 2, rtol=1e-6, atol=1e-6)
    assert "semantics" in ensemble


def test_class_scores_are_means_of_probabilities_not_of_logits() -> None:
    windows = torch.zeros(1, 3, 4, 4)
    sure, unsure = constant([6.0, 0.0, 0.0], 1.0), constant([0.0, 1.0, 0.0], 4.0)
    outputs = NetworkEnsemble([sure, unsure])(windows)
    probabilities = torch.tensor([[6.0, 0, 0], [0, 1, 0]]).softmax(dim=1).mean(dim=0)
    torch.testing.assert_close(outputs[0, :3, 0, 0], probabilities)
    assert outputs[0, 3].unique().tolist() == [2.5]


def test_a_task_is_averaged_over_the_networks_that_learn_it() -> None:
    both = constant([1.0, 0, 0], 2.0)
    heights = MapNetwork(
        lambda x: [{"height": torch.full((1, 1, 4, 4), 8.0)}], Normalisation(0, 1), SPEC, {"height": 1}, LinearHead(1)
    )
    mean = NetworkEnsemble([heights, both])
    assert mean.outputs == {"height": 1, "semantics": 3}
    outputs = mean(torch.zeros(1, 3, 4, 4))
    assert outputs[:, mean.slice_of("height")].unique().tolist() == [5]
    torch.testing.assert_close(outputs[:, mean.slice_of("semantics")], both(torch.zeros(1, 3, 4, 4))[:, :3])


def test_with_dropout_the_variance_is_over_the_passes_of_all_networks() -> None:
    mean = NetworkEnsemble([constant([0.0, 0, 0], 1.0, passes=2), constant([0.0, 0, 0], 10.0, passes=2)])
    assert (mean.channels, mean.outputs) == (5, {"semantics": 3, "height": 1})
    outputs = mean(torch.zeros(1, 3, 4, 4))[0, 3:, 0, 0]
    np.testing.assert_allclose(outputs, [np.mean([1, 2, 10, 20]), np.var([1, 2, 10, 20])], rtol=1e-6)


@pytest.mark.parametrize(("metres", "expected"), [([9.0, 1.0, 2.0], 2), ([1.0, 30.0, 4.0, 2.0], 3)])
def test_heights_of_a_median_are_in_the_middle_and_scores_stay_means(metres: list[float], expected: float) -> None:
    logits = [[6.0, 0, 0], [0, 1.0, 0], [0, 0, 0], [0, 0, 0]][: len(metres)]
    networks = [constant(scores, height) for scores, height in zip(logits, metres, strict=True)]
    outputs = NetworkEnsemble(networks, "median")(torch.zeros(1, 3, 4, 4))
    assert outputs.shape == (1, 4, 4, 4)
    assert outputs[0, 3].unique().tolist() == [expected]
    torch.testing.assert_close(outputs[0, :3, 0, 0], torch.tensor(logits).softmax(dim=1).mean(dim=0))


@pytest.mark.parametrize("number", range(1, 8))
def test_median_is_that_of_numpy_element_by_element(number: int) -> None:
    values = torch.randn(number, 50, generator=torch.Generator().manual_seed(number))
    values[0, 0] = float("nan")
    np.testing.assert_allclose(median(list(values)).numpy(), np.median(values.numpy(), axis=0), rtol=1e-6)


def test_a_median_is_of_the_means_over_passes_and_its_variance_over_all_of_them() -> None:
    networks = [constant([0.0, 0, 0], height, passes=2) for height in (20.0, 1.0, 4.0)]
    several = NetworkEnsemble(networks, "median")
    assert several.outputs == {"semantics": 3, "height": 1}
    outputs = several(torch.zeros(1, 3, 4, 4))[0, :, 0, 0]
    assert outputs[several.slice_shown("height", "mean")].tolist() == [6], "the median of 30, 1.5 and 6"
    variance = outputs[several.slice_shown("height", "deviation")]
    np.testing.assert_allclose(variance, [np.var([20, 40, 1, 2, 4, 8])], rtol=1e-6)
    assert several.slice_shown("semantics", "classes") == several.slice_of("semantics") == slice(0, 3)


def test_maps_of_a_median_are_medians_of_the_networks_maps(
    members: list[Path], statistics: Statistics, tiles: Folders, tmp_path: Path
) -> None:
    """A window covers the tile, so that nothing is blended; maps of the image's grid have no means over cells."""
    options: dict[str, Any] = {"window": 128, "stride": 128, "image_maps": True}
    third = drawn_run(tmp_path / "third", tiny.run_plan(("height",), seed=3, height_unit=9), statistics, 7)
    runs = [*members[:2], third]
    single = [maps_of(run, tiles, tmp_path / run.name, **options)["image_height"] for run in runs]
    ensemble = maps_of(joined(runs, tmp_path / "joined", "median"), tiles, tmp_path / "maps", **options)
    expected = np.median(single, axis=0)
    assert abs(expected - np.mean(single, axis=0)).max() > 1e-2
    np.testing.assert_allclose(ensemble["image_height"], expected, rtol=1e-5, atol=1e-5)


def test_maps_of_a_median_with_dropout_show_the_median_and_the_deviation_over_all_passes(
    tiles: Folders, tmp_path: Path, members: list[Path]
) -> None:
    """All networks are constant, so that maps, deviations and meters have known values."""
    predictor = Predictor(joined(members[1:], tmp_path / "joined"), SPEC.model_copy(update={"dropout_passes": 2}))
    networks = [constant([0.0, 0, 0], height, passes=2) for height in (20.0, 1.0, 4.0)]
    predictor.network = NetworkEnsemble(networks, "median")
    predictor.blender = build_blender(predictor.network, predictor.prediction, 32, predictor.device)
    predictor.predict_tiles(tiles["test"], tmp_path / "maps")
    (tile,) = (tmp_path / "maps").iterdir()
    levels = []
    for name in ("height", "height_std"):
        with rasterio.open(tile / f"{name}.tif") as raster:
            levels += np.unique(raster.read(1)[np.isfinite(raster.read(1))]).tolist()
    np.testing.assert_allclose(levels, [6, np.std([20, 40, 1, 2, 4, 8])], rtol=1e-5)


def test_meters_measure_the_heights_that_the_map_shows() -> None:
    networks = [constant([0.0, 0, 0], height, passes=2) for height in (20.0, 1.0, 4.0)]
    for heights in AVERAGES:
        assert scored_channels(NetworkEnsemble(networks, heights))["height"] == slice(3, 4)


def test_passes_with_dropout_need_dropout_in_every_network(
    members: list[Path], statistics: Statistics, tmp_path: Path
) -> None:
    plan = tiny.run_plan().model_copy(update={"model": tiny.model_spec(dropout=0)})
    plain = drawn_run(tmp_path / "plain", plan, statistics)
    folder = joined([members[1], plain], tmp_path / "joined")
    with pytest.raises(ConfigError, match=r"dropout_passes: found 4; expected 0, as the model's dropout is 0"):
        Predictor(folder, SPEC.model_copy(update={"dropout_passes": 4}))


def test_windows_that_one_of_the_networks_does_not_take_are_refused(members: list[Path], tmp_path: Path) -> None:
    folder = joined(members, tmp_path / "joined")
    assert Predictor(folder, SPEC).blender.layout(96).window % 64 == 0
    with pytest.raises(ConfigError, match="window: found 96; expected a multiple of 64"):
        Predictor(folder, PredictionSpec(window=96, stride=96))


def test_the_raster_is_read_and_blended_once_whatever_the_number_of_networks(
    members: list[Path], tiles: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pixels: list[int] = []

    def counting(*arguments: Any) -> Any:
        read = strip_reader(*arguments)

        def counted(row: int, column: int, rows: int, columns: int) -> Any:
            pixels.append(rows * columns)
            return read(row, column, rows, columns)

        return counted

    monkeypatch.setattr("mtlaerial.prediction.predictor.strip_reader", counting)
    maps_of(members[0], tiles, tmp_path / "alone")
    alone = list(pixels)
    pixels.clear()
    folder = joined(members, tmp_path / "joined")
    maps_of(folder, tiles, tmp_path / "maps")
    assert pixels == alone
    assert Predictor(folder, SPEC).blender.channels == Predictor(members[0], SPEC).blender.channels, "and so the memory"


def test_maps_name_the_ensemble_and_not_a_member(members: list[Path], tiles: Folders, tmp_path: Path) -> None:
    folder = joined(members, tmp_path / "joined")
    image = tiles["test"][0] / "image.tif"
    Predictor(folder, SPEC).predict_image(image, tmp_path / "maps")
    with rasterio.open(tmp_path / "maps" / "height.tif") as raster:
        assert raster.tags()["RUN"] == "city/joined/seed0"
    with pytest.raises(Exception, match="found a map by another run, city/joined/seed0"):
        Predictor(members[1], SPEC).predict_image(image, tmp_path / "maps")
