"""Trainings in a folder that holds a run: done, refused, or replaced as a whole."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from mtlaerial.errors import DataError, UserError
from mtlaerial.runs.loading import load_run
from mtlaerial.runs.run import load_description, save_description
from mtlaerial.runs.weights import load_provenance, save_run_weights
from mtlaerial.tiles.measure import summarise
from mtlaerial.tiles.statistics import Statistics
from mtlaerial.training.job import TrainingJob
from mtlaerial.training.train import train
from mtlaerial.training.trainer import Trainer
from support import tiny
from support.tiny import Folders
from support.trainings import Killed


@pytest.fixture
def run(run_folder: Path, tmp_path: Path) -> Path:
    """Return a copy of a trained run."""
    return Path(shutil.copytree(run_folder, tmp_path / "run"))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "progress.jsonl"}


def job(tiles: Folders, statistics: Statistics, run: Path, **changes: Any) -> TrainingJob:
    """Return the job of the run, with changes of its seed or recipe, and ``replace``."""
    replace = changes.pop("replace", False)
    return tiny.job(tiny.run_plan(**changes), statistics, tiles["train"], tiles["val"], run, replace=replace)


@pytest.mark.parametrize("replace", [False, True])
def test_a_finished_run_is_not_trained_again(
    run: Path,
    tiles: Folders,
    statistics: Statistics,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    replace: bool,
) -> None:
    caplog.set_level("INFO")
    monkeypatch.setattr(Trainer, "__init__", lambda *_: pytest.fail("it trains"))
    before = contents(run)
    train(job(tiles, statistics, run, replace=replace))
    assert contents(run) == before
    assert "this run is done, and nothing is trained" in caplog.text


def test_the_run_of_another_plan_is_named_and_stays(run: Path, tiles: Folders, statistics: Statistics) -> None:
    before = contents(run)
    with pytest.raises(DataError, match=r"another finished run \(seed 0 instead of 1, training\.epochs 3 instead of 4"):
        train(job(tiles, statistics, run, seed=1, epochs=4))
    assert contents(run) == before


def test_the_run_of_other_data_stays(run: Path, tiles: Folders, city: Any) -> None:
    fewer = {"train": tiles["train"][:1], "val": tiles["val"]}
    before = contents(run)
    with pytest.raises(DataError, match="another finished run \\(of other training data"):
        train(job(fewer, summarise(city, fewer["train"]), run))
    assert contents(run) == before


def test_weights_of_another_seed_are_not_taken_for_a_run_of_other_data(
    run: Path, tiles: Folders, statistics: Statistics
) -> None:
    provenance = load_provenance(run).model_copy(update={"identity": "0" * 64})
    described = (run / "run.yaml").read_bytes()
    save_run_weights(run, provenance, load_file(run / "model.safetensors"), {})
    (run / "run.yaml").write_bytes(described)
    with pytest.raises(DataError, match=r"model\.safetensors: found SHA-256 .* --replace trains it here again\."):
        train(job(tiles, statistics, run))


@pytest.mark.parametrize("file", ["history.csv", "last.safetensors", "model.safetensors"])
def test_a_training_killed_while_it_replaces_a_run_leaves_no_mixture(
    run: Path, tiles: Folders, statistics: Statistics, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    replace = os.replace

    def killed(source: Path, target: Path) -> None:
        if Path(target).name == file:
            raise Killed
        replace(source, target)

    other = job(tiles, statistics, run, seed=1, epochs=1, replace=True)
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", killed)
        with pytest.raises(Killed):
            train(other)
    with pytest.raises(UserError, match=r"found weights without run\.yaml"):
        load_run(run, torch.device("cpu"))
    train(other)
    save_description(run, other.plan, statistics)
    assert load_description(run).plan.seed == 1


def test_statistics_of_other_tiles_are_refused(run: Path, tiles: Folders, statistics: Statistics) -> None:
    changed = statistics.model_copy(update={"tiles": {**statistics.tiles, "city_2": "0" * 64}})
    with pytest.raises(DataError, match=r"city_2: found another tile, or one that was prepared again"):
        train(job(tiles, changed, run / "new"))


def test_a_training_tile_that_changed_since_it_was_prepared_is_refused(
    tiles: Folders, statistics: Statistics, tmp_path: Path
) -> None:
    copies = {split: [shutil.copytree(tile, tmp_path / tile.name) for tile in tiles[split]] for split in tiles}
    path = copies["val"][0] / "height.tif"
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(DataError, match=r"city_3/height\.tif: found SHA-256"):
        train(job(copies, statistics, tmp_path / "new"))
