"""Trainings that are killed or asked to end, and the comparison of their run folders."""

import signal
from pathlib import Path
from typing import Any

import pytest

from mtlaerial.training.resume_state import ResumeFile
from mtlaerial.training.train_step import TrainStep, Update

FILES = ["best.safetensors", "cost.json", "history.csv", "last.safetensors", "model.safetensors", "progress.jsonl"]
"""Files of a finished run."""
RICH: dict[str, Any] = {
    "epochs": 4,
    "weight_decay": 0.01,
    "schedule": "warmup_cosine",
    "selection": "best",
    "ema": 0.9,
    "patience": 3,
    "augmentation": {"rotation": 5, "zoom": 0.1, "colour": 0.2, "noise": 0.1, "quarter_turns": True},
}
"""Settings of a training with as much state to resume as there can be."""


class Killed(BaseException):
    """The end of a training from outside."""


def kill_after(monkeypatch: pytest.MonkeyPatch, epoch: int) -> None:
    """End the training as soon as the state of an epoch of two steps is saved."""
    save = ResumeFile.save

    def save_and_die(self: ResumeFile, state: dict[str, Any]) -> None:
        save(self, state)
        if state["step"] == 2 * epoch:
            raise Killed

    monkeypatch.setattr(ResumeFile, "save", save_and_die)


def signal_at(monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """Let a signal ask the process to end while a step, counted from 1, is at work."""
    update = TrainStep.__call__

    def signalled(self: TrainStep, number: int, measure_conflict: bool = False) -> Update:
        if number + 1 == step:
            signal.raise_signal(signal.SIGTERM)
        return update(self, number, measure_conflict)

    monkeypatch.setattr(TrainStep, "__call__", signalled)


def file_names(folder: Path) -> list[str]:
    """Return the names of a folder's files in order."""
    return sorted(path.name for path in folder.iterdir())


def assert_same_run(run: Path, expected: Path) -> None:
    """Compare all files of two runs byte for byte, save the cost."""
    for name in set(FILES) - {"cost.json", "progress.jsonl"}:
        assert (run / name).read_bytes() == (expected / name).read_bytes(), name
