"""Ensembles among the methods: their tasks, and entries that cannot be one."""

from typing import Any

import pytest

from mtlaerial.config import merge, parse_project
from mtlaerial.config.recipe_in_force import recipe_in_force
from mtlaerial.errors import ConfigError

PROJECT: dict[str, Any] = {
    "run": {"datasets": ["town"], "methods": ["best"], "seeds": [3, 4]},
    "datasets": {"town": {"spec": "town.yaml", "root": "town"}},
    "models": {"net": {}, "coarse": {"reduction": 2, "dropout": 0}},
    "methods": {
        "classes": {"tasks": ["semantics"], "model": "net"},
        "metres": {"tasks": ["height"], "model": "coarse"},
        "again": {"trained_as": "classes"},
        "inner": {"ensemble": {"members": ["classes"]}},
    },
}
TRAINED = "expected methods that are trained themselves."


def config(entry: dict[str, Any], **more: Any) -> Any:
    return parse_project(merge(PROJECT, {"methods": {"best": entry}}, more))


def ensemble(*members: str, **keys: Any) -> dict[str, Any]:
    return {"ensemble": {"members": list(members)}, **keys}


def test_an_ensemble_has_the_tasks_of_all_members_and_the_row_of_each_seed() -> None:
    project = config(ensemble("metres", "classes"))
    assert project.methods["best"].tasks == ("height", "semantics")
    assert project.members("best") == ("metres", "classes")
    assert project.members("classes") == ("classes",)
    assert project.seeds("best") == (3, 4)


def test_an_ensemble_of_all_seeds_is_one_row_under_the_first() -> None:
    project = config({"ensemble": {"members": ["classes"], "seeds": "all"}})
    assert (project.seeds("best"), project.seeds("classes")) == ((3,), (3, 4))


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (ensemble("clases"), f"members: found 'clases'; {TRAINED} Did you mean classes?"),
        (ensemble("again"), f"members: found again, another prediction of classes; {TRAINED} Write classes."),
        (ensemble("inner"), f"members: found inner, an ensemble; {TRAINED} List the members of inner instead."),
        (ensemble(), "members: found []; expected a list of names, at least 1"),
        (ensemble("classes", "classes"), "members: found classes twice"),
        ({"ensemble": {"members": "classes"}}, "members: found 'classes'; expected a list of names. Write [classes]."),
        ({"ensemble": "classes"}, "ensemble: found 'classes'; expected a section with keys such as members"),
        ({"ensemble": {"members": ["classes"], "seeds": "some"}}, "seeds: found 'some'; expected 'each' or 'all'"),
        (
            {"ensemble": {"members": ["metres"], "heights": "mode"}},
            "heights: found 'mode'; expected 'mean' or 'median'",
        ),
        (
            {"ensemble": {"members": ["classes"], "heights": "median"}},
            "methods.best.ensemble.heights: found median; expected mean, as no member learns heights",
        ),
        (ensemble("classes", tasks=["height"]), "found the keys tasks; expected ensemble and overrides alone"),
        (ensemble("classes", trained_as="metres"), "methods.best: found the keys trained_as; expected ensemble"),
        (ensemble("classes", recipe="compact"), "methods.best: found the keys recipe; expected ensemble and overrides"),
        (ensemble("classes", overrides={"training": {"epochs": 2}}), "methods.best: found the key overrides.training"),
        ({"trained_as": "inner"}, "trained_as: found 'inner'; expected a method that is trained itself"),
    ],
)
def test_what_is_no_ensemble_is_refused_in_one_sentence(entry: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config(entry)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("tasks", [5, "height", [["height"]], [], None])
def test_wrong_tasks_of_a_member_are_the_members_fault(tasks: Any) -> None:
    with pytest.raises(ConfigError, match=r"methods\.metres\.tasks"):
        config(ensemble("metres"), methods={"metres": {"tasks": tasks}})


def test_a_data_set_changes_no_training_of_an_ensemble() -> None:
    overrides = {"best": {"training": {"epochs": 2}}}
    with pytest.raises(ConfigError, match=r"datasets\.town\.overrides\.best: found the key training"):
        config(ensemble("classes"), datasets={"town": {"overrides": overrides}})


@pytest.mark.parametrize(
    ("prediction", "message"),
    [
        ({"window": 96, "stride": 96}, r"prediction\.window: found 96; expected a multiple of 64"),
        ({"dropout_passes": 4}, r"prediction\.dropout_passes: found 4; expected 0, as the model's dropout is 0"),
    ],
)
def test_the_prediction_has_to_fit_every_member(prediction: dict[str, Any], message: str) -> None:
    overrides = {"overrides": {"prediction": prediction}}
    recipe_in_force(config(ensemble("classes", **overrides)), {}, "best")
    with pytest.raises(ConfigError, match=message):
        recipe_in_force(config(ensemble("classes", "metres", **overrides)), {}, "best")
