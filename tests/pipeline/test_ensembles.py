"""Ensembles in a project: what is trained for them, what they depend on, and notes on them."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from mtlaerial.config import merge
from mtlaerial.config.selection import require_method
from mtlaerial.errors import ConfigError
from mtlaerial.pipeline.decisive_params import Decisive
from mtlaerial.pipeline.ensemble_notes import ensemble_notes
from mtlaerial.pipeline.project import Project
from mtlaerial.pipeline.project_starts import check_starts
from mtlaerial.pipeline.view_notes import view_notes
from support import tiny


@pytest.fixture
def data(tmp_path: Path) -> dict[str, Any]:
    """Return a configuration whose ensembles have members that are not selected."""
    spec = tmp_path / "city.yaml"
    spec.write_text(yaml.safe_dump(tiny.city_spec().model_dump(mode="json")), encoding="utf-8")
    return {
        "run": {"datasets": ["city"], "methods": ["mean", "whole"], "seeds": [0, 1]},
        "datasets": {"city": {"spec": str(spec), "root": str(tmp_path / "data")}},
        "models": {"net": tiny.MODEL},
        "methods": {
            "both": {"tasks": ["semantics", "height"], "model": "net"},
            "classes": {"tasks": ["semantics"], "model": "net"},
            "metres": {"tasks": ["height"], "model": "net"},
            "mean": {"ensemble": {"members": ["both", "classes"]}},
            "whole": {"ensemble": {"members": ["metres"], "seeds": "all"}},
        },
        "training": tiny.TRAINING,
    }


def without_labels(data: dict[str, Any], **changes: Any) -> Project:
    """Return the project on the data set without its labels."""
    path = Path(data["datasets"]["city"]["spec"])
    spec = yaml.safe_load(path.read_text())
    path.write_text(yaml.safe_dump({**spec, "labels": None}), encoding="utf-8")
    return Project.of(merge(data, changes))


def test_members_are_trained_though_they_are_not_selected(data: dict[str, Any]) -> None:
    project = Project.of(data)
    assert project.runs() == [("city", "mean"), ("city", "whole")]
    assert project.trainings() == [("city", "both"), ("city", "classes"), ("city", "metres")]


def test_an_ensemble_has_its_members_runs_of_its_seed_or_of_all(data: dict[str, Any]) -> None:
    project = Project.of(data)
    assert project.source_runs("city", "mean", 1) == [("both", 1), ("classes", 1)]
    assert project.source_runs("city", "whole", 0) == [("metres", 0), ("metres", 1)]
    decisive = Decisive(project)
    assert decisive.predict("city", "whole", "0")["members"] == ["metres/seed0", "metres/seed1"]
    plan = decisive.describe_ensemble("city", "mean", "1")["plan"]
    assert (plan["method"], plan["seed"], plan["tasks"]) == ("mean", 1, ["semantics", "height"])


def test_an_ensemble_is_left_out_where_a_member_has_nothing_to_learn(data: dict[str, Any]) -> None:
    project = without_labels(data)
    assert project.methods("city") == ("whole",)
    assert "Left out, as city has no ground truth of semantics: mean." in project.notes()
    with pytest.raises(ConfigError, match=r"run\.methods: found mean, whose tasks city has no ground truth for"):
        without_labels(data, run={"methods": ["mean"]})


def test_members_that_are_the_same_training_for_want_of_truth_count_once(data: dict[str, Any]) -> None:
    members = {"methods": {"mean": {"ensemble": {"members": ["both", "metres"]}}}}
    project = without_labels(data, run={"methods": ["mean"]}, **members)
    assert project.source_runs("city", "mean", 0) == [("metres", 0)]
    assert project.trainings() == [("city", "metres")]


def test_selection_of_best_weights_is_a_matter_of_the_members(data: dict[str, Any]) -> None:
    path = Path(data["datasets"]["city"]["spec"])
    spec = yaml.safe_load(path.read_text())
    path.write_text(yaml.safe_dump({**spec, "splits": {"train": ["city_1"], "test": ["city_4"]}}), encoding="utf-8")
    Project.of(data)
    override = {"methods": {"classes": {"overrides": {"training": {"selection": "best"}}}}}
    with pytest.raises(ConfigError, match="found best for classes on city, which has no validation tiles"):
        Project.of(merge(data, override))


def test_a_training_does_not_begin_with_an_ensemble(data: dict[str, Any]) -> None:
    start = {"source": "results/city/runs/mean/seed0/", "parts": "all"}
    begun = {"models": {"begun": {**tiny.MODEL, "pretrained": start}}, "methods": {"metres": {"model": "begun"}}}
    with pytest.raises(ConfigError, match=r"methods\.metres: found the start .*, an ensemble; expected the run of a"):
        check_starts(Project.of(merge(data, begun)))


def test_an_ensemble_is_not_trained_by_itself(data: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"--method: found mean, an ensemble; .* Train its members, both, classes"):
        require_method(Project.of(data).config, "mean")
    with pytest.raises(ConfigError, match="found mean, an ensemble"):
        Project.of(data).plan("city", "mean", 0)


def test_views_that_a_members_training_did_not_see_are_noted(data: dict[str, Any]) -> None:
    prediction = {"prediction": {"views": ["mirror", "scales"]}}
    project = Project.of(merge(data, prediction))
    unseen = "scales (training.augmentation.zoom is 0, below 0.25)"
    note = (
        f"Predicted with views that the training did not see: {unseen}, of mean, whole; maps may be worse than without."
    )
    assert view_notes(project, "city") == [note]
    assert note in Decisive(project).tables()["city"]["notes"]
    zoom = {"overrides": {"training": {"augmentation": {"zoom": 0.25}}}}
    seen = merge(data, prediction, {"methods": {"metres": zoom}})
    assert view_notes(Project.of(seen), "city") == [note.replace("mean, whole", "mean")]
    assert view_notes(Project.of(data), "city") == []


def test_settings_of_members_that_an_ensemble_lacks_are_noted(data: dict[str, Any]) -> None:
    softmax = {"prediction": {"activation": "softmax"}}
    changes = {"both": {"overrides": softmax}, "classes": {"overrides": {**softmax, "scoring": {"height_bins": [3]}}}}
    project = Project.of(merge(data, {"methods": changes}))
    assert project.recipe("city", "mean").prediction.activation == "sigmoid"
    texts = (
        "prediction.activation is sigmoid instead of softmax of both and softmax of classes",
        "scoring.height_bins is 2.0, 5.0, 10.0, 20.0, 40.0 instead of 3.0 of classes",
    )
    start, end = "mean, an ensemble, does not have its members' overrides: ", "in methods.mean.overrides."
    (note,) = ensemble_notes(project, "city")
    assert note == f"{start}{'; '.join(texts)}. It may state them itself, {end}"
    assert note in Decisive(project).tables()["city"]["notes"]
    stated = merge(data, {"methods": {**changes, "mean": {"overrides": {"prediction": {"activation": "sigmoid"}}}}})
    (note,) = ensemble_notes(Project.of(stated), "city")
    assert note == f"{start}{texts[1]}. It may state them itself, {end}"
    everywhere = {**softmax, "scoring": {"height_bins": [3]}, "methods": changes}
    assert [note for note in ensemble_notes(Project.of(merge(data, everywhere)), "city") if "activation" in note] == []
