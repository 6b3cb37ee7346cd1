"""Looks of Snakemake's scheduler at the jobs that are ready: one for each job that ended, unless a limit is given."""

from pathlib import Path

import pytest

from support.workplace import Workplace

TILES = ("--forcerun", "check_tile", "--until", "check_tile")


@pytest.mark.full("a workflow of a few seconds")
def test_the_scheduler_looks_when_a_job_has_ended_and_not_every_second(finished: Workplace, tmp_path: Path) -> None:
    place = finished.copy(tmp_path / "place")
    run = place.run("--verbose", *TILES)
    assert run.returncode == 0, run.stdout
    ended = run.stdout.count("Finished jobid")
    assert ended >= 4
    assert run.stdout.count("Resources before job selection") <= ended + 1


@pytest.mark.full("a workflow of a few seconds")
def test_a_limit_of_the_command_line_is_kept(finished: Workplace, tmp_path: Path) -> None:
    place = finished.copy(tmp_path / "place")
    run = place.run("--max-jobs-per-timespan", "1/1s", *TILES)
    assert run.returncode == 0, run.stdout
    assert "Job rate limit reached" in run.stdout
