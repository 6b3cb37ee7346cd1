"""Graceful shutdown: the state is saved at any step, and the resumed training ends as an unbroken one."""

import logging
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from mtlaerial.errors import TrainingError
from mtlaerial.system.signals import Stopped, deferred_signals
from mtlaerial.tiles.statistics import Statistics
from mtlaerial.training.resume_state import ResumeFile
from mtlaerial.training.train import train
from mtlaerial.training.train_step import TrainStep, Update
from mtlaerial.training.validation import Validator
from support import tiny
from support.tiny import Folders
from support.trainings import assert_same_run, file_names, signal_at

# Three epochs of three steps, with a row in the middle of each, and validation after the second and the last.
UNEVEN: dict[str, Any] = {
    "epoch_patches": 6, "log_every": 2, "validate_every": 2, "schedule": "warmup_cosine", "selection": "best",
}  # fmt: skip
STEPS = 9


@pytest.fixture(scope="module")
def whole(tiles: Folders, statistics: Statistics, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    run(tiles, statistics, folder)
    return folder


def run(tiles: Folders, statistics: Statistics, folder: Path) -> None:
    train(tiny.job(tiny.run_plan(**UNEVEN), statistics, tiles["train"], tiles["val"], folder))


@pytest.mark.quick_cases(1, "two trainings a case")
@pytest.mark.parametrize("step", range(1, STEPS + 1))
def test_a_stop_at_any_step(
    tiles: Folders, statistics: Statistics, whole: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, step: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        signal_at(patch, step)
        with pytest.raises(Stopped) as stopped:
            run(tiles, statistics, tmp_path)
    assert stopped.value.exit_code == 143
    assert "model.resume.pt" in file_names(tmp_path)
    with caplog.at_level(logging.INFO):
        run(tiles, statistics, tmp_path)
    assert f"going on after step {step} of {STEPS}" in caplog.text
    assert_same_run(whole, tmp_path)


@pytest.mark.full("a training a step")
def test_a_stop_at_every_step_in_turn(tiles: Folders, statistics: Statistics, whole: Path, tmp_path: Path) -> None:
    for step in range(1, STEPS + 1):
        with pytest.MonkeyPatch.context() as patch:
            signal_at(patch, step)
            with pytest.raises(Stopped):
                run(tiles, statistics, tmp_path)
    run(tiles, statistics, tmp_path)
    assert_same_run(whole, tmp_path)


def test_a_stop_while_the_validation_tiles_are_scored(
    tiles: Folders, statistics: Statistics, whole: Path, tmp_path: Path
) -> None:
    """It does not wait for all of them, which may take longer than a cluster grants; scoring is repeated later."""
    score, scored = Validator.__call__, []

    def asked(self: Validator, *arguments: Any) -> dict[str, float]:
        signal.raise_signal(signal.SIGINT)
        scored.append(score(self, *arguments))
        return scored[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Validator, "__call__", asked)
        with pytest.raises(Stopped) as stopped:
            run(tiles, statistics, tmp_path)
    assert (scored, stopped.value.exit_code) == ([], 130)
    run(tiles, statistics, tmp_path)
    assert_same_run(whole, tmp_path)


def test_weights_that_are_not_finite_are_not_kept(
    tiles: Folders, statistics: Statistics, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The losses of the last step of an epoch do not show its effect on the weights."""
    update = TrainStep.__call__

    def spoilt(self: TrainStep, number: int, measure_conflict: bool = False) -> Update:
        result = update(self, number, measure_conflict)
        if number == 5:
            _spoil(next(iter(self.network.parameters())))
        return result

    monkeypatch.setattr(TrainStep, "__call__", spoilt)
    with pytest.raises(TrainingError, match=r"city, equal, seed 0: found a weight .* in epoch 2"):
        run(tiles, statistics, tmp_path)
    stored = torch.load(tmp_path / "model.resume.pt", weights_only=True)["state"]
    assert stored["step"] == 3
    assert all(tensor.isfinite().all() for tensor in stored["model"].values() if tensor.is_floating_point())


@torch.no_grad()
def _spoil(parameter: Tensor) -> None:
    parameter[(0,) * parameter.dim()] = torch.nan


def test_a_crash_between_two_renamings_loses_no_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = ResumeFile(tmp_path / "model.resume.pt", "one")
    state.save({"step": 1})
    renamed = []

    def dies(source: Path, target: Path) -> None:
        if renamed:
            raise KeyboardInterrupt
        renamed.append(Path(source).rename(target))

    with monkeypatch.context() as patch:
        patch.setattr("os.replace", dies)
        with pytest.raises(KeyboardInterrupt):
            state.save({"step": 2})
    assert file_names(tmp_path) == ["model.previous.resume.pt"]
    assert state.load() == {"step": 1}


def test_handlers_are_set_for_the_block_alone() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with deferred_signals() as stop:
        stop.check()
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(Stopped, match="SIGTERM"):
            stop.check()
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_signal_that_a_shell_ignores_stays_ignored() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with deferred_signals() as stop:
            signal.raise_signal(signal.SIGINT)
            stop.check()
    finally:
        signal.signal(signal.SIGINT, before)


def test_outside_the_main_thread_nothing_is_set() -> None:
    handlers = []

    def work() -> None:
        with deferred_signals() as stop:
            stop.check()
            handlers.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert handlers == [signal.getsignal(signal.SIGTERM)]


@pytest.mark.parametrize("first", ["SIGTERM", "SIGINT"])
@pytest.mark.parametrize(("second", "ends"), [("SIGTERM", False), ("SIGINT", True)])
def test_a_second_signal(first: str, second: str, ends: bool) -> None:
    """A cluster's second one shall not keep the state from being stored; who presses Ctrl-C again means it."""
    program = (
        "import signal\nfrom mtlaerial.system.signals import Stopped, deferred_signals\n"
        f"with deferred_signals() as stop:\n  signal.raise_signal(signal.{first})\n  print('heeded', flush=True)\n"
        f"  signal.raise_signal(signal.{second})\n"
        "  try: stop.check()\n  except Stopped as stopped: print(stopped)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    expected = (-signal.SIGINT, "heeded\n") if ends else (0, f"heeded\nAsked to end by {first}\n")
    assert (done.returncode, done.stdout) == expected
