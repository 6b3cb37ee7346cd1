"""The project: selection of runs, plans, and the params that each step depends on."""

import json
from pathlib import Path
from typing import Any

import pytest

from mtlaerial.config import merge, read_yaml
from mtlaerial.errors import ConfigError
from mtlaerial.pipeline.decisive_params import Decisive
from mtlaerial.pipeline.project import Project
from support import tiny
from support.city_project import project_of
from support.without_torch import needs_torch


def test_selected_data_sets_and_methods_run(data: dict[str, Any]) -> None:
    assert project_of(data).runs() == [("city", "both"), ("city", "classes")]


@pytest.mark.parametrize(
    ("weighting", "message"),
    [
        ({"nam": "equal"}, r"methods\.both: weighting equal, key nam: found an unknown key"),
        ({"name": "cagrad", "cc": 1}, r"methods\.both: weighting cagrad, key cc.*Did you mean c\?"),
        ({"name": "fixed"}, r"methods\.both: weighting fixed, key weights: found nothing"),
        ({"name": "fixed", "weights": {"height": 1}}, r"a positive weight for exactly the tasks semantics, height"),
        ({"name": "gradnorm", "alpha": -1}, r"weighting gradnorm, key alpha: found -1"),
    ],
)
@needs_torch
def test_options_of_weightings_are_checked(data: dict[str, Any], weighting: dict[str, Any], message: str) -> None:
    project_of(data).check_weightings()
    data["methods"]["both"]["weighting"] = weighting
    with pytest.raises(ConfigError, match=message):
        project_of(data).check_weightings()


def test_only_selected_data_sets_are_read(data: dict[str, Any]) -> None:
    data["datasets"]["absent"] = {"spec": "absent.yaml", "root": "absent"}
    assert list(project_of(data).datasets) == ["city"]
    data["run"]["datasets"] = ["absent"]
    with pytest.raises(ConfigError, match=r"absent\.yaml"):
        project_of(data)


def test_a_plan_has_the_recipe_in_force(data: dict[str, Any]) -> None:
    project = project_of(data, {"recipe": {"training": {"batch": 3, "epochs": 2}}})
    plans = {method: project.plan("city", method, 1) for method in ("both", "classes")}
    assert [(plan.training.batch, plan.training.epochs) for plan in plans.values()] == [(3, 2), (9, 2)]
    assert [plan.tasks for plan in plans.values()] == [("semantics", "height"), ("semantics",)]
    assert plans["both"].seed == 1
    assert plans["both"].model == tiny.model_spec()
    json.dumps(plans["both"].decisive())


def test_a_recipe_in_the_configuration_comes_before_that_of_the_specification(data: dict[str, Any]) -> None:
    data["datasets"]["city"]["recipe"] = {"training": {"batch": 4}}
    training = project_of(data, {"recipe": {"training": {"batch": 3, "epochs": 2}}}).plan("city", "both", 0).training
    assert (training.batch, training.epochs) == (4, 2)


def test_a_method_learns_the_tasks_of_the_data_set(data: dict[str, Any]) -> None:
    assert project_of(data, {"height": None}).tasks("city", "both") == ("semantics",)


def test_methods_without_ground_truth_are_left_out_with_a_note(data: dict[str, Any]) -> None:
    data["run"]["methods"] = ["classes", "metres", "both"]
    data["methods"]["both"]["weighting"] = {"name": "uw"}
    project = project_of(data, {"labels": None})
    assert project.runs() == project.trainings() == [("city", "metres"), ("city", "both")]
    assert project.tasks("city", "both") == ("height",)
    assert project.notes() == [
        "Left out, as city has no ground truth of semantics: classes.",
        "Without semantics, of which city has no ground truth: both.",
    ]
    assert Decisive(project).tables()["city"]["notes"] == [
        "Left out, as this data set has no ground truth of semantics: classes.",
        "Without semantics, of which this data set has no ground truth: both.",
    ]


def test_a_method_that_would_repeat_another_for_want_of_truth_is_left_out_with_a_note(data: dict[str, Any]) -> None:
    data["methods"]["passes"] = {"trained_as": "both", "overrides": {"prediction": {"dropout_passes": 9}}}
    data["run"]["methods"] = ["both", "metres", "passes"]
    project = project_of(data, {"labels": None})
    assert project.runs() == [("city", "metres"), ("city", "passes")]
    assert project.trainings() == [("city", "metres")]
    assert project.weights_of("city", "passes") == "metres"
    note = "Left out, as {} has no ground truth of semantics and it would repeat metres: both."
    assert note.format("city") in project.notes()
    assert note.format("this data set") in Decisive(project).tables()["city"]["notes"]


@pytest.mark.parametrize(
    ("changes", "methods"),
    [
        ({"weighting": {"name": "uw"}}, ["both", "metres"]),
        ({"overrides": {"training": {"batch": 3}}}, ["both", "metres"]),
        ({"overrides": {"training": {"batch": 6}}}, ["metres"]),
        ({}, ["metres"]),
    ],
)
def test_a_method_of_another_recipe_is_not_left_out(
    data: dict[str, Any], changes: dict[str, Any], methods: list[str]
) -> None:
    data["methods"]["both"] |= changes
    data["run"]["methods"] = ["both", "metres"]
    assert [method for _, method in project_of(data, {"labels": None}).runs()] == methods
    assert [method for _, method in project_of(data, {}).runs()] == ["both", "metres"]


def test_a_data_set_without_a_method_it_has_ground_truth_for_is_refused(data: dict[str, Any]) -> None:
    data["run"]["methods"] = ["metres"]
    with pytest.raises(ConfigError, match=r"run\.methods: found metres, whose tasks city has no ground truth for"):
        project_of(data, {"height": None})


def test_methods_are_chosen_per_data_set(data: dict[str, Any]) -> None:
    data["datasets"]["village"] = {**data["datasets"]["city"], "methods": ["metres"]}
    data["run"]["datasets"] = ["city", "village"]
    project = project_of(data)
    assert project.runs() == [("city", "both"), ("city", "classes"), ("village", "metres")]
    data["datasets"]["village"]["methods"] = ["metre"]
    with pytest.raises(ConfigError, match=r"datasets\.village\.methods: found 'metre'; .* Did you mean metres\?"):
        project_of(data)


def test_a_fault_in_a_data_set_s_recipe_is_found_at_once(data: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="Did you mean epochs"):
        project_of(data, {"recipe": {"training": {"epoch": 2}}})


def test_plans_do_not_depend_on_each_other(data: dict[str, Any]) -> None:
    before = project_of(data)
    data["methods"]["classes"]["overrides"] = {"training": {"batch": 5}}
    after = project_of(data)
    assert before.plan("city", "both", 0) == after.plan("city", "both", 0)
    assert before.plan("city", "classes", 0) != after.plan("city", "classes", 0)


@pytest.mark.parametrize("name", ["city", "dfc2018", "vaihingen", "autzen"])
def test_every_shipped_data_set_can_be_run(data: dict[str, Any], name: str, tmp_path: Path) -> None:
    spec = tiny.CONFIG / "datasets" / f"{name}.yaml"
    data["datasets"] = {name: {"spec": str(spec), "root": str(tmp_path / name)}}
    data["run"]["datasets"] = [name]
    project = project_of(data)
    for tile in project.datasets[name].spec.tiles:
        params = json.loads(json.dumps(Decisive(project).prepare_tile(name, tile)))
        assert params["split"] == project.datasets[name].split_of(tile)
    assert project.plan(name, "both", 0).tasks == ("semantics", "height")


def test_the_shipped_configuration_is_a_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tiny.CONFIG.parent)
    project = Project.of(merge(read_yaml(Path("config/config.yaml")), read_yaml(Path("config/demo.yaml"))))
    assert project.runs() == [("city", "semantics"), ("city", "height"), ("city", "equal")]


def test_generated_files_are_called_so_whatever_the_specification_says(tmp_path: Path) -> None:
    data = read_yaml(tiny.CONFIG / "config.yaml")
    data["run"]["datasets"] = ["vaihingen"]
    for entry in data["datasets"].values():
        entry["spec"] = str(tiny.CONFIG.parent / entry["spec"])
    data["datasets"]["vaihingen"]["root"] = str(tmp_path)
    real = Project.of(data).datasets["vaihingen"].spec
    assert not real.generated
    assert real.published
    to_be_generated = merge(data, {"datasets": {"vaihingen": {"generate": {"size": 64}}}})
    (tmp_path / "GENERATED.txt").touch()
    for spec in (Project.of(to_be_generated).datasets["vaihingen"].spec, Project.of(data).datasets["vaihingen"].spec):
        assert spec.generated
        assert not spec.published  # numbers of the real place mean nothing beside a generated one's
