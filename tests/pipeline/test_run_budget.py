"""Budgets of runs without Snakemake: the rate is measured once, and lies beside the run."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from mtlaerial.cli import app
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.errors import ConfigError, DataError
from mtlaerial.pipeline.run_budget import known_budget, with_measured_budget
from mtlaerial.runs.rate import Rate, save_rate
from mtlaerial.runs.run import load_description
from mtlaerial.tiles.statistics import Statistics
from mtlaerial.training.job import TrainingJob
from support import tiny
from support.command_line import Town, config
from support.rates import budget_plan, rate_file, rate_of
from support.tiny import Folders
from support.without_torch import needs_torch


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[TrainingJob]:
    """Return the jobs that are measured from now on: 10 s an update each."""
    jobs: list[TrainingJob] = []

    def measure(job: TrainingJob) -> Rate:
        jobs.append(job)
        return rate_of(job.plan, 10.0)

    monkeypatch.setattr("mtlaerial.probe.rate.measure_rate", measure)
    return jobs


@needs_torch
def test_a_rate_that_is_not_there_is_measured_and_kept(
    measured: list[TrainingJob], statistics: Statistics, tiles: Folders, tmp_path: Path
) -> None:
    plan = budget_plan(1)
    assert known_budget(plan, tmp_path) == (plan, None)
    job = with_measured_budget(tiny.job(plan, statistics, tiles["train"], folder=tmp_path))
    assert job.plan.training.steps == 6
    assert job.budget
    assert known_budget(plan, tmp_path) == (job.plan, job.budget)
    assert with_measured_budget(job) == job
    assert len(measured) == 1


@needs_torch
def test_a_rate_of_the_configuration_comes_before_that_of_the_run(tmp_path: Path) -> None:
    plan = budget_plan(1)
    rate_file(tmp_path / "rate.json", plan, 10)
    given = tiny.run_plan(budget={"minutes": 1, "rate": str(rate_file(tmp_path / "given.json", plan, 5))})
    assert known_budget(plan, tmp_path)[0].training.steps == 6
    assert known_budget(given, tmp_path)[0].training.steps == 12
    missing = tiny.run_plan(budget={"minutes": 1, "rate": str(tmp_path / "none.json")})
    with pytest.raises(ConfigError, match=r"none.json: found no file; expected the rate of equal"):
        known_budget(missing, tmp_path)


@needs_torch
def test_the_rate_beside_a_run_of_another_recipe_is_refused(tmp_path: Path) -> None:
    save_rate(rate_of(budget_plan(1, patch=64), 1.0), tmp_path / "rate.json")
    with pytest.raises(DataError, match=r"rate.json: found a rate of another recipe \(training.patch 64 instead of 32"):
        known_budget(budget_plan(1), tmp_path)


@pytest.mark.full("two commands that check and prepare; the library is tested above")
def test_the_command_measures_once_and_repeats_nothing(
    measured: list[TrainingJob], city: Dataset, tmp_path: Path
) -> None:
    town = Town(tmp_path, city)
    path = config(town, training={**tiny.TRAINING, "budget": {"minutes": 1}})
    command = ["train", str(town.spec), "--root", str(town.root), "--out", str(tmp_path / "run"), "--config", str(path)]
    for _ in range(2):
        result = CliRunner().invoke(app, command)
        assert result.exit_code == 0, result.output
        assert len(measured) == 1
    run = load_description(tmp_path / "run")
    assert run.plan.training.steps == 6
    assert run.budget
    assert run.budget.rate.seconds == 10
    config(town, training={**tiny.TRAINING, "budget": {"minutes": 3}})
    result = CliRunner().invoke(app, command)
    assert isinstance(result.exception, DataError)
    assert "training.epoch_patches 4 instead of 12" in str(result.exception)
