"""The benchmark of the workflow's overhead: job times and import times."""

import json
from pathlib import Path
from types import ModuleType

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def overhead(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(BENCHMARKS)
    import workflow_overhead

    return workflow_overhead


def test_time_with_several_jobs_counts_once(overhead: ModuleType) -> None:
    spans = [(5, 1), (0, 2), (1, 2), (5.25, 0.5), (6, 1)]
    jobs = [overhead.Job("train", begun, seconds) for begun, seconds in spans]
    assert overhead.covered(jobs) == 3 + 2
    assert overhead.covered([]) == 0


def test_jobs_are_read_from_what_snakemake_leaves(overhead: ModuleType, tmp_path: Path) -> None:
    """A job has a record for each of its outputs, in folders where their names are long."""
    for number, (rule, log) in enumerate([("train", "equal"), ("train", "equal"), ("train", "height"), ("score", "a")]):
        record = {"rule": rule, "log": [f"results/demo/logs/city/{rule}/{log}.seed0.log"], "starttime": 100.0}
        path = tmp_path / ".snakemake" / "metadata" / ("@long" * (number % 2)) / str(number)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(record))
        measured = tmp_path / "results/demo/benchmarks/city" / rule / f"{log}.seed0.tsv"
        measured.parent.mkdir(parents=True, exist_ok=True)
        measured.write_text("s\th:m:s\n2.5\t0:00:02\n")
    jobs = overhead.finished(tmp_path)
    assert sorted(jobs) == [("score", 100.0, 2.5), ("train", 100.0, 2.5), ("train", 100.0, 2.5)]
    assert overhead.by_rule(jobs) == [
        {"rule": "train", "jobs": 2, "seconds": 5.0},
        {"rule": "score", "jobs": 1, "seconds": 2.5},
    ]


@pytest.mark.full("interpreters that import torch")
def test_what_a_script_imports_is_timed(overhead: ModuleType) -> None:
    timing = overhead.startup(overhead.SCRIPTS / "check_splits.py")
    assert timing["startup"] > 0
    assert "torch" not in timing["packages"]
    assert "mtlaerial" in timing["packages"]
