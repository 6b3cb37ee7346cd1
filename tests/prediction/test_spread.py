"""The spread of heights: variances of samples, of overlapping windows and of the height head, which add up."""

import itertools
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import torch
from torch import Tensor
from torch.nn.functional import conv2d

from mtlaerial.config import PredictionSpec, TrainingSpec
from mtlaerial.config.ensemble import Average
from mtlaerial.datasets.check.findings import percent
from mtlaerial.errors import ConfigError
from mtlaerial.models.height_heads import build_height_head
from mtlaerial.models.normalisation import Normalisation
from mtlaerial.prediction.map_network import MapNetwork
from mtlaerial.prediction.network_ensemble import NetworkEnsemble
from mtlaerial.prediction.predictor import Predictor
from mtlaerial.prediction.settings import prediction_for
from mtlaerial.runs.ensemble import make_ensemble
from mtlaerial.tiles.statistics import Statistics
from support import tiny
from support.losses import HEADS
from support.small_runs import drawn_run

WINDOWS = {"window": 64, "stride": 48, "activation": "softmax"}
SPEC = PredictionSpec.parse(WINDOWS, "prediction")
UNIT = 5
"""Metres per unit of the networks' heights."""
Folders = dict[str, list[Path]]
SCALED = [name for name, keys in HEADS.items() if keys.get("height_head") in ("laplace", "gaussian")]


def spec(**keys: Any) -> PredictionSpec:
    return PredictionSpec.parse({**WINDOWS, **keys}, "prediction")


def constant(outputs: Sequence[Sequence[float]], prediction: PredictionSpec, head: str = "laplace") -> MapNetwork:
    """Return a network whose passes have given channels of the height at all pixels."""
    heights = build_height_head(TrainingSpec(height_unit=UNIT, **HEADS[head]))

    def forward(image: Tensor) -> list[dict[str, Tensor]]:
        size = image.shape[-2:]
        return [{"height": torch.tensor(each)[None, :, None, None].expand(-1, -1, *size)} for each in outputs]

    return MapNetwork(forward, Normalisation(0, 1), prediction, {"height": len(outputs[0])}, heights)


def mean_and_variance(network: Any) -> list[float]:
    channels = network(torch.zeros(1, 3, 32, 32))[0]
    assert channels.shape == (2, 32, 32)
    return [float(channels[0].unique()), float(channels[1].unique())]


def test_samples_are_all_passes_over_all_views() -> None:
    """Of a large height, of which the mean square less the squared mean would leave nothing."""
    weights = 0.01 * torch.randn(1, 3, 3, 3, generator=torch.Generator().manual_seed(0))

    def forward(view: Tensor) -> list[dict[str, Tensor]]:
        height = 60 + conv2d(view, weights, padding=1)
        return [{"height": height}, {"height": height + 0.02}]

    heights = build_height_head(TrainingSpec(height_unit=UNIT))
    prediction = spec(dropout_passes=2, views=["mirror", "turns"])
    network = MapNetwork(forward, Normalisation(0, 1), prediction, {"height": 1}, heights)
    image = torch.rand(2, 3, 32, 32)
    samples = []
    for quarters, mirrored in itertools.product(range(4), (False, True)):
        view = torch.rot90(image.flip(-1) if mirrored else image, quarters, (-2, -1))
        for outputs in forward(2 * view - 1):
            straight = torch.rot90(outputs["height"], -quarters, (-2, -1))
            samples.append(UNIT * (straight.flip(-1) if mirrored else straight).double())
    mean, variance = torch.stack(samples).mean(dim=0), torch.stack(samples).var(dim=0, correction=0)
    blended = network(image)
    assert len(samples) == 16 == prediction.samples
    torch.testing.assert_close(blended[:, :1].double(), mean, rtol=1e-6, atol=0)
    torch.testing.assert_close(blended[:, 1:].sqrt().double(), variance.sqrt(), rtol=1e-2, atol=1e-4)


@pytest.mark.parametrize("head", SCALED)
@pytest.mark.parametrize("sources", [["head"], ["samples"], ["samples", "head"]])
@pytest.mark.parametrize("average", ["mean", "median"])
def test_variances_of_samples_and_head_add_up_by_the_law_of_total_variance(
    head: str, sources: list[str], average: Average
) -> None:
    prediction = spec(dropout_passes=2, spread=sources)
    outputs = [[(4.0, -1.0), (4.5, 0.5)], [(6.0, 0.0), (7.0, 1.0)], [(5.0, 2.0), (1.0, -2.0)]]
    ensemble = NetworkEnsemble([constant(each, prediction, head) for each in outputs], average)
    heights, channels = UNIT * np.array(outputs)[..., 0], np.exp(np.array(outputs)[..., 1])
    distributions = {"laplace": 2 * (channels + 0.01) ** 2, "gaussian": channels + 0.01**2}
    within = UNIT**2 * distributions[head]
    expected = heights.var() * ("samples" in sources) + within.mean() * ("head" in sources)
    means = heights.mean(axis=1)
    np.testing.assert_allclose(
        mean_and_variance(ensemble), [np.mean(means) if average == "mean" else np.median(means), expected], rtol=1e-5
    )
    alone = constant(outputs[0], prediction, head)
    expected = heights[0].var() * ("samples" in sources) + within[0].mean() * ("head" in sources)
    np.testing.assert_allclose(mean_and_variance(alone), [heights[0].mean(), expected], rtol=1e-5)


def test_a_spread_costs_one_channel_whatever_the_number_of_samples() -> None:
    for keys, channels in (
        ({}, 1),
        ({"dropout_passes": 30}, 2),
        ({"dropout_passes": 30, "views": ["mirror", "turns", "scales"], "spread": ["samples", "overlap"]}, 2),
        ({"dropout_passes": 30, "spread": []}, 1),
        ({"views": ["mirror"]}, 1),
        ({"spread": ["head"]}, 2),
    ):
        network = constant([(1.0, 0.0)], spec(**keys))
        assert network.channels == channels, keys
        assert NetworkEnsemble([network] * 5, "median").channels == channels, keys


def pixels(path: Path) -> np.ndarray:
    with rasterio.open(path) as source:
        return source.read(1)


def test_windows_that_overlap_have_a_spread_and_others_none(
    statistics: Statistics, tiles: Folders, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Windows of 64 pixels every 48 of 96: from row and column 32 to 64, two overlap."""
    run = drawn_run(tmp_path / "run", tiny.run_plan(("height",)), statistics)
    caplog.set_level(logging.INFO)
    for name, keys in {"plain": {}, "overlap": {"spread": ["overlap"]}}.items():
        Predictor(run, spec(image_maps=True, **keys)).predict_tiles(tiles["test"], tmp_path / name)
    plain, folder = (tmp_path / name / tiles["test"][0].name for name in ("plain", "overlap"))
    assert not (plain / "height_std.tif").exists()
    for name in ("height.tif", "image_height.tif"):
        assert np.array_equal(pixels(folder / name), pixels(plain / name), equal_nan=True)
    deviation = pixels(folder / "image_height_std.tif")
    assert np.isnan(deviation[:32, :32]).all(), "one window alone covers them"
    assert (deviation[46:50] > 0).mean() > 0.99, "two windows have about the same weight"
    share = percent(np.isnan(deviation).mean())
    assert f"image.tif: {share} of the pixels have no deviation by overlap, as one window alone" in caplog.text
    with rasterio.open(folder / "height_std.tif") as source:
        assert source.descriptions == ("standard deviation of height, by overlap",)


@pytest.fixture(scope="module")
def runs(statistics: Statistics, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return runs of heights by a head without and with a scale, and one of classes alone."""
    folder = tmp_path_factory.mktemp("runs")
    plans = {
        "linear": tiny.run_plan(("height",)),
        "laplace": tiny.run_plan(("height",), **HEADS["laplace"]),
        "classes": tiny.run_plan(("semantics",)),
    }
    return {name: drawn_run(folder / name, plan, statistics) for name, plan in plans.items()}


@pytest.mark.parametrize(
    ("run", "keys", "words"),
    [
        ("linear", {"spread": ["samples"]}, "spread: found samples, and a single sample of height; expected several: "),
        ("linear", {"spread": ["head"]}, r"spread: found head, and the height head linear of city/equal/seed0; expec"),
        ("classes", {"layers": ["mutual_information"]}, "layers: found mutual_information, and a single sample of sem"),
    ],
)
def test_a_predictor_that_a_network_cannot_serve_is_refused(
    runs: dict[str, Path], run: str, keys: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConfigError, match=rf"prediction\.{words}"):
        Predictor(runs[run], spec(**keys))
    with pytest.raises(ConfigError, match=rf"--{words}"):
        prediction_for(runs[run], **{key: ",".join(names) for key, names in keys.items()})


def test_a_spread_needs_samples_and_heads_in_every_network_of_an_ensemble(
    runs: dict[str, Path], tmp_path: Path
) -> None:
    make_ensemble([runs["laplace"], runs["classes"]], tmp_path / "one")
    assert Predictor(tmp_path / "one", spec(spread=["head"], layers=["entropy"])).network.channels == 6 + 1 + 1
    with pytest.raises(ConfigError, match="single sample of height; expected several"):
        Predictor(tmp_path / "one", spec(spread=["samples"]))
    make_ensemble([runs["laplace"], runs["linear"]], tmp_path / "both")
    assert Predictor(tmp_path / "both", spec(spread=["samples"])).network.channels == 2
    with pytest.raises(ConfigError, match="height head linear of city/equal/seed0"):
        Predictor(tmp_path / "both", spec(spread=["head"]))


def test_what_no_task_has_is_said(runs: dict[str, Path], caplog: pytest.LogCaptureFixture) -> None:
    Predictor(runs["linear"], spec(layers=["entropy"]))
    assert "city/equal/seed0: no map of entropy, as no classes are learned" in caplog.text
    Predictor(runs["classes"], spec(spread=["overlap"]))
    assert "city/equal/seed0: no map of the spread by overlap, as no heights are learned" in caplog.text


def test_options_name_sources_and_layers(runs: dict[str, Path]) -> None:
    prediction = prediction_for(runs["classes"], spread="overlap", layers="entropy, probabilities")
    assert (prediction.spread, prediction.layers) == (("overlap",), ("probabilities", "entropy"))
    assert prediction_for(runs["linear"], dropout_passes=2, spread="none").spread_sources == ()
    with pytest.raises(ConfigError, match="--layers: found 'entropie'; expected none, or some of probabilities, "):
        prediction_for(runs["classes"], layers="entropie")
