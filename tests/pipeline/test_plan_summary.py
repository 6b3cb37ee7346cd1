"""The summary at the end of a dry run: trainings by state, data that lack files, and the time that is left."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mtlaerial.pipeline.plan_summary import plan_summary
from mtlaerial.pipeline.project import Project
from mtlaerial.runs.cost import Cost, save_cost
from mtlaerial.runs.progress_file import ProgressRecord

STEPS = 100
TRAINING = {"epochs": 10, "epoch_patches": 40, "batch": 4}
"""Of 100 steps."""


@pytest.fixture
def project(data: dict[str, Any], tmp_path: Path) -> Project:
    """Return a project of two methods and two seeds, without results; its data are absent."""
    data["methods"]["classes"]["overrides"] = {}
    return Project.of({**data, "results": str(tmp_path / "results"), "training": TRAINING})


def run_folder(project: Project, method: str, seed: int) -> Path:
    folder = project.config.results / "city/runs" / method / f"seed{seed}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def finish(project: Project, method: str, seed: int, seconds: float) -> None:
    folder = run_folder(project, method, seed)
    (folder / "model.safetensors").write_bytes(b"")
    save_cost(Cost(seconds_per_step=seconds, peak_memory_mb=1.0, device="CPU"), folder / "cost.json")


def summary_lines(project: Project, **options: Any) -> dict[str, str]:
    title, *lines = plan_summary(project, **options).splitlines()
    assert title == "Summary"
    return dict(line.split(maxsplit=1) for line in lines)


def test_without_results_all_trainings_wait_and_their_time_is_not_known(project: Project) -> None:
    lines = summary_lines(project)
    assert lines["trainings"] == "4 waiting; to be trained: 4"
    assert lines["data"] == f"city lacks {len(project.sources['city'].missing())} files"
    assert lines["time"].startswith("not known")


def test_the_time_follows_from_another_seed_of_the_same_method(project: Project) -> None:
    finish(project, "both", 0, seconds=3.0)
    lines = summary_lines(project)
    assert lines["trainings"] == "1 done, 3 waiting; to be trained: 3"
    assert lines["time"] == "about 05:00 of training, one after the other; not known of 2"  # 100 steps of 3 s


def test_steps_of_an_interrupted_training_are_not_counted_again(project: Project) -> None:
    finish(project, "both", 0, seconds=3.0)
    finish(project, "classes", 0, seconds=1.0)
    finish(project, "classes", 1, seconds=1.0)
    folder = run_folder(project, "both", 1)
    (folder / "model.resume.pt").write_bytes(b"")
    record = ProgressRecord(event="state_saved", time=datetime.now(UTC), step=60, steps=STEPS, saved_step=60)
    (folder / "progress.jsonl").write_text(record.model_dump_json() + "\n")
    lines = summary_lines(project)
    assert lines["trainings"] == "3 done, 1 interrupted; to be trained: 1"
    assert lines["time"] == "about 02:00 of training, one after the other"


def test_a_finished_training_that_is_planned_is_trained_again_as_a_whole(project: Project) -> None:
    finish(project, "both", 0, seconds=3.0)
    lines = summary_lines(project, planned={("city", "both", 0)})
    assert lines["trainings"] == ("1 done, 3 waiting; to be trained: 1 (1 again, as keys or inputs have changed)")
    assert lines["time"] == "about 05:00 of training, one after the other"


def test_where_nothing_is_left_no_time_is_told(project: Project) -> None:
    taken = [("city", method, seed) for method in ("both", "classes") for seed in (0, 1)]
    lines = summary_lines(project, taken=taken)
    assert lines["trainings"] == "4 taken; to be trained: 0"
    assert "time" not in lines


@pytest.mark.parametrize(
    ("accelerator", "gpus", "hours"), [("cpu", 1, 1), ("cuda", 0, 2), ("auto", 0, 1), ("auto", 1, 2)]
)
def test_a_budget_tells_the_time_without_a_measurement(
    data: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, accelerator: str, gpus: int, hours: int
) -> None:
    """Four trainings of 30 minutes, on the CPU of two cores; ``auto`` takes a GPU where there is one."""
    monkeypatch.setattr("mtlaerial.pipeline.plan_summary.visible_gpus", lambda: ("GPU-0",) * gpus)
    data["methods"]["classes"]["overrides"] = {}
    training = {**TRAINING, "threads": 2, "budget": {"minutes": 30}, "accelerator": accelerator}
    project = Project.of({**data, "results": str(tmp_path / "results"), "training": training})
    assert summary_lines(project)["time"] == f"about {hours}:00:00 of training, one after the other"
