"""The progress file of a training: its records, kills, and write errors, which do not end the training."""

import logging
import os
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file
from torch import equal

from mtlaerial.errors import TrainingError
from mtlaerial.runs import progress_file
from mtlaerial.runs.progress_file import ProgressFile, failure_recorded, last_record, load_progress, progress_path
from mtlaerial.system.signals import Stopped
from mtlaerial.tiles.statistics import Statistics
from mtlaerial.training.train import train
from support import tiny
from support.tiny import Folders
from support.trainings import Killed, kill_after, signal_at

STEPS = 6


@pytest.fixture
def trained(tiles: Folders, statistics: Statistics, tmp_path: Path) -> Callable[..., Path]:
    """Return a function that trains three epochs of two steps in a folder, and returns it."""

    def run(name: str = "run", **options: Any) -> Path:
        train(tiny.job(tiny.run_plan(**options), statistics, tiles["train"], tiles["val"], tmp_path / name))
        return tmp_path / name

    return run


@pytest.fixture
def every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress_file, "INTERVAL", 0.0)


def events(folder: Path) -> list[tuple[str, int, int]]:
    return [(record.event, record.step, record.saved_step) for record in load_progress(progress_path(folder))]


@pytest.mark.usefixtures("every_step")
def test_a_killed_and_a_stopped_training_record_their_events(trained: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        kill_after(patch, 1)
        with pytest.raises(Killed):
            trained()
    with pytest.MonkeyPatch.context() as patch:
        signal_at(patch, 3)
        with pytest.raises(Stopped):
            trained()
    assert events(tmp_path / "run") == [
        ("begin", 0, 0), ("step", 1, 0), ("step", 2, 0), ("validation", 2, 0),
        ("resume", 2, 2), ("step", 3, 2), ("state_saved", 3, 3),
    ]  # fmt: skip
    assert events(trained())[7:] == [
        ("resume", 3, 3), ("step", 4, 3), ("validation", 4, 3), ("state_saved", 4, 4),
        ("step", 5, 4), ("step", 6, 4), ("validation", 6, 4), ("state_saved", 6, 6), ("end", 6, 6),
    ]  # fmt: skip


@pytest.mark.usefixtures("every_step")
def test_records_hold_time_and_memory(trained: Callable[..., Path]) -> None:
    records = load_progress(progress_path(trained()))
    assert {record.steps for record in records} == {STEPS}
    assert all(earlier.time <= later.time for earlier, later in pairwise(records))
    assert all(record.memory_mb > 50 for record in records)
    assert records[0].seconds_left is None
    # Rounded, so that the last steps of a fast training have 0.0 s left.
    assert all(record.seconds_left >= 0 for record in records if record.event == "step")
    assert records[-1].seconds_left == 0


def test_steps_are_recorded_at_intervals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = 100.0
    monkeypatch.setattr(progress_file, "monotonic", lambda: seconds)
    progress = ProgressFile(tmp_path / "progress.jsonl", 100)
    progress.begin(40)
    for step in range(41, 61):
        seconds += 1.0
        progress.step(step)
    records = load_progress(tmp_path / "progress.jsonl")
    assert [(record.step, record.seconds_left) for record in records] == [
        (40, None), (45, 55.0), (50, 50.0), (55, 45.0), (60, 40.0),
    ]  # fmt: skip


def test_an_error_is_recorded_once_with_its_message(
    trained: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = TrainingError("city, equal, seed 0", "a loss of nan", "a finite one")

    def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr("mtlaerial.training.trainer.Trainer._train_step", fails)
    with pytest.raises(TrainingError), failure_recorded(tmp_path / "run"):
        trained()
    records = load_progress(progress_path(tmp_path / "run"))
    assert [(record.event, record.step, record.steps) for record in records] == [("begin", 0, 6), ("error", 0, 6)]
    assert records[-1].message == str(error)


def test_the_error_of_another_process_is_recorded_too(tmp_path: Path) -> None:
    """The main process meets the end of another one; the launcher knows why that ended."""
    for message in ("another process has ended", "memory ran out", "memory ran out"):
        with pytest.raises(RuntimeError), failure_recorded(tmp_path):
            raise RuntimeError(message)
    records = load_progress(progress_path(tmp_path))
    assert [record.message for record in records] == ["another process has ended", "memory ran out"]


def test_being_asked_to_end_is_no_error(tmp_path: Path) -> None:
    with pytest.raises(Stopped), failure_recorded(tmp_path):
        raise Stopped(15)
    assert load_progress(progress_path(tmp_path)) == []


def test_the_incomplete_line_of_a_killed_writer_is_skipped(tmp_path: Path) -> None:
    path = progress_path(tmp_path)
    ProgressFile(path, 10).begin(0)
    ProgressFile(path, 10).state_saved(2)
    os.truncate(path, path.stat().st_size - 9)
    assert events(tmp_path) == [("begin", 0, 0)]
    ProgressFile(path, 10).begin(2)
    assert events(tmp_path) == [("begin", 0, 0), ("resume", 2, 2)]


def test_the_last_record_is_read_from_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    progress = ProgressFile(progress_path(tmp_path), 10)
    for step in range(10):
        progress.record("step", step)
    size = progress_path(tmp_path).stat().st_size
    monkeypatch.setattr(progress_file, "TAIL", size // 4)
    assert 1 <= len(load_progress(progress_path(tmp_path), size // 4)) <= 3
    last = last_record(tmp_path)
    assert last
    assert last.step == 9
    assert last_record(tmp_path / "absent") is None


@pytest.mark.usefixtures("every_step")
def test_a_training_that_cannot_write_the_file_ends_with_the_same_weights(
    trained: Callable[..., Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    progress_path(tmp_path / "unwritable").mkdir(parents=True)
    with caplog.at_level(logging.WARNING):
        unwritable = trained("unwritable")
    assert caplog.text.count("progress.jsonl cannot be written") == 1
    assert load_progress(progress_path(unwritable)) == []
    weights, expected = (load_file(folder / "model.safetensors") for folder in (unwritable, trained("whole")))
    assert all(equal(weights[name], expected[name]) for name in weights)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_is_a_warning_that_is_given_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    progress_path(tmp_path).symlink_to("/dev/full")
    progress = ProgressFile(progress_path(tmp_path), 10)
    for step in range(3):
        progress.record("step", step)
    (record,) = caplog.records
    assert "No space left on device" in record.message
