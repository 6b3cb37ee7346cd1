"""The recipe of a run: its name in ``run.yaml``, the keys that were changed after it, and where people read them."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from mtlaerial.config import ProjectConfig, ScoringSpec, merge, parse_project
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.pipeline.plan_run import plan_run
from mtlaerial.reporting.tables.origins import recipe_note
from mtlaerial.runs.ensemble import make_ensemble
from mtlaerial.runs.plan import RunPlan
from mtlaerial.runs.recipe_record import RecipeRecord, recipe_record
from mtlaerial.runs.run import load_description, save_description
from mtlaerial.runs.text import describe_run
from mtlaerial.scoring.run_scores import score_maps
from mtlaerial.scoring.scores_file import load_scores, save_scores
from mtlaerial.tiles.statistics import Statistics
from support import tiny
from support.configurations import PROJECT
from support.sample_scores import run, tile
from support.small_runs import drawn_run

LONG = {"tasks": ["height"], "overrides": {"training": {"epochs": 9}}}
KEYS: dict[str, Any] = {
    "model": "net",
    "models": {"net": {"stem": 48}, "wide": {"growth": 64}},
    "training": {"batch": 4, "augmentation": {"flip": False}},
    "methods": {"long": LONG},
}
"""The keys of a recipe's file."""


def configured(*changes: dict[str, Any], keys: dict[str, Any] = KEYS) -> ProjectConfig:
    """Return a configuration with a recipe, and changes that were made after it."""
    return parse_project(merge(PROJECT, keys, {"recipe": {"name": "small", "keys": keys}}, *changes))


def planned(config: ProjectConfig, method: str = "both", **spec: Any) -> RunPlan:
    return plan_run(config, Dataset("town", tiny.city_spec(**spec), Path("town")), method, 0)


def recorded(config: ProjectConfig, method: str = "both", **spec: Any) -> RecipeRecord:
    record = recipe_record(config, planned(config, method, **spec))
    assert record is not None
    return record


def test_run_of_an_unchanged_recipe_has_its_name_alone() -> None:
    assert recorded(configured()).text == "small"
    assert recorded(configured(), "long").text == "small"  # its epochs are the recipe's own
    assert recorded(configured({"methods": {"both": {"model": "wide"}}})).text == "small"
    assert recipe_record(parse_project(PROJECT), planned(parse_project(PROJECT))) is None


@pytest.mark.parametrize(
    ("changes", "spec", "changed"),
    [
        ({"training": {"batch": 8}}, {}, ("training.batch",)),
        ({"training": {"clip_norm": 1.0}}, {}, ("training.clip_norm",)),  # which the recipe does not state
        ({"training": {"augmentation": {"zoom": 0.1}}}, {}, ("training.augmentation.zoom",)),
        ({"methods": {"both": {"overrides": {"prediction": {"stride": 64}}}}}, {}, ("prediction.stride",)),
        ({}, {"recipe": {"training": {"epochs": 3}}}, ("training.epochs",)),
        ({"models": {"net": {"skips": False}}}, {}, ("model.skips",)),
        ({"models": {"third": {"encoder": "convnext_tiny"}}, "methods": {"both": {"model": "third"}}}, {}, ("model",)),
        ({"training": {"memory_budget_mb": 1}, "scoring": {"error_unit": 2}}, {}, ()),
    ],
)
def test_keys_that_were_changed_after_the_recipe_are_named(
    changes: dict[str, Any], spec: dict[str, Any], changed: tuple[str, ...]
) -> None:
    record = recorded(configured(changes), **spec)
    assert record.changed == changed
    assert record.sha256 == recorded(configured()).sha256


def test_recipe_of_a_method_is_recorded_in_place_of_the_configuration_s() -> None:
    overlay = {"name": "large", "keys": {"model": "net", "models": {"net": {}}, "training": {"batch": 64}}}
    own = {"tasks": ["height"], "model": "large.net", "recipe": overlay}
    config = configured({"models": {"large.net": {}}, "methods": {"own": own}})
    assert recorded(config, "own").text == "large"
    assert recorded(config).text == "small"
    config = configured({"models": {"large.net": {"stem": 8}}, "methods": {"own": own}})
    assert recorded(config, "own").text == "large, but for model.stem"


def test_two_recipes_of_one_name_have_different_hashes() -> None:
    first = recorded(configured()).sha256
    changes: list[dict[str, Any]] = [
        {"training": {"batch": 6}},
        {"models": {"wide": {"growth": 32}}},
        {"methods": {"long": {"overrides": {"training": {"epochs": 8}}}}},
    ]
    for change in changes:
        assert recorded(configured(keys=merge(KEYS, change))).sha256 != first


def test_text_of_many_changes_names_the_first() -> None:
    record = RecipeRecord(name="small", sha256="0", changed=tuple("abcde"))
    assert record.text == "small, but for a, b, c and 2 more keys"


def test_recipe_reaches_description_and_scores(statistics: Statistics, tmp_path: Path) -> None:
    record = RecipeRecord(name="small", sha256="0" * 64, changed=("training.batch",))
    folder = drawn_run(tmp_path / "run", tiny.run_plan(), statistics)
    assert "recipe" not in yaml.safe_load((folder / "run.yaml").read_text())
    assert "recipe" not in describe_run(folder)
    save_scores(score_maps(load_description(folder), folder / "maps", [], ScoringSpec()), tmp_path / "scores.json")
    assert "recipe" not in (tmp_path / "scores.json").read_text()
    save_description(folder, tiny.run_plan(), statistics, record)
    assert yaml.safe_load((folder / "run.yaml").read_text())["recipe"]["name"] == "small"
    assert load_description(folder).recipe == record
    assert "small, but for training.batch" in describe_run(folder)
    save_scores(score_maps(load_description(folder), folder / "maps", [], ScoringSpec()), tmp_path / "scores.json")
    assert load_scores(tmp_path / "scores.json").recipe == "small, but for training.batch"


@pytest.mark.parametrize(
    ("names", "text"),
    [(("small", "small"), "small"), (("small", "large"), "small and large"), (("small", ""), "small and none named")],
)
def test_ensemble_has_the_recipes_of_its_members(
    names: tuple[str, str], text: str, statistics: Statistics, tmp_path: Path
) -> None:
    members = []
    for number, name in enumerate(names):
        members.append(drawn_run(tmp_path / str(number), tiny.run_plan(), statistics, seed=number))
        record = RecipeRecord(name=name, sha256="0" * 64) if name else None
        save_description(members[-1], tiny.run_plan(), statistics, record)
    make_ensemble(members, tmp_path / "both")
    scores = score_maps(load_description(tmp_path / "both"), tmp_path / "maps", [], ScoringSpec())
    assert scores.recipe == text
    assert f"recipe           {text}" in describe_run(tmp_path / "both")


def test_ensemble_of_runs_without_a_recipe_has_none(statistics: Statistics, tmp_path: Path) -> None:
    members = [drawn_run(tmp_path / str(seed), tiny.run_plan(), statistics, seed) for seed in (1, 2)]
    make_ensemble(members, tmp_path / "both")
    assert load_description(tmp_path / "both").recipe_text == ""
    assert "recipe" not in describe_run(tmp_path / "both")


def test_note_below_tables_tells_the_recipes_apart() -> None:
    def of(method: str, recipe: str) -> Any:
        return run(method, 0, [tile([[1, 0, 0], [0, 1, 0]])], recipe=recipe)

    assert recipe_note([of("a", ""), of("b", "")]) == ""
    assert recipe_note([of("a", "small"), of("b", "small")]) == "Recipe: small."
    mixed = recipe_note([of("a", "small"), of("b", "large"), of("c", ""), of("d", "small")])
    assert mixed == "Recipes: small: a, d; large: b; none named: c."
