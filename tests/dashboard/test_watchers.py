"""Loggers of other packages, and loggers that fail."""

import logging
from pathlib import Path
from typing import Any

import pytest

from mtlaerial.config import loggers
from mtlaerial.dashboard.watchers import Watchers
from mtlaerial.pipeline.run_training import run_training
from mtlaerial.tiles.statistics import Statistics
from support import tiny
from support.configurations import PROJECT, refusal
from support.logs import messages
from support.packages import install
from support.tiny import Folders

LOGGER = """
class Lines:
    def __init__(self, job):
        self.path = job.folder / "lines.txt"
    def _write(self, text):
        with self.path.open("a") as file:
            file.write(text + "\\n")
    def begin(self, rows):
        self._write(f"begin {len(rows)}")
    def add(self, row):
        self._write(f"add {row['step']}")
    def look(self, network, device, epoch):
        self._write(f"look {epoch}")
    def close(self):
        self._write("close")
"""


class Recorder:
    """A watcher that notes what it is given, and raises an error in one of its methods."""

    def __init__(self, failing: str = "") -> None:
        self.calls: list[str] = []
        self.failing = failing

    def begin(self, rows: Any) -> None:
        self._note("begin")

    def add(self, row: Any) -> None:
        self._note("add")

    def look(self, network: Any, device: Any, epoch: int) -> None:
        self._note("look")

    def close(self) -> None:
        self._note("close")

    def _note(self, method: str) -> None:
        self.calls.append(method)
        if method == self.failing:
            raise RuntimeError(f"no {method}")


@pytest.mark.parametrize("failing", ["begin", "add", "look", "close"])
def test_a_watcher_that_fails_is_called_no_more_and_the_others_go_on(
    failing: str, caplog: pytest.LogCaptureFixture
) -> None:
    broken, sound = Recorder(failing), Recorder()
    watchers = Watchers({"broken": lambda: broken, "sound": lambda: sound})
    watchers.begin([])
    watchers.add({})
    watchers.add({})
    watchers.look(lambda: None, None, 1)
    watchers.close()
    order = ["begin", "add", "add", "look", "close"]
    assert sound.calls == order
    assert broken.calls == order[: order.index(failing) + 1]
    [warning] = messages(caplog, logging.WARNING)
    assert warning.startswith(f"broken: RuntimeError: no {failing}; the training goes on without it")


def test_a_watcher_that_cannot_be_made_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    sound = Recorder()
    watchers = Watchers({"broken": lambda: Recorder(**{"wrong": 1}), "sound": lambda: sound})
    watchers.add({})
    assert sound.calls == ["add"]
    assert len(messages(caplog, logging.WARNING)) == 1


def test_another_package_registers_a_logger(
    tiles: Folders, statistics: Statistics, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, "line_logger", LOGGER, {"mtlaerial.loggers": {"lines": "line_logger:Lines"}})
    monkeypatch.syspath_prepend(tmp_path)
    plan = tiny.run_plan(epochs=2, epoch_patches=4, log_every=1)
    folder = tmp_path / "run"
    run_training(tiny.job(plan, statistics, tiles["train"], (), folder, loggers=("lines",)))
    lines = (folder / "lines.txt").read_text().splitlines()
    assert lines == ["begin 0", "add 1", "add 2", "add 2", "look 1", "add 3", "add 4", "add 4", "look 2", "close"]


def test_an_unknown_logger_is_refused() -> None:
    message = refusal({**PROJECT, "loggers": ["tensorbord"]})
    assert "loggers.0: found 'tensorbord'" in message
    assert "Did you mean tensorboard?" in message


def test_a_logger_without_its_package_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loggers, "find_spec", lambda name: None)
    message = refusal({**PROJECT, "loggers": ["tensorboard"]})
    assert "pip install 'mtlaerial[tensorboard]'" in message


def test_a_logger_twice_is_refused() -> None:
    assert "tensorboard twice" in refusal({**PROJECT, "loggers": ["tensorboard", "tensorboard"]})
