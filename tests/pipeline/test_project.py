"""The project: selection of runs, plans, and the params that each step depends on."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from mtlaerial.config import merge, read_yaml
from mtlaerial.datasets.archives import unpack_pending
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.errors import ConfigError
from mtlaerial.pipeline.decisive_params import Decisive
from mtlaerial.pipeline.missing_files import SHOWN
from mtlaerial.pipeline.project import Project
from mtlaerial.runs.plan import RunPlan
from support import tiny

SPEC = tiny.city_spec().model_dump(mode="json")
SPEC_TILES = [tile for tiles in tiny.SPLITS.values() for tile in tiles]


@pytest.fixture
def data(tmp_path: Path) -> dict[str, Any]:
    """Return a configuration of one data set and three methods."""
    (tmp_path / "city.yaml").write_text(yaml.safe_dump(SPEC), encoding="utf-8")
    return {
        "run": {"datasets": ["city"], "methods": ["both", "classes"], "seeds": [0, 1]},
        "datasets": {"city": {"spec": str(tmp_path / "city.yaml"), "root": str(tmp_path / "data")}},
        "models": {"net": tiny.MODEL},
        "methods": {
            "both": {"tasks": ["semantics", "height"], "model": "net"},
            "classes": {"tasks": ["semantics"], "model": "net", "overrides": {"training": {"batch": 9}}},
            "metres": {"tasks": ["height"], "model": "net"},
        },
    }


def project_of(data: dict[str, Any], spec: dict[str, Any] | None = None) -> Project:
    """Return the project, after changes of the specification if there are any."""
    if spec is not None:
        path = Path(data["datasets"]["city"]["spec"])
        path.write_text(yaml.safe_dump(merge(SPEC, spec)), encoding="utf-8")
    return Project.of(data)


def tile_params(project: Project, tile: str) -> dict[str, Any]:
    """Return the params that a prepared tile of the city depends on."""
    return Decisive(project).prepare_tile("city", tile)


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


def test_the_memory_budget_of_tiles_changes_no_decisive_params(data: dict[str, Any]) -> None:
    def plan(**training: Any) -> RunPlan:
        return project_of(data, {"recipe": {"training": training}}).plan("city", "both", 0)

    small, large = plan(memory_budget_mb=0), plan(memory_budget_mb=100)
    assert (small.training.memory_budget_mb, large.training.memory_budget_mb) == (0, 100)
    assert small.decisive() == large.decisive()
    assert plan(batch=3).decisive() != plan(batch=4).decisive()


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


def test_a_tile_does_not_depend_on_other_tiles_or_on_names_and_colours(data: dict[str, Any]) -> None:
    before = tile_params(project_of(data), "city_1")
    json.dumps(before)
    classes = [dict(entry) for entry in SPEC["labels"]["classes"]]
    classes[0] |= {"name": "sealed", "colour": "#010203"}
    harmless = {
        "title": "Another",
        "licence": "Another",
        "splits": {"test": ["city_4", "city_5"]},
        "recipe": {"training": {"epochs": 1}},
        "labels": {"classes": classes},
    }
    assert tile_params(project_of(data, harmless), "city_1") == before
    classes[0]["values"] = [9]
    for changes in ({"gsd": 0.6}, {"height": {"scale": 2.0}}, {"labels": {"classes": classes}}):
        assert tile_params(project_of(data, changes), "city_1") != before


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


def test_training_tiles_can_be_held_out_for_validation(data: dict[str, Any]) -> None:
    before = project_of(data)
    data["datasets"]["city"]["hold_out"] = ["city_2"]
    project = project_of(data)
    assert project.datasets["city"].spec.splits == {
        "train": ("city_1",),
        "val": ("city_3", "city_2"),
        "test": ("city_4",),
    }
    assert tile_params(project, "city_2") == {**tile_params(before, "city_2"), "split": "val"}
    assert tile_params(project, "city_1") == tile_params(before, "city_1")


@pytest.mark.parametrize(
    ("tiles", "words"),
    [
        (["city_4"], "found the tile city_4; expected training tiles"),
        (["nowhere"], "found the tile nowhere"),
        (["city_1", "city_2"], "at least one left to train on"),
    ],
)
def test_only_some_training_tiles_can_be_held_out(data: dict[str, Any], tiles: list[str], words: str) -> None:
    data["datasets"]["city"]["hold_out"] = tiles
    with pytest.raises(ConfigError, match=f"datasets.city.hold_out: .*{words}"):
        project_of(data)


def test_tiles_held_out_keep_the_labels_of_the_training_tiles(data: dict[str, Any]) -> None:
    data["datasets"]["city"]["hold_out"] = ["city_2"]
    splits = {"train": ["city_1", "city_2"], "test": ["city_4"]}
    files = {"train": "train.tif", "test": "test.tif"}
    spec = {**SPEC, "labels": {**SPEC["labels"], "files": files}, "splits": splits}
    Path(data["datasets"]["city"]["spec"]).write_text(yaml.safe_dump(spec), encoding="utf-8")
    params = tile_params(project_of(data), "city_2")
    assert (params["split"], params["labels"]["files"]) == ("val", (("train.tif",),))
    with pytest.raises(ConfigError, match=r"labels\.files of their own for val \(val\.tif\)"):
        project_of(data, {"labels": {"files": {"train": "train.tif", "val": "val.tif", "test": "test.tif"}}})


def test_the_best_weights_need_validation_tiles(data: dict[str, Any]) -> None:
    data["training"] = {"selection": "best"}
    assert project_of(data).recipe("city").training.selection == "best"
    spec = {**SPEC, "splits": {"train": ["city_1", "city_2"], "test": ["city_4"]}}
    Path(data["datasets"]["city"]["spec"]).write_text(yaml.safe_dump(spec), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"best for both on city, .*datasets\.city\.hold_out"):
        project_of(data)
    data["datasets"]["city"]["hold_out"] = ["city_1"]
    project_of(data)


def test_only_tiles_that_may_have_them_depend_on_eroded_labels(data: dict[str, Any]) -> None:
    before, after = project_of(data), project_of(data, {"labels": {"eroded": {"files": "{tile}_eroded.tif"}}})
    changed = [tile for tile in SPEC_TILES if tile_params(before, tile) != tile_params(after, tile)]
    assert changed == ["city_3", "city_4"]
    assert Decisive(before).summarise_tiles("city") == Decisive(after).summarise_tiles("city")
    obtain = {"labels": {"obtain": "Ask."}, "height": {"obtain": "Ask."}}
    assert tile_params(project_of(data, obtain), "city_1") == tile_params(before, "city_1")


def test_missing_files_are_listed_with_where_to_get_them(data: dict[str, Any]) -> None:
    text = project_of(data).missing()
    assert "city (Generated city): 12 required files are missing." in text
    assert "image: 4 missing" in text
    assert "images/city_1.tif" in text
    assert "Where to get it:" in text
    assert "datasets.city.root" in text
    elsewhere = {"folders": ["unpacked", "."], "image": {"files": ["images/{tile}.tif", "{tile}.tif"]}}
    text = project_of(data, elsewhere).missing()
    assert text.count("unpacked/images/city_") == 4
    assert "Also accepted: {tile}.tif" in text
    assert "Each may lie below" in text
    many = {"splits": {"train": [f"city_{i}" for i in range(10, 30)]}}
    assert f"… and {22 - SHOWN} more" in project_of(data, many).missing()


def test_missing_archives_are_listed_with_their_pages(data: dict[str, Any]) -> None:
    archive = {"file": "a.zip", "page": "https://example.org", "holds": "images"}
    more = {"file": "b.zip", "page": "https://example.org", "holds": "more", "optional": True, "md5": "0" * 32}
    project = project_of(data, {"archives": [archive, more]})
    root = project.datasets["city"].root
    text = project.missing()
    assert f"Archive a.zip: images\n    Get it from https://example.org and put it into {root};" in text
    assert f"Optional archive b.zip: more; MD5 {'0' * 32}\n" in text
    tiny.write_zip(root / "a.zip", {"readme.txt": b""})
    project = project_of(data)
    assert "a.zip" not in project.missing()
    unpack_pending(project.datasets["city"].archives)
    (root / "readme.txt").unlink()
    assert "Of a.zip, 1 unpacked files are gone" in project_of(data).missing()


def test_complete_and_generated_data_sets_miss_no_file(data: dict[str, Any], city: Dataset) -> None:
    data["datasets"]["city"]["root"] = str(city.root)
    assert project_of(data).missing() == ""
    data["datasets"]["city"] |= {"root": "nowhere", "generate": {"seed": 1}}
    assert project_of(data).missing() == ""


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


def test_names_of_classes_train_again_only_where_they_carry_weights(data: dict[str, Any]) -> None:
    classes = SPEC["labels"]["classes"]
    names = [entry["name"] for entry in classes]
    swapped = [{**entry, "name": name} for entry, name in zip(classes, reversed(names), strict=True)]
    for weights, alike in (("none", True), ({**dict.fromkeys(names, 1), names[0]: 0}, False)):
        data["training"] = {"class_weights": weights}
        before, after = project_of(data, {}), project_of(data, {"labels": {"classes": swapped}})
        trained = [Decisive(project).train("city", "both", "0") for project in (before, after)]
        assert (trained[0] == trained[1]) is alike


def test_classes_left_out_of_scores_score_again_and_nothing_else(data: dict[str, Any]) -> None:
    before = Decisive(project_of(data))
    after = Decisive(project_of({**data, "scoring": {"without_classes": ["tree"]}}))
    assert before.score("city", "both", "0") != after.score("city", "both", "0")
    for rule in ("train", "describe_run", "predict"):
        assert getattr(before, rule)("city", "both", "0") == getattr(after, rule)("city", "both", "0")
