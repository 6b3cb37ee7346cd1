"""Dependencies of rules: what of a configuration and a specification their params hold, and what not."""

import json
import os
from pathlib import Path
from typing import Any

import yaml

from mtlaerial.pipeline.decisive_params import Decisive
from mtlaerial.runs.plan import RunPlan
from support.city_project import SPEC, SPEC_TILES, project_of, tile_params


def test_the_memory_budget_of_tiles_changes_no_decisive_params(data: dict[str, Any]) -> None:
    def plan(**training: Any) -> RunPlan:
        return project_of(data, {"recipe": {"training": training}}).plan("city", "both", 0)

    small, large = plan(memory_budget_mb=0), plan(memory_budget_mb=100)
    assert (small.training.memory_budget_mb, large.training.memory_budget_mb) == (0, 100)
    assert small.decisive() == large.decisive()
    assert plan(batch=3).decisive() != plan(batch=4).decisive()


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


def test_places_of_tiles_held_out_depend_on_the_files_beside_their_images(data: dict[str, Any]) -> None:
    project = project_of(data, {"buffer": 50})
    before = Decisive(project).locate_held_out("city")
    for number, tile in enumerate(("city_1", "city_3", "city_4")):
        world_file = project.dataset("city").files("image", tile)[0].with_suffix(".tfw")
        world_file.parent.mkdir(parents=True, exist_ok=True)
        world_file.write_text("0.5 0 0 -0.5 500000 5400000".replace(" ", "\n"))
        assert len(Decisive(project).locate_held_out("city")["sources"]) == number, "not of training tiles"
    os.utime(world_file, (0, 1_000_000_000))  # older than the results, as a copy with its time is
    after = Decisive(project).locate_held_out("city")
    assert {**after, "sources": {}} == before
    assert after["sources"][os.path.relpath(world_file, project.dataset("city").root)][1] == 1_000_000_000
    data["datasets"]["city"]["generate"] = {"size": 64}
    assert "sources" not in Decisive(project_of(data)).locate_held_out("city")


def test_only_tiles_that_may_have_them_depend_on_eroded_labels(data: dict[str, Any]) -> None:
    before, after = project_of(data), project_of(data, {"labels": {"eroded": {"files": "{tile}_eroded.tif"}}})
    changed = [tile for tile in SPEC_TILES if tile_params(before, tile) != tile_params(after, tile)]
    assert changed == ["city_3", "city_4"]
    assert Decisive(before).summarise_tiles("city") == Decisive(after).summarise_tiles("city")
    obtain = {"labels": {"obtain": "Ask."}, "height": {"obtain": "Ask."}}
    assert tile_params(project_of(data, obtain), "city_1") == tile_params(before, "city_1")


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


def test_a_corrected_title_of_a_tested_data_set_scores_again_and_predicts_nothing(
    data: dict[str, Any], tmp_path: Path
) -> None:
    def params(rule: str, title: str) -> dict[str, Any]:
        (tmp_path / "other.yaml").write_text(yaml.safe_dump({**SPEC, "title": title}), encoding="utf-8")
        return getattr(Decisive(project_of(data)), rule)("city", "both", "0", "other")

    data["datasets"]["other"] = {"spec": str(tmp_path / "other.yaml"), "root": str(tmp_path / "other")}
    data["run"] |= {"datasets": ["city", "other"], "transfer": [{"trained_on": "city", "tested_on": "other"}]}
    assert params("score_transfer", "Twon") != params("score_transfer", "Town")
    assert params("predict_transfer", "Twon") == params("predict_transfer", "Town")
