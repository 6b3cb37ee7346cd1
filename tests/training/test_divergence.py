"""Warnings of trainings whose results are worse than those of a constant prediction."""

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from mtlaerial.rasters.geotiff import map_raster
from mtlaerial.runs.progress_file import last_record, load_progress, progress_path
from mtlaerial.tiles.statistics import Statistics
from mtlaerial.tiles.tile import load_tiles
from mtlaerial.training.divergence import divergence
from mtlaerial.training.height_limit import warn_of_taller
from mtlaerial.training.train import train
from mtlaerial.training.validation import Validator
from support import tiny
from support.tiny import Folders


def test_a_diverged_training_does_not_end_without_a_warning(
    tiles: Folders, statistics: Statistics, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    plan = tiny.run_plan(learning_rate=1e4, epochs=2)
    train(tiny.job(plan, statistics, tiles["train"], tiles["val"], tmp_path))
    assert statistics.height
    truth = np.concatenate([map_raster(tile / "height.tif").ravel() for tile in tiles["val"]])
    median = np.nanmean(abs(truth - statistics.height.median))
    history = pd.read_csv(tmp_path / "history.csv")
    assert history["constant_MAE"].to_numpy() == pytest.approx(median, rel=1e-5)
    error = history["val_MAE"].iloc[-1]
    assert error > 1e3
    warning = f"the validation MAE of {error:.3g} m is above {median:.3g} m"
    texts = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert len([text for text in texts if text.startswith("Weights of epoch 2: ") and warning in text]) == 2
    last = last_record(tmp_path)
    assert last
    assert last.event == "end"
    assert warning in last.warning
    warned = [record.event for record in load_progress(progress_path(tmp_path)) if record.warning]
    assert warned.count("validation") == 1  # the second in a row


def test_the_end_warns_of_the_weights_that_were_chosen(
    tiles: Folders, statistics: Statistics, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last epoch is worse than the first, whose weights are the best."""
    scores = iter([{"OA": 1.0, "score": 1.0}, {"OA": 0.0, "score": 0.0}])
    monkeypatch.setattr("mtlaerial.training.validation.Validator.__call__", lambda *_: dict(next(scores)))
    for selection, warned in (("best", False), ("last", True)):
        scores = iter([{"OA": 1.0, "score": 1.0}, {"OA": 0.0, "score": 0.0}])
        plan = tiny.run_plan(epochs=2, selection=selection)
        train(tiny.job(plan, statistics, tiles["train"], tiles["val"], tmp_path / selection))
        last = last_record(tmp_path / selection)
        assert last
        assert bool(last.warning) == warned


@pytest.mark.quick_cases(2, "a training a case")
@pytest.mark.parametrize(
    ("accuracies", "warned"),
    [
        ([0.0, 0.9, 0.9], [False, False, False]),  # nearly every training
        ([0.9, 0.0, 0.9], [False, False, False]),
        ([0.0, 0.0, 0.9], [False, True, False]),
        ([0.9, 0.0, 0.0], [False, False, True]),
    ],
)
def test_a_training_that_goes_on_is_warned_of_when_two_validations_in_a_row_are_worse(
    tiles: Folders,
    statistics: Statistics,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    accuracies: list[float],
    warned: list[bool],
) -> None:
    scores = iter(accuracies)
    monkeypatch.setattr("mtlaerial.training.validation.Validator.__call__", lambda *_: {"OA": next(scores)})
    monkeypatch.setattr("mtlaerial.training.validation.Validator._scores", lambda *_: {"OA": 0.5})
    train(tiny.job(tiny.run_plan(epochs=3), statistics, tiles["train"], tiles["val"], tmp_path))
    records = [record for record in load_progress(progress_path(tmp_path)) if record.event == "validation"]
    assert [bool(record.warning) for record in records] == warned
    history = pd.read_csv(tmp_path / "history.csv")
    assert history["val_OA"].tolist() == accuracies
    assert set(history["constant_OA"]) == {0.5}


def test_one_task_after_the_other_is_not_persistent(statistics: Statistics) -> None:
    semantics = {"val_OA": 0.1, "constant_OA": 0.5, "val_MAE": 1.0, "constant_MAE": 2.0}
    height = {"val_OA": 0.9, "constant_OA": 0.5, "val_MAE": 3.0, "constant_MAE": 2.0}
    assert divergence([semantics, height], tiny.run_plan(), statistics) == ""
    text = divergence([height, semantics | {"val_MAE": 4.0}], tiny.run_plan(), statistics)
    assert "MAE of 4 m" in text
    assert "OA" not in text


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"val_OA": 0.5, "constant_OA": 0.5, "val_MAE": 2.0, "constant_MAE": 2.0}, ()),
        ({"val_OA": 0.4999, "constant_OA": 0.5, "val_MAE": 2.0001, "constant_MAE": 2.0}, ()),  # printed alike
        ({"val_OA": 0.1234, "constant_OA": 0.5}, ("OA of 12.3 % is below 50 %",)),
        ({"val_MAE": 6e14, "constant_MAE": 2.0}, ("MAE of 6e+14 m is above 2 m",)),
        ({"val_MAE": math.nan, "constant_MAE": 2.0}, ("MAE of nan m",)),
        ({"val_OA": 0.1, "constant_OA": 0.5, "val_MAE": 3.0, "constant_MAE": 2.0}, ("OA", "; the validation MAE")),
        ({"val_OA": 0.9, "loss_height": 1e9}, ()),  # the validation tiles have no heights
        ({"loss_semantics": 1e9, "loss_height": 1e9}, ("training loss of semantics", "; the training loss of height")),
        ({"loss_semantics": math.log(4), "loss_height": 0.1}, ()),
        ({}, ()),
    ],
)
def test_both_numbers_are_given(statistics: Statistics, row: dict[str, Any], words: tuple[str, ...]) -> None:
    text = divergence([{"step": 1, **row}], tiny.run_plan(), statistics)
    assert bool(text) == bool(words)
    for word in words:
        assert word in text


def test_without_validation_tiles_losses_are_compared(statistics: Statistics) -> None:
    """With heights in units of 5 m; a constant height is off by less than the standard deviation."""
    height = statistics.height
    assert height
    plan = tiny.run_plan(height_unit=5)
    assert divergence([{"loss_height": 0.99 * height.std / 5}], plan, statistics) == ""
    assert f"above {height.std:.3g} m" in divergence([{"loss_height": 1.01 * height.std / 5}], plan, statistics)
    positive = statistics.model_copy(update={"zero_height": False})
    assert divergence([{"loss_height": 0.99 * height.maximum / 5}], plan, positive) == ""
    assert f"above {height.maximum:.3g} m" in divergence([{"loss_height": height.maximum}], plan, positive)


def test_heights_that_are_no_numbers_are_not_the_best(
    tiles: Folders, statistics: Statistics, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Classes are better in the first epoch, whose heights are not numbers."""
    epochs = iter([(0, math.inf), (1, 2.0)])
    truth = map_raster(tiles["val"][0] / "labels.tif"), map_raster(tiles["val"][0] / "height.tif")

    def maps(*_: object) -> dict[str, Any]:
        wrong, height = next(epochs)
        return {"semantics": truth[0] + np.uint8(wrong), "height": np.full_like(truth[1], height)}

    monkeypatch.setattr("mtlaerial.training.validation.predict_arrays", maps)
    plan = tiny.run_plan(epochs=2, selection="best")
    train(tiny.job(plan, statistics, tiles["train"], tiles["val"], tmp_path))
    history = pd.read_csv(tmp_path / "history.csv")
    assert history["val_score"].iloc[0] == -math.inf
    assert history["val_mIoU"].iloc[0] > history["val_mIoU"].iloc[1]
    best, last = ((tmp_path / f"{name}.safetensors").read_bytes() for name in ("best", "last"))
    assert best == last


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_one_height_that_is_no_number_is_an_error_that_is_worse_than_any(
    tiles: Folders, statistics: Statistics, monkeypatch: pytest.MonkeyPatch, value: float
) -> None:
    validator = Validator(load_tiles(tiles["val"], torch.device("cpu"), 10), statistics)
    (tile,) = validator.tiles
    heights = tile.height[..., 0].numpy().copy()
    heights[np.unravel_index(np.isfinite(heights).argmax(), heights.shape)] = value
    maps = {"semantics": tile.labels[..., 0].numpy(), "height": heights}
    monkeypatch.setattr("mtlaerial.training.validation.predict_arrays", lambda *_: maps)
    network: Any = SimpleNamespace(outputs=maps)
    stop: Any = SimpleNamespace(check=lambda: None)
    scores = validator(network, network, stop)
    assert scores["score"] == -math.inf
    assert not math.isfinite(scores["MAE"])
    row = {f"val_{key}": score for key, score in scores.items()}
    row |= {f"constant_{key}": validator.constant[key] for key in ("OA", "MAE")}
    assert "validation MAE of" in divergence([row], tiny.run_plan(), statistics)


@pytest.mark.parametrize(
    ("training", "bound", "words"),
    [
        ({"height_head": "log1p"}, math.log1p(4), "that of heights of 0"),  # 20 m in units of 5 m
        ({"height_head": {"count": 8}, "height_loss": "likelihood"}, math.log(8), "equal probabilities of"),
        (
            {"height_head": "laplace", "height_loss": "likelihood"},
            1 + math.log(120),
            "that of the median and one scale",
        ),
        (
            {"height_head": "gaussian", "height_loss": "likelihood"},
            0.5 + math.log(120),
            "that of the mean and one deviation",
        ),
        ({"height_head": "linear", "height_gradient": 1}, math.inf, ""),
        ({"height_balance": "by_height"}, math.inf, ""),
    ],
)
def test_losses_of_other_heads_are_compared_with_their_constant(
    statistics: Statistics, training: dict[str, Any], bound: float, words: str
) -> None:
    assert statistics.height
    height = statistics.height.model_copy(update={"minimum": -1.0, "maximum": 20.0, "std": 6.0})
    plan, changed = tiny.run_plan(**training), statistics.model_copy(update={"height": height})
    assert divergence([{"loss_height": min(0.99 * bound, 1e9)}], plan, changed) == ""
    if words:
        text = divergence([{"loss_height": 1.01 * bound}], plan, changed)
        assert f"is above {bound:.3g}, " in text
        assert words in text


@pytest.mark.parametrize(
    ("training", "bound"),
    [
        ({"semantic_loss": "focal"}, (3 / 4) ** 2 * math.log(4)),
        ({"semantic_loss": {"cross_entropy": 2, "dice": 0.5}}, 2 * math.log(4) + 0.5),
        ({"label_smoothing": 0.1}, math.inf),
    ],
)
def test_losses_of_classes_are_compared_with_equal_probabilities(
    statistics: Statistics, training: dict[str, Any], bound: float
) -> None:
    present = [entry.model_copy(update={"pixels": int(code < 4)}) for code, entry in enumerate(statistics.classes)]
    plan, changed = tiny.run_plan(**training), statistics.model_copy(update={"classes": tuple(present)})
    assert divergence([{"loss_semantics": min(0.99 * bound, 1e9)}], plan, changed) == ""
    assert bound == math.inf or "above" in divergence([{"loss_semantics": 1.01 * bound}], plan, changed)


def test_a_training_is_warned_of_heights_above_the_last_bin(
    statistics: Statistics, caplog: pytest.LogCaptureFixture
) -> None:
    assert statistics.height
    for largest, warned in ((statistics.height.maximum - 1, True), (statistics.height.maximum, False)):
        plan = tiny.run_plan(height_head={"name": "bins", "largest": largest}, height_loss="likelihood")
        warn_of_taller(plan, statistics)
        assert ("no map shows more" in caplog.text) == warned
        caplog.clear()
