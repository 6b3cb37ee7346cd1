"""Several networks as one: means of their scores and heights, in one pass over the raster."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import torch

from mtlaerial.config import PredictionSpec
from mtlaerial.errors import ConfigError
from mtlaerial.models.normalisation import Normalisation
from mtlaerial.prediction.map_network import MapNetwork
from mtlaerial.prediction.network_mean import NetworkMean
from mtlaerial.prediction.predictor import Predictor
from mtlaerial.prediction.strip_reader import strip_reader
from mtlaerial.runs.ensemble import make_ensemble
from mtlaerial.tiles.statistics import Statistics
from support import tiny
from support.networks import network_spec
from support.small_runs import drawn_run

SPEC = PredictionSpec(window=64, stride=48, activation="softmax")
OUTPUTS = {"semantics": 3, "height": 1}
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


def joined(runs: list[Path], folder: Path) -> Path:
    make_ensemble(runs, folder)
    return folder


def constant(semantics: list[float], height: float, passes: int = 1) -> MapNetwork:
    """Return a network whose outputs do not depend on the image; its passes are 1, 2 and so on times as high."""

    def forward(image: torch.Tensor) -> list[dict[str, torch.Tensor]]:
        scores = torch.tensor(semantics)[None, :, None, None].expand(-1, -1, *image.shape[-2:])
        level = torch.full((1, 1, *image.shape[-2:]), height)
        return [{"semantics": scores, "height": factor * level} for factor in range(1, passes + 1)]

    spec = SPEC.model_copy(update={"dropout_passes": passes if passes > 1 else 0})
    return MapNetwork(forward, Normalisation(0, 1), spec, OUTPUTS, 1)


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
    outputs = NetworkMean([sure, unsure])(windows)
    probabilities = torch.tensor([[6.0, 0, 0], [0, 1, 0]]).softmax(dim=1).mean(dim=0)
    torch.testing.assert_close(outputs[0, :3, 0, 0], probabilities)
    assert outputs[0, 3].unique().tolist() == [2.5]


def test_a_task_is_averaged_over_the_networks_that_learn_it() -> None:
    both = constant([1.0, 0, 0], 2.0)
    heights = MapNetwork(
        lambda x: [{"height": torch.full((1, 1, 4, 4), 8.0)}], Normalisation(0, 1), SPEC, {"height": 1}, 1
    )
    mean = NetworkMean([heights, both])
    assert mean.outputs == {"height": 1, "semantics": 3}
    outputs = mean(torch.zeros(1, 3, 4, 4))
    assert outputs[:, mean.slice_of("height")].unique().tolist() == [5]
    torch.testing.assert_close(outputs[:, mean.slice_of("semantics")], both(torch.zeros(1, 3, 4, 4))[:, :3])


def test_with_dropout_the_deviation_is_over_the_passes_of_all_networks() -> None:
    mean = NetworkMean([constant([0.0, 0, 0], 1.0, passes=2), constant([0.0, 0, 0], 10.0, passes=2)])
    assert (mean.passes, mean.outputs) == (2, {"semantics": 3, "height": 4})
    heights = mean(torch.zeros(1, 3, 4, 4))[0, mean.slice_of("height"), 0, 0]
    assert heights.tolist() == [1, 2, 10, 20]


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
