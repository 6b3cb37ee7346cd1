"""The command that scores runs without Snakemake gives the tables of the workflow."""

import subprocess
import sys
from pathlib import Path

import pytest

from support.workplace import Workplace

pytestmark = pytest.mark.workflow


@pytest.mark.full("predicts in a process of its own, beside a finished workflow")
def test_score_gives_the_tables_of_the_workflow_to_the_digit(finished: Workplace, tmp_path: Path) -> None:
    runs = [f"results/town/runs/{method}/seed0" for method in ("equal", "height")]
    command = [sys.executable, "-m", "mtlaerial", "score", *runs, str(finished.spec), "--root", "datasets/town"]
    command += ["--name", "town", "--out", str(tmp_path / "scored")]
    done = subprocess.run(
        command, cwd=finished.folder, env=finished.environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    expected = finished.folder / "results" / "tables"
    tables = tmp_path / "scored" / "tables"
    assert {path.name for path in tables.iterdir()} == {path.name for path in expected.iterdir() if path.name[0] != "."}
    for path in tables.iterdir():
        assert path.read_bytes() == (expected / path.name).read_bytes(), path.name
