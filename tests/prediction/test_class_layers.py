"""Further maps of classes: probabilities, their entropy, and the part of it by which samples disagree."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import torch

from mtlaerial.config import PredictionSpec
from mtlaerial.models.height_heads import LinearHead
from mtlaerial.models.normalisation import Normalisation
from mtlaerial.prediction.map_network import MapNetwork
from mtlaerial.prediction.map_values import MAKERS
from mtlaerial.prediction.network_ensemble import NetworkEnsemble
from mtlaerial.prediction.predictor import Predictor
from mtlaerial.tiles.statistics import Statistics
from support import tiny
from support.small_runs import drawn_run

LAYERS = ["probabilities", "entropy", "mutual_information"]
NAMES = [f"semantics_{layer}" for layer in LAYERS]
SPEC = PredictionSpec.parse(
    {"window": 64, "stride": 48, "activation": "softmax", "dropout_passes": 2, "layers": LAYERS}, "prediction"
)
Folders = dict[str, list[Path]]


@pytest.fixture(scope="module")
def run(statistics: Statistics, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return drawn_run(tmp_path_factory.mktemp("run"), tiny.run_plan(("semantics",)), statistics)


def entropy(shares: np.ndarray, axis: int) -> np.ndarray:
    return -(shares * np.log2(np.where(shares > 0, shares, 1))).sum(axis=axis)


def shares_of(logits: np.ndarray, activation: str) -> tuple[np.ndarray, np.ndarray]:
    """Return scores and shares, which add up to 1 along the last axis."""
    scores = (
        np.exp(logits) / np.exp(logits).sum(-1, keepdims=True) if activation == "softmax" else 1 / (1 + np.exp(-logits))
    )
    return scores, scores / scores.sum(-1, keepdims=True)


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_mutual_information_is_that_of_class_and_sample(activation: str) -> None:
    """Of three networks with two passes each: by its definition, over all six."""
    logits = np.random.default_rng(0).normal(0, 2, (3, 2, 4))
    prediction = SPEC.model_copy(update={"activation": activation})

    def network(passes: np.ndarray) -> MapNetwork:
        outputs = [{"semantics": torch.tensor(each).float()[None, :, None, None].expand(1, 4, 8, 8)} for each in passes]
        return MapNetwork(lambda _: outputs, Normalisation(0, 1), prediction, {"semantics": 4}, LinearHead(1))

    ensemble = NetworkEnsemble([network(passes) for passes in logits])
    assert ensemble.channels == 4 + 1
    outputs = ensemble(torch.zeros(1, 3, 8, 8))[0]
    scores, shares = shares_of(logits, activation)
    np.testing.assert_allclose(outputs[:4, 0, 0], scores.mean(axis=(0, 1)), rtol=1e-5)
    expected = entropy(shares.mean(axis=(0, 1)), -1) - entropy(shares, -1).mean()
    assert expected > 0.1
    for channel in (outputs[4], torch.from_numpy(MAKERS["mutual_information"](outputs[4:]))):
        np.testing.assert_allclose(channel, expected, rtol=1e-4)


def test_scores_become_probabilities_and_their_entropy() -> None:
    scores = np.random.default_rng(0).uniform(0, 1, (5, 3, 4)).astype(np.float32)
    scores[:, 0, 0], scores[:, 1, 1] = np.nan, [0, 0, 0.5, 0, 0]
    expected = scores / scores.sum(axis=0)
    np.testing.assert_allclose(MAKERS["probabilities"](torch.from_numpy(scores)), expected, rtol=1e-6)
    bits = MAKERS["entropy"](torch.from_numpy(scores))
    np.testing.assert_allclose(bits, entropy(expected, 0), rtol=1e-5, atol=1e-6)
    assert np.isnan(bits[0, 0])
    assert bits[1, 1] == 0


def test_maps_of_tiles_have_exact_layers_that_belong_together(run: Path, tiles: Folders, tmp_path: Path) -> None:
    Predictor(run, SPEC).predict_tiles(tiles["test"], tmp_path)
    (folder,) = tmp_path.iterdir()
    assert sorted(path.stem for path in folder.glob("*.tif")) == sorted(["semantics", *NAMES])
    maps = {}
    for name in ("semantics", *NAMES):
        with rasterio.open(folder / f"{name}.tif") as source:
            maps[name] = source.read()
            assert source.dtypes[0] == ("uint8" if name == "semantics" else "float32")
    probabilities = maps[NAMES[0]]
    assert len(probabilities) == 6
    np.testing.assert_allclose(probabilities.sum(axis=0), 1, rtol=1e-5)
    np.testing.assert_array_equal(probabilities.argmax(axis=0), maps["semantics"][0])
    np.testing.assert_allclose(maps[NAMES[1]][0], entropy(probabilities.astype(float), 0), rtol=1e-4, atol=1e-5)
    assert 0 <= maps[NAMES[2]].min() < maps[NAMES[2]].max()
    assert (maps[NAMES[2]] <= maps[NAMES[1]] + 1e-5).all()


def test_maps_for_people_are_small_named_and_say_their_scale(
    run: Path, tiles: Folders, statistics: Statistics, tmp_path: Path
) -> None:
    Predictor(run, SPEC).predict_image(tiles["test"][0] / "image.tif", tmp_path)
    stored: dict[str, tuple[Any, ...]] = {}
    values = {}
    for name in NAMES:
        with rasterio.open(tmp_path / f"{name}.tif") as source:
            stored[name] = source.dtypes[0], source.nodata, source.scales[0], source.units[0], source.descriptions
            values[name] = source.read(masked=True) * source.scales[0]
        assert (tmp_path / f"{name}.qml").exists()
    classes = tuple(entry.name for entry in statistics.classes)
    assert stored[NAMES[0]] == ("uint8", 255, 0.004, None, classes)
    assert stored[NAMES[1]] == ("int16", -32768, 0.001, "bit", ("entropy of the class probabilities",))
    assert stored[NAMES[2]][:4] == ("int16", -32768, 0.001, "bit")
    np.testing.assert_allclose(values[NAMES[0]].sum(axis=0), 1, atol=6 * 0.002)
    expected = entropy(np.asarray(values[NAMES[0]], float), 0)
    np.testing.assert_allclose(values[NAMES[1]][0], expected, atol=0.05)
    Predictor(run, SPEC.model_copy(update={"layers": ()})).predict_image(tiles["test"][0] / "image.tif", tmp_path)
    assert [path.stem for path in tmp_path.glob("*.tif")] == ["semantics"], (
        "layers of an earlier prediction are removed"
    )
