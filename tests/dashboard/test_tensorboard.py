"""Event files of TensorBoard, read by its own reader: the whole history, pictures, resumed trainings, full disks."""

import errno
import io
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from mtlaerial.dashboard.event_file import EventFile
from mtlaerial.dashboard.tensorboard import FOLDER, TensorBoard
from mtlaerial.pipeline.run_training import run_training
from mtlaerial.tiles.statistics import Statistics
from support import tiny
from support.logs import messages
from support.tiny import Folders
from support.trainings import RICH, Killed, assert_same_run, kill_after

PLAN: dict[str, Any] = {**RICH, "epoch_patches": 8, "log_every": 1}
"""Four epochs of four steps; with ``epoch_patches`` of 4 of two steps."""

TRAINS = pytest.mark.full("trainings; what is written of a row is in the quick tier")


def job(tiles: Folders, statistics: Statistics, folder: Path, *loggers: str, **changes: Any) -> Any:
    plan = tiny.run_plan(**{**PLAN, **changes})
    return tiny.job(plan, statistics, tiles["train"], tiles["val"], folder, loggers=loggers)


def events(folder: Path) -> EventAccumulator:
    return EventAccumulator(str(folder / FOLDER), size_guidance={"scalars": 0, "images": 0}).Reload()


def curve(accumulated: EventAccumulator, tag: str) -> dict[int, float]:
    points = accumulated.Scalars(tag)
    steps = [point.step for point in points]
    assert steps == sorted(set(steps)), "each step once"
    return {point.step: point.value for point in points}


def assert_all_of_the_history(folder: Path) -> None:
    history = pd.read_csv(folder / "history.csv").set_index("step")
    tags = {"loss/semantics": "loss_semantics", "val/mIoU": "val_mIoU", "learning_rate": "learning_rate",
            "cosine/features_semantics_height": "cosine_features_semantics_height"}  # fmt: skip
    accumulated = events(folder)
    assert len(accumulated.Tags()["scalars"]) == len(history.columns) - 1  # all but the epoch
    for tag, column in tags.items():
        assert curve(accumulated, tag) == pytest.approx(history[column].dropna().to_dict(), rel=1e-5)


@TRAINS
def test_the_files_have_all_of_the_history_and_pictures_of_each_epoch(
    tiles: Folders, statistics: Statistics, tmp_path: Path
) -> None:
    run_training(job(tiles, statistics, tmp_path / "unseen"))
    run_training(job(tiles, statistics, tmp_path / "seen", "tensorboard"))
    assert_same_run(tmp_path / "unseen", tmp_path / "seen")
    assert_all_of_the_history(tmp_path / "seen")
    pictures = events(tmp_path / "seen").Images("patches")
    assert [picture.step for picture in pictures] == [4, 8, 12, 16]
    values = np.asarray(Image.open(io.BytesIO(pictures[-1].encoded_image_string)))
    assert values.shape[2] == 3
    assert values.shape[0] > 300
    assert len(np.unique(values.reshape(-1, 3), axis=0)) > 10


@TRAINS
def test_a_resumed_training_shows_each_step_once(
    tiles: Folders, statistics: Statistics, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        kill_after(patch, epoch=2)
        with pytest.raises(Killed):
            run_training(job(tiles, statistics, tmp_path / "run", "tensorboard", epoch_patches=4))
    run_training(job(tiles, statistics, tmp_path / "run", "tensorboard", epoch_patches=4))
    assert len(list((tmp_path / "run" / FOLDER).iterdir())) == 2
    assert_all_of_the_history(tmp_path / "run")


@TRAINS
def test_a_logger_that_is_added_later_has_all_of_the_history(
    tiles: Folders, statistics: Statistics, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        kill_after(patch, epoch=2)
        with pytest.raises(Killed):
            run_training(job(tiles, statistics, tmp_path / "run", epoch_patches=4))
    run_training(job(tiles, statistics, tmp_path / "run", "tensorboard", epoch_patches=4))
    assert_all_of_the_history(tmp_path / "run")


def test_a_new_training_removes_the_files_of_an_earlier_one(
    tiles: Folders, statistics: Statistics, tmp_path: Path
) -> None:
    row = {"step": 1, "epoch": 0.5, "loss_height": 1.0}
    for value in (1.0, 2.0):
        logger = TensorBoard(job(tiles, statistics, tmp_path, "tensorboard"))
        logger.begin([])
        logger.add({**row, "loss_height": value})
        logger.close()
    assert curve(events(tmp_path), "loss/height") == {1: 2.0}


def test_columns_that_come_later_are_written_once(tiles: Folders, statistics: Statistics, tmp_path: Path) -> None:
    logger = TensorBoard(job(tiles, statistics, tmp_path, "tensorboard"))
    logger.begin([])
    row = {"step": 1, "epoch": 0.5, "loss_height": 1.0}
    logger.add(row)
    logger.add({**row, "val_MAE": 3.0})
    logger.close()
    assert (curve(events(tmp_path), "loss/height"), curve(events(tmp_path), "val/MAE")) == ({1: 1.0}, {1: 3.0})


@TRAINS
def test_a_full_disk_is_one_warning_and_changes_no_training(
    tiles: Folders, statistics: Statistics, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    run_training(job(tiles, statistics, tmp_path / "unseen"))
    write, written = EventFile._write, []

    def full(self: EventFile, step: int, **content: Any) -> None:
        written.append(step)
        if len(written) > 20:
            raise OSError(errno.ENOSPC, "No space left on device")
        write(self, step, **content)

    monkeypatch.setattr(EventFile, "_write", full)
    run_training(job(tiles, statistics, tmp_path / "seen", "tensorboard"))
    assert_same_run(tmp_path / "unseen", tmp_path / "seen")
    warnings = [text for text in messages(caplog, logging.WARNING) if text.startswith("tensorboard: ")]
    assert len(warnings) == 1
    assert "No space left on device; the training goes on" in warnings[0]
    assert len(written) == 21
