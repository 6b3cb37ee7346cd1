"""The resume state: a killed training ends as the unbroken one, and what it is not taken from."""

import logging
import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from mtlaerial.runs.start import StartRecord
from mtlaerial.system.signals import Stopped
from mtlaerial.tiles.statistics import Statistics
from mtlaerial.training.step_batches import StepBatches
from mtlaerial.training.train import train
from mtlaerial.training.train_step import TrainStep, Update
from support import tiny
from support.tiny import Folders
from support.trainings import FILES, RICH, Killed, assert_same_run, file_names, kill_after, signal_at
from support.weightings import OPTIONS, every_weighting


@pytest.mark.quick_cases(1, "two trainings a case")
@pytest.mark.parametrize("epoch", [1, 3, 4])
def test_a_training_that_was_killed_ends_as_the_unbroken_one(
    trained: Callable[..., Path], tmp_path: Path, epoch: int
) -> None:
    whole = trained("whole", **RICH)
    with pytest.MonkeyPatch.context() as patch:
        kill_after(patch, epoch)
        with pytest.raises(Killed):
            trained("broken", **RICH)
    before = ["model.previous.resume.pt"] if epoch > 1 else []
    assert file_names(tmp_path / "broken") == [*before, "model.resume.pt", "progress.jsonl"]
    torch.rand(7)  # other random numbers were drawn meanwhile
    assert_same_run(whole, trained("broken", **RICH))
    assert file_names(whole) == file_names(tmp_path / "broken") == FILES


@pytest.mark.full("a training that is killed; another is in the quick tier")
def test_a_training_killed_within_an_epoch_repeats_it(
    trained: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, update = trained("whole", **RICH), TrainStep.__call__
    with monkeypatch.context() as patch:

        def update_or_die(self: TrainStep, number: int, measure_conflict: bool = False) -> Update:
            if number == 5:
                raise Killed
            return update(self, number, measure_conflict)

        patch.setattr(TrainStep, "__call__", update_or_die)
        with pytest.raises(Killed):
            trained("broken", **RICH)
    assert_same_run(whole, trained("broken", **RICH))


def test_a_resumed_training_does_not_begin_again(trained: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        kill_after(patch, 2)
        with pytest.raises(Killed):
            trained("run")
    steps = []
    draw = StepBatches.draw
    monkeypatch.setattr(StepBatches, "draw", lambda self, step: steps.append(step) or draw(self, step))
    trained("run")
    assert steps == [4, 5]


@pytest.mark.full("trains three times")
def test_the_state_may_lie_in_a_folder_of_its_own(trained: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        kill_after(patch, 2)
        for seed in (0, 1):
            with pytest.raises(Killed):
                trained(f"seed{seed}", tmp_path / "scratch", seed=seed)
    assert len(file_names(tmp_path / "scratch")) == 4
    for seed in (0, 1):
        assert_same_run(trained(f"whole{seed}", seed=seed), trained(f"seed{seed}", tmp_path / "scratch", seed=seed))
    assert file_names(tmp_path / "scratch") == []


@pytest.mark.quick_cases(1, "two trainings a case")
@pytest.mark.parametrize("files_damaged", [1, 2])
@pytest.mark.parametrize("damage", ["truncated", "empty", "text", "other format", "other pickle", "changed byte"])
def test_of_damaged_states_the_last_good_one_is_taken(
    trained: Callable[..., Path], tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: str, files_damaged: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        kill_after(patch, 2)
        with pytest.raises(Killed):
            trained("run")
    for name in ["model.resume.pt", "model.previous.resume.pt"][:files_damaged]:
        damage_state(tmp_path / "run" / name, damage)
    with caplog.at_level(logging.INFO):
        assert_same_run(trained("run"), trained("whole"))
    assert caplog.text.count("left aside") == files_damaged
    assert ("Starting from the first epoch" in caplog.text) == (files_damaged == 2)
    assert ("going on after step 2 of 6" in caplog.text) == (files_damaged == 1)


def damage_state(path: Path, damage: str) -> None:
    content = path.read_bytes()
    middle = len(content) // 2
    if damage == "other pickle":
        torch.save([1, 2], path)
    elif damage == "other format":
        torch.save({"format": -1, "identity": "?", "code": "?", "state": {}}, path)
    elif damage == "changed byte":
        with zipfile.ZipFile(path) as archive:
            largest = max(archive.infolist(), key=lambda entry: entry.file_size)
            values = archive.read(largest)
        place = content.index(values) + len(values) // 2  # between entries there is padding, which means nothing
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
    else:
        path.write_bytes({"truncated": content[:middle], "empty": b"", "text": b"hello"}[damage])


def test_the_state_of_another_plan_is_left_aside_with_a_warning(
    trained: Callable[..., Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        kill_after(patch, 2)
        with pytest.raises(Killed):
            trained("run", learning_rate=5e-3)
    with caplog.at_level(logging.WARNING):
        assert_same_run(trained("whole"), trained("run"))
    assert "belongs to another plan or other data" in caplog.text


def test_a_change_of_the_code_is_a_warning(
    trained: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with monkeypatch.context() as patch:
        kill_after(patch, 2)
        patch.setattr("mtlaerial.training.resume_state.code_hash", lambda stage: "other")
        with pytest.raises(Killed):
            trained("run")
    with caplog.at_level(logging.INFO):
        trained("run")
    assert "was written by other code" in caplog.text
    assert "going on after step 4 of 6" in caplog.text


def test_a_state_of_a_training_from_other_weights_is_not_taken(
    trained: Callable[..., Path], tiles: Folders, statistics: Statistics, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    with monkeypatch.context() as patch:
        kill_after(patch, 1)
        with pytest.raises(Killed):
            trained("run")
    weights = tmp_path / "weights.safetensors"
    weights.write_bytes(b"other")
    monkeypatch.setattr("mtlaerial.training.initial_network.load_start", lambda network, job: None)
    begun = {"pretrained": weights, "start": StartRecord(kind="published", name="net", sha256="0" * 64)}
    train(tiny.job(tiny.run_plan(), statistics, tiles["train"], tiles["val"], tmp_path / "run", **begun))
    assert "belongs to another plan or other data" in caplog.text


@pytest.mark.quick_cases(2, "two trainings a case")
@pytest.mark.parametrize("name", every_weighting())
def test_every_weighting_trains_and_goes_on_where_it_was_stopped(
    tiles: Folders, statistics: Statistics, tmp_path: Path, name: str
) -> None:
    plan = tiny.run_plan(weighting={"name": name, **OPTIONS.get(name, {})})
    train(tiny.job(plan, statistics, tiles["train"], [], tmp_path / "whole"))
    with pytest.MonkeyPatch.context() as patch:
        signal_at(patch, 3)  # in the middle of the second epoch
        with pytest.raises(Stopped):
            train(tiny.job(plan, statistics, tiles["train"], [], tmp_path / "killed"))
    train(tiny.job(plan, statistics, tiles["train"], [], tmp_path / "killed"))
    assert_same_run(tmp_path / "whole", tmp_path / "killed")
    history = pd.read_csv(tmp_path / "whole" / "history.csv")
    assert history[["weight_semantics", "weight_height"]].ge(0).all(axis=None)
    assert all(tensor.isfinite().all() for tensor in load_file(tmp_path / "whole" / "model.safetensors").values())
