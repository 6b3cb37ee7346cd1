"""Forked Snakemakes of the tests: they plan what the command of a user plans."""

import re
import subprocess
from pathlib import Path

import pytest

from support.workplace import Workplace

pytestmark = pytest.mark.workflow


def jobs(plan: str) -> list[str]:
    return sorted(re.findall(r"^Job \d+: .*$", plan, re.MULTILINE))


@pytest.mark.full("a plan by the command, beside one in a forked process")
def test_a_forked_plan_has_the_jobs_of_the_command(tmp_path: Path) -> None:
    place = Workplace(tmp_path / "place")
    forked = place.run("--dry-run")
    command = subprocess.run(
        place.command("--dry-run"), cwd=place.folder, env=place.environment, capture_output=True, text=True, check=True
    )
    assert len(jobs(forked.stdout)) > 20
    assert jobs(forked.stdout) == jobs(command.stdout + command.stderr)
