"""Budgets in the workflow: a rate by which minutes become updates, measured or given."""

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from mtlaerial.config import merge, read_configuration
from mtlaerial.pipeline.project import Project
from mtlaerial.runs.rate import Rate, save_rate
from support.rates import rate_file
from support.workplace import Workplace

pytestmark = [pytest.mark.workflow, pytest.mark.full("the whole workflow, and plans; the library is in the quick tier")]
RUN = "results/town/runs/equal/seed0"
RATE = Path("results/town/rates/equal.json")


def config(minutes: float = 0.5, method: str = "equal", **budget: Any) -> dict[str, Any]:
    overrides = {"training": {"budget": {"minutes": minutes, **budget}}}
    return {"methods": {method: {"overrides": overrides}}}


def described(place: Workplace) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((place.folder / RUN / "run.yaml").read_text())
    return content


def stub(place: Workplace, monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Write a rate of the workflow's method as ``given.json``."""
    monkeypatch.chdir(place.folder)
    files = [read_configuration(Path(name)) for name in ("config/config.yaml", "overlay.yaml")]
    plan = Project.of(merge(*files, config())).plan("town", "equal", 0)
    rate_file(place.folder / "given.json", plan, seconds)


def test_a_given_rate_decides_the_updates_and_nothing_is_measured(
    finished: Workplace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = finished.copy(tmp_path / "place")
    stub(place, monkeypatch, 1.0)
    given = config(rate="given.json")
    targets = [f"{RUN}/run.yaml", f"{RUN}/scores.json"]
    assert not [step for step in place.planned(given, targets) if step.startswith("Measuring")]
    run = place.run(*targets, config=given)
    assert run.returncode == 0, run.stdout
    content = described(place)
    assert content["plan"]["training"]["epoch_patches"] == 40  # 30 updates, in 3 epochs of 10 of 4 patches
    assert (content["budget"]["updates"], content["budget"]["minutes"]) == (30, 0.5)
    assert not (place.folder / RATE).exists()
    assert place.planned(given, targets) == []
    stub(place, monkeypatch, 2.0)
    os.utime(place.folder / "given.json", (1_000_000_000, 1_000_000_000))  # an older one than the results
    assert "Training equal on town, seed 0" in place.planned(given, targets)
    less = place.planned(config(0.25, rate="given.json"), targets)
    assert "Training equal on town, seed 0" in less
    Path(place.folder / "given.json").write_text("{")
    broken = place.run(f"{RUN}/model.safetensors", "--forcerun", "train", config=given)
    assert broken.returncode == 1
    assert "given.json: found a damaged file; expected the rate of a training." in broken.stdout
    assert "Traceback" not in broken.stdout


def test_a_rate_is_measured_once_and_again_when_a_key_changes_the_time_of_an_update(
    finished: Workplace, tmp_path: Path
) -> None:
    place = finished.copy(tmp_path / "place")
    measured, targets = config(0.02), [f"{RUN}/run.yaml"]
    assert "Measuring the rate of equal on town" in place.planned(measured, targets)
    run = place.run(*targets, config=measured)
    assert run.returncode == 0, run.stdout
    rate = Rate.model_validate_json((place.folder / RATE).read_text())
    assert (rate.threads, rate.side_by_side, rate.patches) == (1, 1, 4)
    content = described(place)
    affordable = int(0.02 * 60 / rate.seconds + 1e-9)
    assert content["budget"]["updates"] == affordable // 3 * 3
    assert content["budget"]["rate"]["seconds"] == rate.seconds
    assert place.planned(measured, targets) == []
    (place.folder / RATE).touch()
    assert place.planned(measured, targets) == []
    beside = place.planned(config(0.02, side_by_side=2), targets)
    assert {"Measuring the rate of equal on town", "Training equal on town, seed 0"} <= set(beside)
    slower = place.planned({**measured, "training": {"learning_rate": 0.5}}, targets)
    assert "Training equal on town, seed 0" in slower
    assert "Measuring the rate of equal on town" not in slower
    save_rate(rate.model_copy(update={"seconds": 2 * rate.seconds}), place.folder / RATE)
    assert place.planned(measured, targets) == ["Training equal on town, seed 0", "Describing equal on town, seed 0"]


def test_rate_of_trainings_side_by_side_asks_for_the_memory_of_all(finished: Workplace, tmp_path: Path) -> None:
    place = finished.copy(tmp_path / "place")
    script = place.folder / "workflow/scripts/measure_rate.py"
    script.write_text('print("given", snakemake.resources.mem_mb)\nraise SystemExit(1)\n')
    for trainings in (1, 2):
        run = place.run(str(RATE), "--retries", "0", config=config(0.02, side_by_side=trainings))
        assert f"given {12_000 * trainings}\n" in run.stdout
