"""Configuration: accepted and refused values, and the messages of errors."""

from typing import Any

import pytest

from mtlaerial.config import (
    WeightingSpec,
    load_project,
    parse_project,
)
from mtlaerial.config.require import require_multiple, require_tasks
from mtlaerial.config.weighting import WEIGHTINGS
from mtlaerial.errors import ConfigError
from mtlaerial.weighting import build_weighting
from support import tiny
from support.configurations import BASE, PROJECT, dataset_refusal, refusal


@pytest.mark.parametrize(
    ("changes", "key", "closest"),
    [
        ({"trainning": {}}, "trainning", "training"),
        ({"training": {"learning_rat": 1}}, "training.learning_rat", "learning_rate"),
        ({"training": {"augmentation": {"rotations": 1}}}, "training.augmentation.rotations", "rotation"),
        ({"datasets": {"town": {"rot": "x"}}}, "datasets.town.rot", "root"),
        ({"datasets": {"town": {"generate": {"sed": 1}}}}, "datasets.town.generate.sed", "seed"),
        ({"models": {"net": {"block": 1}}}, "models.net.block", "blocks"),
        ({"models": {"name": {"skip": True}}}, "models.name.skip", "skips"),
    ],
)
def test_an_unknown_key_names_the_closest_valid_one(changes: dict[str, Any], key: str, closest: str) -> None:
    message = refusal(changes)
    assert f"here, key {key}: found an unknown key" in message
    assert f"Did you mean {closest}?" in message


def test_an_unknown_key_that_resembles_none_lists_the_valid_ones() -> None:
    message = refusal({"run": {"xyzzy": 1}})
    assert "one of comparison, datasets, label_efficiency, methods, seeds" in message
    assert "Remove it." in message


def test_a_renamed_key_or_value_names_the_new_one() -> None:
    message = refusal({"scoring": {"height_unit": 25.5}})
    assert "scoring.height_unit: found a key that was renamed; expected error_unit. Write error_unit" in message
    message = refusal({"training": {"schedule": "one_cycle"}})
    assert "training.schedule: found 'one_cycle'; expected warmup_cosine, the new name of one_cycle" in message
    assert "Write valid_range instead of range." in dataset_refusal(height={"range": [0, 9]})
    number = {"name": "Net", "source": "Book", "url": "https://example.org", "scores": {"MAE": 1}, "height_unit": 1}
    assert "Write error_unit instead of height_unit." in dataset_refusal(published=[number])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"run": {"seeds": [-1]}}, "run.seeds.0: found -1"),
        ({"run": {"seeds": [2**31]}}, "a number less than 2147483648"),
        ({"run": {"seeds": []}}, "run.seeds"),
        ({"run": {"seeds": [1, 1]}}, "run.seeds: found 1 twice; expected each of seeds once"),
        ({"run": {"methods": ["other"]}}, "run.methods: found 'other'; expected one of both"),
        ({"run": {"datasets": ["other"]}}, "run.datasets: found 'other'; expected one of town"),
        ({"methods": {"both": {"model": "other"}}}, "methods.both.model: found 'other'; expected one of net"),
        ({"methods": {"both": {"tasks": []}}}, "methods.both.tasks"),
        ({"methods": {"both": {"tasks": ["height", "height"]}}}, "each task once"),
        (
            {"methods": {"both": {"tasks": ["depth"]}}},
            "found 'depth'; expected one of edges, height, semantics",
        ),
        ({"methods": {"both": {"tasks": ["heigth"]}}}, "Did you mean height?"),
        ({"methods": {"both": {"weighting": {"name": "equals"}}}}, "methods.both.weighting.name: found 'equals'"),
        ({"methods": {"a/b": {"tasks": ["height"], "model": "net"}}}, "a/b"),
        ({"training": {"batch": "many"}}, "training.batch: found 'many'"),
        ({"training": {"patch": 100}}, "multiple of 32"),
        ({"training": {"betas": [0.9, 1.0]}}, "training.betas.1"),
        ({"training": {"precision": "half"}}, "training.precision"),
        ({"prediction": {"window": 64, "stride": 65}}, "a stride of at most the window (64)"),
        ({"scoring": {"height_bins": [5, 2]}}, "scoring.height_bins: found [5.0, 2.0]; expected ascending edges"),
        ({"models": {"net": {"reduction": 4}}}, "training.patch: found 320; expected a multiple of 128"),
    ],
)
def test_wrong_values_are_refused_with_their_key(changes: dict[str, Any], message: str) -> None:
    assert message in refusal(changes)


OTHER = {"trained_as": "both"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"methods": {"other": {**OTHER, "overrides": [1]}}},
            "methods.other.overrides: found [1]; expected a section of names with values",
        ),
        ({"methods": {"other": {**OTHER, "overrides": "abc"}}}, "methods.other.overrides: found 'abc'"),
        (
            {"methods": {"other": {"trained_as": ["both"]}}},
            "methods.other.trained_as: found ['both']; expected a method that is trained itself",
        ),
        ({"methods": {"other": {"trained_as": "nobody"}}}, "found 'nobody'; expected a method that is trained itself"),
        ({"methods": {"other": OTHER, "third": {"trained_as": "other"}}}, "methods.third.trained_as"),
        ({"methods": {"other": {**OTHER, "model": "net"}}}, "it is trained as both"),
        ({"methods": {"other": {**OTHER, "overrides": {"training": {"batch": 1}}}}}, "it is trained as both"),
        ({"methods": {"constant": OTHER}}, "methods without the name constant"),
        ({"datasets": {"tables": {"spec": "a", "root": "b"}}}, "datasets without the name tables"),
        (
            {"run": {"datasets": ["town_objects", "town"]}, "datasets": {"town_objects": {"spec": "a", "root": "b"}}},
            "run.datasets: found town_objects; expected a data set without the name of a table of town",
        ),
        ({"datasets": {"town": {"recipe": {"training": {"epoch": 1}}}}}, "datasets.town.recipe, key training.epoch"),
        (
            {
                "models": {"net": {"stem": 8, "pretrained": "dense"}},
                "pretrained": {"dense": {"url": "a", "sha256": "0" * 64}},
            },
            "models.net.pretrained: found dense with other sizes; expected none, the folder of a run, or",
        ),
        (
            {"models": {"net": {"pretrained": "nothing"}}},
            "models.net.pretrained: found 'nothing'; expected one of none",
        ),
    ],
)
def test_invalid_methods_and_names_are_refused(changes: dict[str, Any], message: str) -> None:
    assert message in refusal(changes)


def test_a_window_of_a_reducing_model_is_a_multiple_of_its_own() -> None:
    model = tiny.model_spec(reduction=2)
    require_multiple("--window", 128, model)
    with pytest.raises(ConfigError, match="--window: found 96; expected a multiple of 64"):
        require_multiple("--window", 96, model)


def test_the_sections_are_immutable() -> None:
    config = parse_project(PROJECT)
    with pytest.raises(ValueError, match="frozen"):
        config.training.batch = 3  # type: ignore[misc]  # that it is refused is the test


def test_every_weighting_of_the_configuration_can_be_built() -> None:
    for name in WEIGHTINGS:
        options = {"weights": {"height": 2.0}} if name == "fixed" else {}
        build_weighting(WeightingSpec(name=name, **options), ("height",))
    configured = {method.weighting.name for method in load_project(BASE).methods.values()}
    assert configured == set(WEIGHTINGS)


def test_a_method_learns_the_tasks_that_a_data_set_has() -> None:
    spec = tiny.city_spec(labels=None)
    assert require_tasks("both", ("semantics", "height"), spec, "town") == ("height",)
    with pytest.raises(ConfigError, match=r"a task that town has layers for \(height\)"):
        require_tasks("classes", ("semantics",), spec, "town")
