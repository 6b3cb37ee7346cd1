"""Methods that could not be scored end the plan, unless they are confirmed."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from mtlaerial.errors import ConfigError
from mtlaerial.pipeline.project import Project
from mtlaerial.pipeline.unscored import require_scored, unscored_notes
from support import tiny

METHODS = {
    "both": {"tasks": ["semantics", "height"], "model": "net"},
    "classes": {"tasks": ["semantics"], "model": "net"},
    "metres": {"tasks": ["height"], "model": "net"},
    "classes_again": {"trained_as": "classes", "overrides": {"prediction": {"stride": 64}}},
}


@pytest.fixture
def data(tmp_path: Path) -> dict[str, Any]:
    """Return the configuration of a data set on disk whose test tile has heights but no labels."""
    labels = {**tiny.city_spec().model_dump(mode="json")["labels"], "optional": ["test"], "obtain": "Ask the town."}
    spec = tiny.city_spec(labels=labels).model_dump(mode="json")
    (tmp_path / "city.yaml").write_text(yaml.safe_dump(spec), encoding="utf-8")
    for tile in ("city_1", "city_2", "city_3", "city_4"):
        for layer in ("images", "height", "labels"):
            if (layer, tile) != ("labels", "city_4"):
                (tmp_path / "data" / layer).mkdir(parents=True, exist_ok=True)
                (tmp_path / "data" / layer / f"{tile}.tif").touch()
    return {
        "run": {"datasets": ["city"], "methods": ["both", "classes", "metres", "classes_again"], "seeds": [0]},
        "datasets": {"city": {"spec": str(tmp_path / "city.yaml"), "root": str(tmp_path / "data")}},
        "models": {"net": tiny.MODEL},
        "methods": METHODS,
    }


def refusal(data: dict[str, Any]) -> str:
    with pytest.raises(ConfigError) as error:
        require_scored(Project.of(data))
    assert "\n" not in str(error.value)
    return str(error.value)


def test_methods_without_a_score_are_refused_with_the_way_out(data: dict[str, Any]) -> None:
    assert refusal(data) == (
        "run.methods: found classes, classes_again on city, which could not be scored: no test tile has labels; "
        "expected methods of which at least one task can be scored. Ask the town. Or select others "
        "(datasets: {city: {methods: [both, metres]}}), or set run.train_unscored: true to train them all the same."
    )
    data["datasets"]["city"]["methods"] = ["classes"]
    assert refusal(data).startswith("datasets.city.methods: found classes on city")


def test_labels_in_an_archive_are_named(data: dict[str, Any]) -> None:
    archive = tiny.write_zip(Path(data["datasets"]["city"]["root"]) / "test.zip", {"city_4.tif": b""})
    assert f"For city_4.tif, {archive} holds one of that name. Unpack test.zip in" in refusal(data)


@pytest.mark.parametrize("way", ["confirmed", "selected", "labelled", "generated"])
def test_they_run_when_confirmed_and_others_always(way: str, data: dict[str, Any]) -> None:
    if way == "confirmed":
        data["run"]["train_unscored"] = True
    if way == "selected":
        data["run"]["methods"] = ["both", "metres"]
    if way == "labelled":
        (Path(data["datasets"]["city"]["root"]) / "labels/city_4.tif").touch()
    if way == "generated":
        data["datasets"]["city"]["generate"] = {"seed": 0}
    require_scored(Project.of(data))


def test_notes_name_joint_methods_that_are_scored_on_one_task_alone(data: dict[str, Any]) -> None:
    data["run"]["methods"] = ["both", "metres"]
    project = Project.of(data)
    require_scored(project)
    note = "Without a score of semantics, as no test tile of city has labels: both."
    assert list(unscored_notes(project)) == [f"{note} Ask the town."]


def test_a_note_names_labels_that_lie_elsewhere(data: dict[str, Any]) -> None:
    data["run"]["methods"] = ["both"]
    path = Path(data["datasets"]["city"]["root"]) / "released/in/2020/labels/city_4.tif"
    path.parent.mkdir(parents=True)
    path.touch()
    (note,) = unscored_notes(Project.of(data))
    assert f"For city_4.tif, one of that name is {path}. Move it" in note
