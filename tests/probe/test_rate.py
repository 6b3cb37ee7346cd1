"""Measured rates: what is computed from the times of several trainings, and real measurements."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mtlaerial.errors import ConfigError, TrainingError
from mtlaerial.probe import rate as measured
from mtlaerial.probe.rate import measure_rate
from mtlaerial.probe.side_by_side import time_together
from mtlaerial.probe.timing import Span, Timing
from mtlaerial.runs.machine import this_machine
from mtlaerial.runs.rate import load_rate, save_rate
from mtlaerial.tiles.statistics import Statistics
from mtlaerial.training.job import TrainingJob
from support import tiny
from support.rates import ELSEWHERE, budget_plan
from support.tiny import Folders


def timing(*seconds: float, own: float = 1.0, busy: float = 2.0, gpu: str | None = None) -> Timing:
    return Timing(
        machine=ELSEWHERE.model_copy(update={"gpu": gpu}),
        first=1.0,
        seconds=seconds,
        memory_mb=1.0,
        process_mb=1.0,
        own_cores=own,
        busy_cores=busy,
    )


@pytest.fixture
def job(statistics: Statistics, tiles: Folders) -> TrainingJob:
    return tiny.job(budget_plan(5, side_by_side=2, threads=1), statistics, tiles["train"])


def stub(monkeypatch: pytest.MonkeyPatch, *timings: Timing, cores: int = 2) -> None:
    monkeypatch.setattr(measured, "time_together", lambda job, trainings, span: list(timings)[:trainings])
    monkeypatch.setattr(measured, "usable_cores", lambda: list(range(cores)))


def test_the_rate_is_the_median_over_the_updates_of_all_trainings(
    job: TrainingJob, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    stub(monkeypatch, timing(1, 2, 9), timing(3, 4))
    rate = measure_rate(job)
    assert (rate.seconds, rate.quartiles, rate.timed, rate.patches) == (3, (2, 4), 5, 2)
    assert (rate.threads, rate.side_by_side, rate.device, rate.machine) == (1, 2, "cpu", ELSEWHERE)
    assert rate.core_seconds == 3
    assert rate.warning == ""
    save_rate(rate, tmp_path / "rate.json")
    assert load_rate(tmp_path / "rate.json", job.plan) == rate


def test_updates_that_compute_weights_for_others_count_with_them(
    statistics: Statistics, tiles: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of each three updates one takes 9 s, the others 3 s: 5 s on average, where the median is 3 s."""
    plan = budget_plan(5, side_by_side=1, threads=1, weighting={"name": "pcgrad", "every": 3})
    stub(monkeypatch, timing(*[9.0, 3.0, 3.0] * 4, 9.0, 3.0))
    rate = measure_rate(tiny.job(plan, statistics, tiles["train"]))
    assert (rate.seconds, rate.quartiles, rate.timed) == (5, (5, 5), 14)


def test_other_programs_at_work_are_a_warning(
    job: TrainingJob, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stub(monkeypatch, timing(1, 1, own=0.6, busy=2.0), timing(1, 1, own=0.5, busy=1.8))
    rate = measure_rate(job)
    assert rate.busy_cores == 0.8  # of 1.9 busy cores the two trainings kept 1.1 busy
    assert rate.warning.startswith("The machine was not idle: other programs kept 0.8 of 8 cores busy")
    assert rate.warning in caplog.text


def test_trainings_side_by_side_have_cores_of_their_own(job: TrainingJob, monkeypatch: pytest.MonkeyPatch) -> None:
    stub(monkeypatch, timing(1, 1), timing(1, 1), cores=1)
    with pytest.raises(ConfigError, match=r"side_by_side: found 2 trainings of 1 thread on 1 cores"):
        measure_rate(job)


def test_trainings_side_by_side_on_a_gpu_are_refused(job: TrainingJob, monkeypatch: pytest.MonkeyPatch) -> None:
    stub(monkeypatch, timing(1, 1, gpu="H200"), timing(1, 1, gpu="H200"))
    with pytest.raises(ConfigError, match=r"side_by_side: found 2 on a GPU; expected 1"):
        measure_rate(job)


def test_a_training_without_a_budget_has_no_rate(statistics: Statistics, tiles: Folders) -> None:
    with pytest.raises(ConfigError, match=r"training.budget: found none"):
        measure_rate(tiny.job(tiny.run_plan(), statistics, tiles["train"]))


@pytest.mark.full("two processes that import torch, and train")
def test_trainings_are_timed_at_once_and_on_their_tiles(job: TrainingJob) -> None:
    rate = measure_rate(job, Span(least=5, seconds=0.5))
    assert rate.timed >= 10
    assert 0 < rate.quartiles[0] <= rate.seconds <= rate.quartiles[1] < 5
    assert rate.machine == this_machine()
    json.loads(rate.model_dump_json())


def test_a_process_ends_in_silence_where_its_probe_has_ended() -> None:
    code = "import os; from mtlaerial.probe.worker import _say; file = os.fdopen(os.dup(1), 'w'); _say('ready', file)"
    reader, writer = os.pipe()
    os.close(reader)
    ended = subprocess.run([sys.executable, "-c", code], stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert (ended.returncode, ended.stderr) == (1, b"")


@pytest.mark.full("a process that imports torch")
def test_a_training_that_fails_while_it_is_timed_is_one_sentence(job: TrainingJob, tmp_path: Path) -> None:
    missing = job.model_copy(update={"training_tiles": (tmp_path / "none",)})
    with pytest.raises(TrainingError, match=r"timing of equal: found a training that fails \(.*none"):
        time_together(missing, 1, Span(least=1))
