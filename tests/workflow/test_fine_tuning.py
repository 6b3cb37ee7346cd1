"""A run that begins with another one of the same workflow."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.workplace import TINY, Workplace

pytestmark = pytest.mark.workflow
SOURCE, TUNED = "results/town/runs/equal/seed0", "results/town/runs/tuned/seed0"
NETWORK = yaml.safe_load(TINY.read_text(encoding="utf-8"))["models"]["tiny"]


def config(**start: Any) -> dict[str, Any]:
    pretrained = {"source": f"{SOURCE}/", "parts": "all", **start}
    return {
        "run": {"methods": ["equal", "tuned"]},
        "models": {"begun": {**NETWORK, "pretrained": pretrained}},
        "methods": {"tuned": {"tasks": ["semantics", "height"], "weighting": {"name": "equal"}, "model": "begun"}},
    }


@pytest.mark.full("two real trainings; the files that the rule waits for are tested in tests/pipeline")
def test_the_run_to_start_from_is_trained_first(finished: Workplace, tmp_path: Path) -> None:
    place = finished.copy(tmp_path / "place")
    shutil.rmtree(place.folder / SOURCE)
    begun, target = config(freeze={"encoder": 1}), [f"{TUNED}/run.yaml"]
    trainings = [message for message in place.planned(begun, target) if message.startswith("Training ")]
    assert trainings == ["Training equal on town, seed 0", "Training tuned on town, seed 0"]
    run = place.run(*target, config=begun)
    assert run.returncode == 0, run.stdout
    source, tuned = (yaml.safe_load((place.folder / name / "run.yaml").read_text()) for name in (SOURCE, TUNED))
    assert tuned["start"]["sha256"] == source["sha256"]
    assert tuned["start"]["name"] == "town/equal/seed0"
    assert place.planned(begun, target) == []
    slower = config(freeze={"encoder": 1}, rates={"encoder": 0.1})
    assert place.planned(slower, target) == ["Training tuned on town, seed 0", "Describing tuned on town, seed 0"]
