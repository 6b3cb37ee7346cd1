"""Training: falling losses, the same weights however often it is killed, and errors that end it."""

import itertools
import json
import math
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from mtlaerial.config import D3NetSpec
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.errors import ConfigError, TrainingError
from mtlaerial.models import build_model
from mtlaerial.models.safetensors_io import save_weights
from mtlaerial.system.signals import Stop
from mtlaerial.tiles.measure import summarise
from mtlaerial.tiles.prepare import prepare_tile
from mtlaerial.tiles.statistics import Statistics
from mtlaerial.tiles.tile import load_tiles
from mtlaerial.training import validation
from mtlaerial.training.fabric import reproducible_fabric
from mtlaerial.training.optimiser import learning_rate
from mtlaerial.training.train import train
from mtlaerial.training.train_step import TrainStep, Update
from mtlaerial.training.trainer import Trainer
from mtlaerial.training.validation import Validator
from support import tiny
from support.tiny import Folders
from support.trainings import FILES, assert_same_run, file_names


def epoch_of(folder: Path) -> int:
    """Return the epoch that a run's weights say they are from."""
    with safe_open(folder / "model.safetensors", framework="np") as file:
        return int(json.loads(file.metadata()["made"])["epoch"])


def test_the_seed_decides_the_training(trained: Callable[..., Path]) -> None:
    first = load_file(trained("one", seed=1) / "model.safetensors")
    again = load_file(trained("again", seed=1) / "model.safetensors")
    reseeded = load_file(trained("other", seed=2) / "model.safetensors")
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert not all(torch.equal(first[key], reseeded[key]) for key in first)


def test_memory_mapped_tiles_train_the_same_network(trained: Callable[..., Path]) -> None:
    loaded, mapped = (load_file(trained(str(mb), memory_budget_mb=mb) / "model.safetensors") for mb in (100, 0))
    assert all(torch.equal(loaded[key], mapped[key]) for key in loaded)


@pytest.mark.quick_cases(1, "a training a case")
@pytest.mark.parametrize("tasks", [("semantics",), ("height",), ("semantics", "height")])
def test_the_loss_of_each_task_falls(trained: Callable[..., Path], tasks: tuple[str, ...]) -> None:
    folder = trained(tasks=tasks, epochs=5, epoch_patches=48, batch=8, learning_rate=1e-2, class_weights="none")
    history = pd.read_csv(folder / "history.csv")
    for task in ("semantics", "height"):
        assert (f"loss_{task}" in history) == (task in tasks)
    for task in tasks:
        losses = history[f"loss_{task}"]
        assert losses.iloc[-1] < 0.8 * losses.iloc[0]
    assert history["epoch"].tolist() == [1, 2, 3, 4, 5]
    assert ("val_mIoU" in history) == ("semantics" in tasks)
    assert ("val_MAE" in history) == ("height" in tasks)
    weights = load_file(folder / "model.safetensors")
    assert {name.split(".")[1] for name in weights if name.startswith("heads.")} == set(tasks)


def test_the_best_epoch_s_weights_are_kept_or_the_last_s(
    trained: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    scores = itertools.cycle([0.3, 0.6, 0.5])
    monkeypatch.setattr(Validator, "__call__", lambda self, *arguments: {"score": next(scores)})
    best, last = trained("best", selection="best"), trained("last", selection="last")
    assert (epoch_of(best), epoch_of(last)) == (2, 3)
    weights = {folder: load_file(folder / "model.safetensors") for folder in (best, last)}
    ends = {folder: load_file(folder / "last.safetensors") for folder in (best, last)}
    assert all(torch.equal(weights[last][key], ends[last][key]) for key in weights[last])
    assert all(torch.equal(ends[best][key], ends[last][key]) for key in weights[last])
    assert not all(torch.equal(weights[best][key], ends[best][key]) for key in weights[best])
    best_weights = load_file(last / "best.safetensors")
    assert all(torch.equal(best_weights[key], weights[best][key]) for key in best_weights)
    two = load_file(trained("two", selection="last", epochs=2) / "model.safetensors")
    assert all(torch.equal(two[key], weights[best][key]) for key in two)


def test_without_validation_tiles_the_last_weights_are_used_and_it_is_said(
    tiles: Folders, statistics: Statistics, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    train(tiny.job(tiny.run_plan(selection="best"), statistics, tiles["train"], [], tmp_path))
    assert epoch_of(tmp_path) == 3
    assert "no validation tile has truth of semantics or height: the last weights are used" in caplog.text
    assert not any(str(name).startswith("val_") for name in pd.read_csv(tmp_path / "history.csv"))


def test_validation_happens_every_so_many_epochs_and_at_the_end(trained: Callable[..., Path]) -> None:
    history = pd.read_csv(trained(epochs=5, validate_every=2) / "history.csv")
    assert history["val_score"].notna().tolist() == [False, True, False, True, True]


def test_validation_scores_against_the_median_of_the_training(tiles: Folders, statistics: Statistics) -> None:
    tile = load_tiles(tiles["val"], torch.device("cpu"), 10)[0]
    heights = tile.height[..., 0].numpy()
    assert statistics.height
    baseline = Validator([tile], statistics).constant
    assert baseline["MAE"] == pytest.approx(np.nanmean(abs(heights - statistics.height.median)), rel=1e-5)


def test_the_constant_prediction_of_a_validation_is_a_trained_class(tiles: Folders, statistics: Statistics) -> None:
    tile = load_tiles(tiles["val"], torch.device("cpu"), 10)[0]
    pixels = [entry.pixels for entry in statistics.classes]
    majority = pixels.index(max(pixels))
    assert Validator([tile], statistics, [majority]).constant["OA"] > 0


@pytest.mark.parametrize(("share", "score"), [(0.0, 1.0), (0.5, 0.75), (3.0, -0.5)])
def test_weights_are_chosen_by_the_mean_of_classes_and_of_heights_over_the_median(
    tiles: Folders, statistics: Statistics, monkeypatch: pytest.MonkeyPatch, share: float, score: float
) -> None:
    """Classes are all right, and heights have a share of the error of the training's median."""
    (tile,) = load_tiles(tiles["val"], torch.device("cpu"), 10)
    validator = Validator([tile], statistics)
    maps = {"semantics": tile.labels, "height": tile.height + share * validator.constant["MAE"]}
    arrays = {task: layer[..., 0].numpy() for task, layer in maps.items()}
    monkeypatch.setattr(validation, "predict_arrays", lambda *arguments: arrays)
    network: Any = SimpleNamespace(outputs=maps)
    unused: Any = None
    assert validator(unused, network, Stop())["score"] == pytest.approx(score, rel=1e-4)


def test_the_tasks_of_the_score_have_weights(
    tiles: Folders, statistics: Statistics, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Classes are all right, and heights have half the error of the training's median."""
    (tile,) = load_tiles(tiles["val"], torch.device("cpu"), 10)
    validator = Validator([tile], statistics, weights=tiny.training_spec(score_weights={"height": 3}).score_weights)
    maps = {"semantics": tile.labels, "height": tile.height + 0.5 * validator.constant["MAE"]}
    arrays = {task: layer[..., 0].numpy() for task, layer in maps.items()}
    monkeypatch.setattr(validation, "predict_arrays", lambda *arguments: arrays)
    network: Any = SimpleNamespace(outputs=maps)
    unused: Any = None
    assert validator(unused, network, Stop())["score"] == pytest.approx((1 + 3 * 0.5) / 4, rel=1e-4)


def test_validation_tiles_may_lack_a_layer(
    city: Dataset, tiles: Folders, statistics: Statistics, tmp_path: Path
) -> None:
    without = Dataset("city", tiny.city_spec(labels=None), city.root)
    prepare_tile(without, "city_3", tmp_path / "city_3")
    train(tiny.job(tiny.run_plan(), statistics, tiles["train"], [tmp_path / "city_3"], tmp_path / "run"))
    history = pd.read_csv(tmp_path / "run" / "history.csv")
    assert "val_mIoU" not in history or history["val_mIoU"].isna().all()
    assert history["val_score"].notna().all()


def test_a_loss_that_is_not_finite_ends_the_training_and_keeps_the_state(
    trained: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    update = TrainStep.__call__

    def diverging(self: TrainStep, number: int, measure_conflict: bool = False) -> Update:
        result = update(self, number, measure_conflict)
        return replace(result, losses=result.losses * result.losses.new_tensor([1.0, math.nan if number >= 4 else 1.0]))

    with monkeypatch.context() as patch:
        patch.setattr(TrainStep, "__call__", diverging)
        with pytest.raises(TrainingError, match=r"a height loss of nan in epoch 3.*learning_rate"):
            trained("run")
    assert file_names(tmp_path / "run") == ["model.previous.resume.pt", "model.resume.pt", "progress.jsonl"]
    assert_same_run(trained("whole"), trained("run"))


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_said(trained: Callable[..., Path]) -> None:
    with pytest.raises(TrainingError, match=r"training\.accelerator: found cuda, and no GPU"):
        trained("run", accelerator="cuda")


@pytest.mark.parametrize("accelerator", ["auto", "cuda"])
def test_more_processes_than_gpus_are_refused(monkeypatch: pytest.MonkeyPatch, accelerator: str) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    with pytest.raises(TrainingError, match=r"training\.accelerator: found 2 processes, and on this machine GPUs: 1"):
        reproducible_fabric(tiny.training_spec(accelerator=accelerator), seed=0)


def test_a_training_begins_with_published_weights(tiles: Folders, statistics: Statistics, tmp_path: Path) -> None:
    published = build_model(D3NetSpec(), 3, {"height": 1}).trunk.encoder.state_dict()
    save_weights(tmp_path / "densenet121.safetensors", published)
    plan = tiny.run_plan().model_copy(update={"model": D3NetSpec()})
    begun = Trainer(
        tiny.job(plan, statistics, tiles["train"], pretrained=tmp_path / "densenet121.safetensors")
    ).network.trunk.encoder
    weights = {name: weight.cpu() for name, weight in begun.state_dict().items()}
    torch.testing.assert_close(weights["blocks.2.3.conv1.weight"], published["blocks.2.3.conv1.weight"], rtol=0, atol=0)
    assert (weights["conv0.weight"] != published["conv0.weight"]).any()  # ImageNet's has another size


@pytest.mark.quick_cases(2, "a training a case")
@pytest.mark.parametrize("name", ["equal", "mgda", "feature_normalisation", "gradient_penalty"])
def test_weightings_train_in_half_precision(tiles: Folders, statistics: Statistics, tmp_path: Path, name: str) -> None:
    plan = tiny.run_plan(weighting={"name": name}, precision="bf16-mixed", epochs=1)
    train(tiny.job(plan, statistics, tiles["train"], [], tmp_path / "run"))
    assert all(tensor.isfinite().all() for tensor in load_file(tmp_path / "run" / "model.safetensors").values())


@pytest.mark.parametrize(("task", "layer"), [("semantics", "labels"), ("height", "height")])
def test_a_task_without_truth_is_refused(city: Dataset, tiles: Folders, tmp_path: Path, task: str, layer: str) -> None:
    dataset = Dataset("city", tiny.city_spec(**{layer: None}), city.root)
    prepare_tile(dataset, "city_1", tmp_path / "city_1")
    statistics = summarise(dataset, [tmp_path / "city_1"])
    with pytest.raises(TrainingError, match=f"found no valid {layer}"):
        train(tiny.job(tiny.run_plan((task,)), statistics, [tmp_path / "city_1"], [], tmp_path / "run"))
    other_task = "height" if task == "semantics" else "semantics"
    train(tiny.job(tiny.run_plan((other_task,), epochs=1), statistics, [tmp_path / "city_1"], [], tmp_path / "run"))
    assert file_names(tmp_path / "run") == FILES


def test_saturation_of_one_band_is_refused(tiles: Folders, statistics: Statistics, tmp_path: Path) -> None:
    grey = statistics.model_copy(update={"bands": statistics.bands[:1]})
    plan = tiny.run_plan(augmentation={"saturation": 0.2})
    with pytest.raises(ConfigError, match=r"saturation: found 0\.2 for an image of one band; expected 0"):
        train(tiny.job(plan, grey, tiles["train"], [], tmp_path / "run"))


def test_a_training_does_not_change_its_inputs(
    tiles: Folders, statistics: Statistics, city: Dataset, tmp_path: Path
) -> None:
    copies = [Path(shutil.copytree(folder, tmp_path / folder.name)) for folder in tiles["train"]]
    train(tiny.job(tiny.run_plan(epochs=1, memory_budget_mb=0), statistics, copies, [], tmp_path / "run"))
    assert summarise(city, copies) == statistics


def test_the_rate_is_constant_or_rises_and_falls() -> None:
    constant = tiny.training_spec(learning_rate=0.1)
    cycle = tiny.training_spec(learning_rate=0.1, schedule="warmup_cosine")
    assert {learning_rate(constant, step, 100) for step in range(100)} == {0.1}
    rates = [learning_rate(cycle, step, 100) for step in range(100)]
    assert rates[0] == pytest.approx(0.01)
    assert np.argmax(rates) in (9, 10)
    assert max(rates) == pytest.approx(0.1)
    assert (np.diff(rates[:10]) > 0).all()
    assert (np.diff(rates[10:]) < 0).all()
    assert rates[55] == pytest.approx(0.05)
    assert rates[-1] < 1e-3
    assert learning_rate(cycle, 0, 1) > 0


def test_the_warm_up_is_a_tenth_of_the_updates_or_another_share() -> None:
    tenth = tiny.training_spec(learning_rate=0.1, schedule="warmup_cosine")
    for steps in (9, 10, 29, 30, 70, 999, 1_001, 200_040):
        rise = max(1, steps // 10)
        assert learning_rate(tenth, rise - 1, steps) == pytest.approx(0.1)
        assert learning_rate(tenth, 0, steps) == pytest.approx(0.1 / rise)
    half = tiny.training_spec(learning_rate=0.1, schedule="warmup_cosine", warmup=0.5)
    assert [learning_rate(half, step, 100) for step in (0, 49)] == pytest.approx([0.002, 0.1])
    none = tiny.training_spec(learning_rate=0.1, schedule="warmup_cosine", warmup=0)
    assert learning_rate(none, 0, 100) == pytest.approx(0.1)
