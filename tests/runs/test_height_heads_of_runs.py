"""Runs of every height head: heights in maps, exports, scores and descriptions."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import rasterio
import torch
import yaml
from torch import Tensor

from mtlaerial.config import PredictionSpec, ScoringSpec
from mtlaerial.config.height_head import height_channels
from mtlaerial.export.formats import save_onnx
from mtlaerial.export.network import Contents, ExportedNetwork, traced
from mtlaerial.prediction.predictor import Predictor
from mtlaerial.rasters.geotiff import map_raster
from mtlaerial.runs.loading import load_run
from mtlaerial.runs.run import load_description, save_description
from mtlaerial.runs.text import describe_run
from mtlaerial.scoring.metrics import height_scores
from mtlaerial.scoring.run_scores import score_run
from mtlaerial.scoring.scores import Scores
from mtlaerial.tiles.statistics import Statistics
from mtlaerial.training.train import train
from support import tiny
from support.sample_scores import experiment
from support.small_runs import drawn_run
from support.tiny import Folders

BINS = {"name": "bins", "count": 4, "largest": 30, "spacing": "linear"}
LIKELIHOOD = {"height_loss": "likelihood"}
CENTRES = torch.tensor([0.0, 10, 20, 30])
Metres = Callable[[Tensor], Tensor]
"""From a network's output, (channels, rows, columns), to metres with a height_unit of 5."""
HEADS: dict[str, tuple[dict[str, Any], Metres, str]] = {
    "log1p": ({"height_head": "log1p"}, lambda output: 5 * output[0].sign() * output[0].abs().expm1(), "head log1p"),
    "bins": (
        {"height_head": BINS, **LIKELIHOOD},
        lambda output: torch.einsum("brc,b->rc", output.softmax(0), CENTRES),
        "expectation of 4 bins, 0 to 30 m",
    ),
    "laplace": (
        {"height_head": "laplace", **LIKELIHOOD, "height_non_negative": True},
        lambda output: 5 * output[0].exp().log1p(),
        "; height head laplace; never negative",
    ),
    "gaussian": (
        {"height_head": "gaussian", **LIKELIHOOD},
        lambda output: 5 * output[0],
        "; height head gaussian",
    ),
}
"""Recipe, heights and description of each head, written here a second time."""
every_head = pytest.mark.parametrize(("keys", "metres", "words"), HEADS.values(), ids=HEADS)


@every_head
def test_maps_and_exports_show_the_heights_of_the_head(
    keys: dict[str, Any], metres: Metres, words: str, tiles: Folders, statistics: Statistics, tmp_path: Path
) -> None:
    folder = drawn_run(tmp_path / "run", tiny.run_plan(("height",), **keys), statistics)
    predictor = Predictor(folder, PredictionSpec(window=tiny.SIZE, stride=tiny.SIZE))
    (tile,) = tiles["test"]
    image = torch.from_numpy(np.array(map_raster(tile / "image.tif"))).movedim(-1, 0)[None].float()
    with torch.inference_mode():
        output = predictor.runs[0].model(image / 127.5 - 1)["height"][0]
    assert len(output) == height_channels(predictor.description.plan.training.height_head)
    expected = metres(output).reshape(48, 2, 48, 2).mean(dim=(1, 3))  # cells of 1 m, pixels of 0.5 m
    predictor.predict_tiles(tiles["test"], tmp_path / "maps")
    with rasterio.open(tmp_path / "maps" / tile.name / "height.tif") as source:
        np.testing.assert_allclose(source.read(1), expected, rtol=1e-3, atol=1e-3)
    loaded = load_run(folder, torch.device("cpu"))
    contents = Contents(loaded.description, ("height",))
    exported = ExportedNetwork(loaded, contents)(image)["height"]
    assert exported.shape == (1, contents.channels["height"], tiny.SIZE, tiny.SIZE) == (1, 1, tiny.SIZE, tiny.SIZE)
    torch.testing.assert_close(exported[0, 0], metres(output), rtol=1e-3, atol=1e-3)
    assert words in describe_run(folder)


def median_of_bins(output: Tensor) -> Tensor:
    """Return the median in metres: the height at which the probability, shared halfway beside each bin, is 1/2."""
    probabilities = output.softmax(0).numpy()
    cumulated = probabilities.cumsum(0) - 0.5 * probabilities
    pixels = cumulated.reshape(len(CENTRES), -1).T
    medians = [np.interp(0.5, shares, CENTRES.numpy()) for shares in pixels]
    return torch.from_numpy(np.array(medians, np.float32).reshape(output.shape[1:]))


def test_the_height_of_bins_belongs_to_the_prediction(statistics: Statistics, tmp_path: Path) -> None:
    keys: dict[str, Any] = {"height_head": BINS, **LIKELIHOOD}
    plan = tiny.run_plan(("height",), **keys)
    median = plan.model_copy(update={"prediction": PredictionSpec(height_of_bins="median")})
    assert plan.decisive("train") == median.decisive("train")
    assert plan.decisive("describe_run") != median.decisive("describe_run")
    image = 255 * torch.rand(1, 3, 32, 32)
    for name, described, metres in (("mean", plan, HEADS["bins"][1]), ("median", median, median_of_bins)):
        folder = drawn_run(tmp_path / name, described, statistics)
        predictor = Predictor(folder, described.prediction)
        with torch.inference_mode():
            output = predictor.runs[0].model(image / 127.5 - 1)["height"][0]
            height = predictor.network(image)[0, predictor.network.slice_of("height")]
            contents = Contents(load_description(folder), ("height",))
            exported = ExportedNetwork(load_run(folder, torch.device("cpu")), contents)(image)["height"][0]
        torch.testing.assert_close(height[0], metres(output), rtol=1e-3, atol=1e-3)
        torch.testing.assert_close(exported[0], metres(output), rtol=1e-3, atol=1e-3)
    assert "; median of 4 bins" in describe_run(tmp_path / "median")


def test_a_run_that_states_the_height_of_bins_in_its_head_is_predicted_by_it(
    statistics: Statistics, tmp_path: Path
) -> None:
    plan = tiny.run_plan(("height",), height_head=BINS, **LIKELIHOOD)
    path = drawn_run(tmp_path / "run", plan, statistics) / "run.yaml"
    entries = yaml.safe_load(path.read_text())
    del entries["plan"]["prediction"]["height_of_bins"]
    entries["plan"]["training"]["height_head"]["value"] = "median"
    path.write_text(yaml.safe_dump(entries))
    assert load_description(path.parent).plan.prediction.height_of_bins == "median"
    stated = {key: entries["plan"][key] for key in ("training", "prediction")}
    scores = Scores.parse({**experiment()[0].model_dump(mode="json"), **stated}, "scores.json")
    assert scores.prediction
    assert scores.prediction.height_of_bins == "median"


def test_a_softplus_without_effect_on_bins_trains_nothing_again() -> None:
    bins = {"height_head": BINS, **LIKELIHOOD}
    for head, same in ((bins, True), ({}, False)):
        plans = [tiny.run_plan(("height",), **head, height_non_negative=value) for value in (False, True)]
        assert (plans[0].decisive() == plans[1].decisive()) is same


@pytest.mark.full("trains, and runs torch's exporter")
@pytest.mark.parametrize("keys", [keys for keys, _, _ in HEADS.values()], ids=HEADS)
def test_a_trained_run_is_predicted_scored_and_exported(
    keys: dict[str, Any], tiles: Folders, statistics: Statistics, tmp_path: Path
) -> None:
    # The expectation of bins begins at their middle, 15 m here.
    epochs = 100 if keys["height_head"] == BINS else 40
    plan = tiny.run_plan(**{"epochs": epochs, "epoch_patches": 8, "learning_rate": 3e-3, **keys})
    train(tiny.job(plan, statistics, tiles["train"], [], tmp_path))
    save_description(tmp_path, plan, statistics)
    predictor = Predictor(tmp_path, PredictionSpec(window=tiny.SIZE, stride=tiny.SIZE))
    predictor.predict_tiles(tiles["test"], tmp_path / "maps")
    assert statistics.height
    sums = score_run(tmp_path, tiles["test"], ScoringSpec()).height("all")["overall"]
    assert height_scores(sums)["MAE"] < statistics.height.std
    loaded = load_run(tmp_path, torch.device("cpu"))
    contents = Contents(loaded.description, loaded.description.plan.tasks)
    save_onnx(traced(ExportedNetwork(loaded, contents), contents), tmp_path / "town.onnx", contents, {})
    session = onnxruntime.InferenceSession(tmp_path / "town.onnx")
    image = 255 * torch.rand(1, 3, 64, 96)
    expected = predictor.network(image)[:, predictor.network.slice_of("height")]
    (height,) = session.run(["height"], {"image": image.numpy()})
    np.testing.assert_allclose(height, expected, rtol=1e-3, atol=1e-3)
