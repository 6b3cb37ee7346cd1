"""The plan says what its comparisons can tell, before anything is trained."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from mtlaerial.config.comparison import NoiseSpec
from mtlaerial.pipeline.joint_methods import tradeoffs
from mtlaerial.pipeline.power_notes import power_notes
from mtlaerial.pipeline.project import Project
from mtlaerial.reporting.inference.power import Design, detectable_effect
from support import tiny

BOTH = ["semantics", "height"]


@pytest.fixture
def data(tmp_path: Path) -> dict[str, Any]:
    """Return a configuration of two joint methods and both single ones, three seeds and four test tiles."""
    spec = tiny.city_spec(splits={"train": ["a"], "test": ["b", "c", "d", "e"]}).model_dump(mode="json")
    (tmp_path / "city.yaml").write_text(yaml.safe_dump(spec), encoding="utf-8")
    return {
        "run": {"datasets": ["city"], "methods": ["classes", "metres", "both", "rlw"], "seeds": [0, 1, 2]},
        "datasets": {"city": {"spec": str(tmp_path / "city.yaml"), "root": str(tmp_path / "data")}},
        "models": {"net": tiny.MODEL},
        "methods": {
            "both": {"tasks": BOTH, "model": "net"},
            "rlw": {"tasks": BOTH, "model": "net", "weighting": {"name": "rlw"}},
            "classes": {"tasks": ["semantics"], "model": "net"},
            "metres": {"tasks": ["height"], "model": "net"},
        },
    }


def notes(data: dict[str, Any], **run: Any) -> list[str]:
    return list(power_notes(Project.of({**data, "run": {**data["run"], **run}})))


def test_each_comparison_is_told_with_its_size(data: dict[str, Any]) -> None:
    weightings, single = notes(data)
    assert weightings.startswith("Power (city, weightings beside both; 3 seeds, 4 test tiles, 1 comparison): ")
    assert single.startswith("Power (city, several tasks at once beside each alone; 3 seeds, 4 test tiles, 2 compar")
    effect = detectable_effect(Design(3, 4, 1), NoiseSpec())
    assert f"the minimal detectable effect is {100 * effect:.2g} %, the smallest margin of equivalence ±" in weightings
    assert "run.comparison.margin is ±2 %" in weightings
    assert "With 8 seeds and 1 comparison the effect would be" in weightings


def test_without_a_comparison_there_is_no_note(data: dict[str, Any]) -> None:
    assert notes(data, methods=["both", "classes"]) == []
    assert len(notes(data, methods=["both", "classes", "metres"])) == 1


def test_one_seed_gives_no_verdict_and_says_so(data: dict[str, Any]) -> None:
    assert notes(data, seeds=[7], methods=["both", "rlw"]) == [
        "Power (city, weightings beside both; 1 seed, 4 test tiles, 1 comparison): no intervals and no verdicts; that "
        "takes two seeds and two test tiles."
    ]


def test_a_design_that_tells_the_margin_needs_no_note(data: dict[str, Any]) -> None:
    little = {"seeds": 0.001, "tiles": 0.001, "rest": 0.001}
    assert notes(data, comparison={"noise": little}) == []
    assert len(notes(data, comparison={"noise": little, "margin": 0.0001})) == 2


def test_steps_are_compared_one_by_one(data: dict[str, Any]) -> None:
    (note,) = notes(data, methods=["classes", "metres"], steps=[["classes", "metres"]])
    assert note.startswith("Power (city, steps, each by itself; 3 seeds, 4 test tiles, 1 comparison): ")


def test_methods_of_another_share_of_the_truth_are_no_part_of_a_comparison(data: dict[str, Any]) -> None:
    data["methods"]["rlw"]["overrides"] = {"training": {"labelled": {"semantics": 50}}}
    (note,) = notes(data)
    assert "several tasks at once beside each alone; 3 seeds, 4 test tiles, 1 comparison)" in note
    data["methods"]["classes"]["overrides"] = {"training": {"labelled": {"semantics": 50}}}
    assert notes(data) == []


def test_a_trade_off_takes_three_methods_that_learn_both_tasks_alike(data: dict[str, Any]) -> None:
    assert tradeoffs(Project.of(data)) == []
    data["run"]["methods"].append("uw")
    data["methods"]["uw"] = {"tasks": BOTH, "model": "net", "weighting": {"name": "uw"}}
    assert tradeoffs(Project.of(data)) == ["city"]
    data["methods"]["uw"]["overrides"] = {"training": {"labelled": {"height": 50}}}
    assert tradeoffs(Project.of(data)) == []
