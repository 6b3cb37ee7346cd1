"""Trainings on a share of the truth: what is outside has no influence, and each batch has truth of each task."""

import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import torch

from mtlaerial.config import IGNORED, TrainingSpec
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.errors import ConfigError
from mtlaerial.rasters.geotiff import map_raster
from mtlaerial.runs.run import read_description, save_description
from mtlaerial.runs.text import describe_run
from mtlaerial.runs.weights import load_provenance
from mtlaerial.sampling import build_sampler
from mtlaerial.tiles.measure import summarise
from mtlaerial.tiles.prepare import prepare_tile
from mtlaerial.tiles.record import write_record
from mtlaerial.tiles.statistics import Statistics
from mtlaerial.training.train import train
from mtlaerial.training.trainer import Trainer
from support import tiny
from support.tiny import Folders
from support.trainings import Killed, kill_after

SHARE: dict[str, Any] = {
    "labelled": {"semantics": 10},
    "labelled_block": 8,
    "truth_patches": "equal",
    "batch": 4,
    "epoch_patches": 8,
    "epochs": 1,
    "augmentation": {"rotation": 20, "zoom": 0.2, "image_resampling": "bilinear"},
}
FAR: dict[str, Any] = {"semantics": 10, "height": 10}


@pytest.fixture
def trainer(tiles: Folders, statistics: Statistics, tmp_path: Path) -> Callable[..., Trainer]:
    def build(tasks: tuple[str, ...] = ("semantics", "height"), **training: Any) -> Trainer:
        plan = tiny.run_plan(tasks, **{**SHARE, **training})
        return Trainer(tiny.job(plan, statistics, tiles["train"], tiles["val"], tmp_path))

    return build


def test_each_batch_of_a_joint_training_has_truth_of_each_task(trainer: Callable[..., Trainer]) -> None:
    batches = trainer().update.batches
    for step in range(12):
        (batch,) = batches.draw(step)
        assert batch.amounts["semantics"] > 0
        assert batch.amounts["height"] > 0
        labelled = (batch.patches.labels != IGNORED).any(dim=(1, 2))
        assert labelled[::2].all()


def test_mapped_tiles_have_the_same_share(trainer: Callable[..., Trainer]) -> None:
    batches = [trainer(memory_budget_mb=budget).update.batches.draw(0)[0].patches for budget in (100, 0)]
    assert torch.equal(batches[0].labels, batches[1].labels)
    assert batches[0].image.equal(batches[1].image)


def test_patches_of_a_single_task_all_have_truth(trainer: Callable[..., Trainer]) -> None:
    batches = trainer(("semantics",)).update.batches
    for step in range(12):
        (batch,) = batches.draw(step)
        assert (batch.patches.labels != IGNORED).any(dim=(1, 2)).all()


def test_losses_are_means_over_the_truth_that_is_used(trainer: Callable[..., Trainer]) -> None:
    (batch,) = trainer(class_weights="none").update.batches.draw(0)
    assert batch.amounts["semantics"] == (batch.patches.labels != IGNORED).sum()
    assert batch.amounts["semantics"] < batch.patches.labels.numel() / 2


@pytest.fixture
def scrambled(city: Dataset, tiles: Folders, statistics: Statistics, tmp_path: Path) -> tuple[list[Path], Statistics]:
    """Return copies of the training tiles with other truth everywhere but where ``FAR`` is used, and their statistics.

    A value of truth stays truth, so that the same blocks are used.
    """
    plan = tiny.run_plan(**{**SHARE, "labelled": FAR})
    area = Trainer(tiny.job(plan, statistics, tiles["train"], [], tmp_path / "first")).labelled
    assert area is not None
    from mtlaerial.tiles.chosen_truth import choose_truth

    truth = choose_truth(tiles["train"], {"labels": 10.0, "height": 10.0}, 8, 0, statistics, tmp_path / "scratch")
    copies = [Path(shutil.copytree(folder, tmp_path / folder.name)) for folder in tiles["train"]]
    for folder, copy in zip(tiles["train"], copies, strict=True):
        labels, height = (np.array(map_raster(folder / f"{layer}.tif")) for layer in ("labels", "height"))
        outside = truth.masked[folder]["labels"] == IGNORED
        labels[outside & (labels != IGNORED)] = 5
        outside = np.isnan(truth.masked[folder]["height"])
        height[outside & np.isfinite(height)] = 777.0
        for name, values in (("labels", labels), ("height", height)):
            with rasterio.open(copy / f"{name}.tif", "r+") as raster:
                raster.write(values, 1)
        write_record(copy, {}, {})
    return copies, summarise(city, copies)


@pytest.mark.parametrize("sampling", ["uniform", "class_balanced"])
def test_truth_that_is_not_used_changes_nothing(
    scrambled: tuple[list[Path], Statistics], tiles: Folders, statistics: Statistics, tmp_path: Path, sampling: str
) -> None:
    """Weights of classes and heights, the constant prediction, the patches and the losses see what is used alone."""
    plan = tiny.run_plan(**{**SHARE, "labelled": FAR, "sampling": sampling, "height_balance": "by_height"})
    folders, measured = scrambled
    assert measured.height != statistics.height
    first = Trainer(tiny.job(plan, statistics, tiles["train"], tiles["val"], tmp_path / "a"))
    second = Trainer(tiny.job(plan, measured, folders, tiles["val"], tmp_path / "b"))
    assert first.statistics.classes == second.statistics.classes
    assert first.statistics.height == second.statistics.height
    assert first.labelled == second.labelled
    of_classes, of_heights = first.update.losses.losses["semantics"], first.update.losses.losses["height"]
    assert torch.equal(
        of_classes.terms[0].class_weights, second.update.losses.losses["semantics"].terms[0].class_weights
    )
    assert torch.equal(of_heights.weights, second.update.losses.losses["height"].weights)
    assert first.evaluation.validator.constant == second.evaluation.validator.constant
    for step in range(2):
        one, other = first.update(step), second.update(step)
        assert torch.equal(one.losses, other.losses)


def test_a_run_records_what_it_used(tiles: Folders, statistics: Statistics, tmp_path: Path) -> None:
    plan = tiny.run_plan(seed=3, **{**SHARE, "truth_patches": 1, "batch": 2, "epoch_patches": 2})
    train(tiny.job(plan, statistics, tiles["train"], [], tmp_path))
    save_description(tmp_path, plan, statistics)
    run = read_description(tmp_path)
    assert run.labelled is not None
    layer = run.labelled.layers["labels"]
    assert (run.labelled.seed, run.labelled.block, layer.percent) == (3, 8, 10)
    assert sum(layer.blocks.values()) == 29  # of 288
    assert layer.pixels == 29 * 8 * 8 == sum(entry.pixels for entry in run.statistics.classes)
    assert run.statistics.height == statistics.height  # all heights were used
    assert "truth used" in describe_run(tmp_path)
    assert "10.1 % of the labels, in 29 blocks of 8 pixels in 2 tiles, chosen by the seed 3" in describe_run(tmp_path)


def test_the_whole_truth_changes_no_byte_of_a_training(tiles: Folders, statistics: Statistics, tmp_path: Path) -> None:
    plan = tiny.run_plan(epochs=1, epoch_patches=2)
    whole = plan.model_copy(
        update={"training": TrainingSpec.parse({**plan.training.model_dump(), "labelled": {}}, "t")}
    )
    assert "labelled" not in plan.decisive()["training"]
    assert plan.decisive() == whole.decisive()
    train(tiny.job(plan, statistics, tiles["train"], [], tmp_path))
    assert "labelled" not in load_provenance(tmp_path).model_dump()


def test_a_killed_training_on_a_share_resumes_to_the_same_weights(
    tiles: Folders, statistics: Statistics, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = tiny.run_plan(**{**SHARE, "epochs": 2})
    jobs = [tiny.job(plan, statistics, tiles["train"], [], tmp_path / name) for name in ("unbroken", "killed")]
    train(jobs[0])
    with monkeypatch.context() as patched:
        kill_after(patched, epoch=1)
        with pytest.raises(Killed):
            train(jobs[1])
    train(jobs[1])
    first, second = ((tmp_path / name / "model.safetensors").read_bytes() for name in ("unbroken", "killed"))
    assert first == second


def test_few_tiles_with_labels_are_said_unless_patches_are_drawn_there(
    city: Dataset, tiles: Folders, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    labels = city.spec.labels.model_copy(update={"optional": ("city_1",), "files": ("none/{tile}.tif",)})
    without = Dataset("city", city.spec.model_copy(update={"labels": labels}), city.root)
    folders = [tmp_path / "city_1", tiles["train"][1]]
    prepare_tile(without, "city_1", folders[0])
    (tmp_path / "more").symlink_to(folders[0])
    measured = summarise(city, folders)
    caplog.set_level(logging.WARNING)
    for truth_patches in (0, "equal"):
        plan = tiny.run_plan(truth_patches=truth_patches)
        Trainer(tiny.job(plan, measured, [*folders, tmp_path / "more"], [], tmp_path))
    texts = [record.getMessage() for record in caplog.records if "truth_patches" in record.getMessage()]
    assert texts == [
        "semantics: at most 33.3 % of the training area has labels, so that most patches have none to learn it from; "
        "training.truth_patches: equal draws a part of each batch where there are some"
    ]


def test_heights_that_are_not_trained_on_cannot_be_drawn(tiles: Folders) -> None:
    flat = {folder: {"height": np.zeros((48, 48), np.float32)} for folder in tiles["train"]}
    spec = tiny.training_spec(truth_patches="equal")
    options = {"tasks": ("height",), "zero_height": False, "masked": flat}
    with pytest.raises(ConfigError, match="found equal, and training tiles with no height that is trained on"):
        build_sampler(tiles["train"], spec, torch.device("cpu"), **options)


def test_a_share_of_a_task_that_is_not_learned_has_no_influence(trainer: Callable[..., Trainer]) -> None:
    assert trainer(("height",)).labelled is None


def test_a_layer_has_one_share(monkeypatch: pytest.MonkeyPatch) -> None:
    from mtlaerial.config import labelled

    monkeypatch.setattr(labelled, "task_entry", lambda name: type("Entry", (), {"truth": "height"}))
    with pytest.raises(ConfigError, match=r"key labelled: found semantics 25, height 50; expected one share"):
        tiny.training_spec(labelled={"semantics": 25, "height": 50})
