"""Names of classes in a recipe: weights in the loss and classes left out of scores, checked before anything runs."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from mtlaerial.cli import app
from mtlaerial.config import load_project, merge, read_configuration
from mtlaerial.config.class_names import recipe_on
from mtlaerial.errors import ConfigError
from mtlaerial.pipeline.project import Project
from support import tiny
from support.configurations import PROJECT, refusal
from support.without_torch import needs_torch

NAMES = [entry.name for entry in tiny.city_spec().labels.classes]  # type: ignore[union-attr]  # the city has labels
ONES = dict.fromkeys(NAMES, 1)
FIRST = NAMES[0]
WEIGHTS = "training.class_weights"
LISTED = ", ".join(NAMES)


def weighted(weights: Any) -> dict[str, Any]:
    return {"training": {"class_weights": weights}}


def configuration(folder: Path, recipe: dict[str, Any]) -> dict[str, Any]:
    """Return a configuration with a recipe for its data set, whose folder is there but empty."""
    (folder / "city").mkdir()
    spec = folder / "city.yaml"
    spec.write_text(yaml.safe_dump(tiny.city_spec().model_dump(mode="json")), encoding="utf-8")
    entry = {"spec": str(spec), "root": str(folder / "city"), "recipe": recipe}
    data = merge(
        PROJECT, {"run": {"datasets": ["city"]}, "results": str(folder / "results"), "models": {"net": tiny.MODEL}}
    )
    return {**data, "datasets": {"city": entry}}


def sentence_of(command: list[str]) -> str:
    result = CliRunner().invoke(app, command)
    assert isinstance(result.exception, ConfigError), result.output
    return str(result.exception)


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        (
            weighted({**ONES, "buildin": 2}),
            f"{WEIGHTS}: found 'buildin' for both on city; expected names of its classes ({LISTED}). "
            "Did you mean building?",
        ),
        (
            weighted({name: 1 for name in NAMES if name != FIRST}),
            f"{WEIGHTS}: found no weight of {FIRST} for both on city; expected a weight for each of the classes "
            f"{LISTED}. Add it; a class of weight 0 is never trained.",
        ),
        (
            weighted(dict.fromkeys(NAMES, 0)),
            f"{WEIGHTS}: found only zeros for both on city; expected a weight above 0 for at least one class. "
            "Correct the weights.",
        ),
        (
            {"scoring": {"without_classes": ["buildin"]}},
            f"scoring.without_classes: found 'buildin' for both on city; expected names of its classes ({LISTED}). "
            "Did you mean building?",
        ),
        (
            {"scoring": {"without_classes": NAMES}},
            "scoring.without_classes: found all classes of both on city; expected at least one class left to score. "
            "Remove one of them.",
        ),
    ],
)
@needs_torch
def test_plan_status_and_train_refuse_wrong_names_in_the_same_sentence(
    recipe: dict[str, Any], message: str, tmp_path: Path
) -> None:
    data = configuration(tmp_path, recipe)
    with pytest.raises(ConfigError) as planned:
        Project.of(data)
    assert str(planned.value) == message
    config = tmp_path / "config.yaml"
    config.write_text(yaml.safe_dump(data), encoding="utf-8")
    assert sentence_of(["status", "--config", str(config)]) == message
    # Without Snakemake a data set's own recipe counts.
    spec = tmp_path / "city.yaml"
    spec.write_text(yaml.safe_dump({**yaml.safe_load(spec.read_text()), "recipe": recipe}), encoding="utf-8")
    where = ["--root", str(tmp_path / "city"), "--out", str(tmp_path / "run"), "--config", str(config)]
    assert sentence_of(["train", str(spec), *where, "--method", "both"]) == message


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"tree": -1}, f"key {WEIGHTS}.tree: found -1; expected a number of at least 0. Correct the value."),
        ({"tree": "high"}, f"key {WEIGHTS}.tree: found 'high'; expected a number. Correct the value."),
        ({3: 1}, f"key {WEIGHTS}.3: found 3; expected text. Put it into quotes."),
        ("median", f"key {WEIGHTS}: found 'median'; expected 'median_frequency' or 'none', or a section of names"),
    ],
)
def test_a_wrong_weight_is_said_in_one_sentence(weights: Any, message: str) -> None:
    text = refusal(weighted(weights))
    assert message in text
    assert "Also" not in text


def test_names_need_labels(tmp_path: Path) -> None:
    spec = tiny.city_spec(labels=None, recipe=weighted(ONES))
    with pytest.raises(ConfigError, match=r"found 'impervious' for town; expected no names, as it has no labels\."):
        recipe_on(load_project(tiny.CONFIG / "config.yaml"), "town", spec)


def test_a_rule_replaces_weights_and_weights_replace_a_rule_also_as_snakemake_merges(tmp_path: Path) -> None:
    from snakemake.utils import update_config

    for before, after, merged in (
        ("none", ONES, ONES),
        (ONES, "median_frequency", "median_frequency"),
        (ONES, {FIRST: 0}, {**ONES, FIRST: 0}),
    ):
        ours = merge(weighted(before), weighted(after))
        theirs = weighted(before if isinstance(before, str) else dict(before))
        update_config(theirs, weighted(after))
        assert ours == theirs == weighted(merged)


def test_an_overlay_changes_one_weight_of_vaihingen() -> None:
    data = read_configuration(tiny.CONFIG / "config.yaml")
    vaihingen = tiny.CONFIG / "datasets" / "vaihingen.yaml"
    data["datasets"]["vaihingen"] |= {"spec": str(vaihingen), "recipe": weighted({"car": 3})}
    project = Project.of(merge(data, {"run": {"datasets": ["vaihingen"]}}))
    recipe = project.recipe("vaihingen", "equal")
    ones = {"impervious surfaces": 1, "building": 1, "low vegetation": 1, "tree": 1}
    assert recipe.training.class_weights == {**ones, "car": 3, "clutter": 0}
    assert recipe.scoring.without_classes == ("clutter",)
