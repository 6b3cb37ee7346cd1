"""Launch of trainings in several processes: results, errors, and graceful shutdown."""

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from mtlaerial.errors import TrainingError, UserError
from mtlaerial.pipeline.launch import _sudden_end, train_in_processes
from mtlaerial.tiles.statistics import Statistics
from mtlaerial.training.job import TrainingJob
from support import tiny
from support.tiny import Folders
from support.without_torch import needs_torch

TRAINS = """
import logging, sys
from pathlib import Path
from mtlaerial.training.job import TrainingJob
from mtlaerial.pipeline.launch import train_in_processes
from mtlaerial.system.signals import Stopped
logging.basicConfig(level=logging.INFO, format="%(message)s")
try:
    train_in_processes(TrainingJob.model_validate_json(Path(sys.argv[1]).read_text()), 2)
except Stopped as stopped:
    sys.exit(stopped.exit_code)
"""
SOON = 120.0
"""Seconds for processes to end, of which they need one or so on a machine with nothing else to do."""


def job(tiles: Folders, statistics: Statistics, folder: Path, **training: object) -> TrainingJob:
    return tiny.job(tiny.run_plan(**training), statistics, tiles["train"], [], folder / "run")


@pytest.fixture
def long(tiles: Folders, statistics: Statistics, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process whose training in two others has begun, and goes on for hours."""
    path = tmp_path / "long.json"
    path.write_text(job(tiles, statistics, tmp_path, epochs=100_000, batch=4).model_dump_json())
    environment = {**os.environ, "TMPDIR": str(tmp_path)}  # a killed process leaves a file there
    command = [sys.executable, "-c", TRAINS, str(path)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
    assert process.stderr
    lines = []
    while not (lines and lines[-1].startswith("epoch 1/")):
        lines.append(process.stderr.readline())
        assert lines[-1], "".join(lines)
    yield process
    process.kill()
    process.wait()


@pytest.mark.full("interpreters of three processes")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_the_end_of_the_job_ends_its_processes(long: subprocess.Popen[str], number: int) -> None:
    workers = [each for each in psutil.Process(long.pid).children(recursive=True) if each.is_running()]
    assert len(workers) == 3  # torchrun and two
    long.send_signal(number)
    _, alive = psutil.wait_procs(workers, SOON)
    assert not alive
    assert long.wait(SOON) == (143 if number == signal.SIGTERM else -signal.SIGKILL)


@pytest.mark.full("starts processes with torch of their own")
@needs_torch
def test_an_error_is_the_one_that_a_process_met(
    tiles: Folders, statistics: Statistics, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "mtlaerial.pipeline.launch")
    with pytest.raises(
        UserError, match=r"^training.batch: found 3 patches for 2 processes and 1 passes each; expected"
    ):
        train_in_processes(job(tiles, statistics, tmp_path, batch=3), 2)
    assert [record.message for record in caplog.records] == ["training in 2 processes"]


@needs_torch
def test_one_process_is_this_one(tiles: Folders, statistics: Statistics, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.delattr("mtlaerial.pipeline.launch._launch")
        train_in_processes(job(tiles, statistics, tmp_path, epochs=1), 1)
    assert (tmp_path / "run" / "model.safetensors").exists()


def test_a_killed_process_is_reported_with_its_signal(caplog: pytest.LogCaptureFixture) -> None:
    """The table that torchrun prints names the signal; whatever else it says is shown."""
    killed = _sudden_end("  rank      : 1 (local_rank: 1)\n  exitcode  : -9 (pid: 77)\n")
    assert isinstance(killed, TrainingError)
    assert "a sudden end by SIGKILL" in str(killed)
    assert not caplog.records
    assert "found a sudden end; expected" in str(_sudden_end("No module named torch"))
    assert "No module named torch" in caplog.text
