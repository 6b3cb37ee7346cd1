"""Rules between tasks in the specification of a data set."""

from typing import Any

import pytest

from mtlaerial.config import DatasetSpec, load_dataset, merge
from mtlaerial.errors import ConfigError
from support.paths import ROOT

TOWN: dict[str, Any] = {
    "title": "Town", "licence": "none", "obtain": "Ask.", "gsd": 0.5,
    "image": {"files": "images/{tile}.tif"},
    "height": {"files": "height/{tile}.tif"},
    "labels": {
        "files": "labels/{tile}.tif",
        "classes": [
            {"name": "building", "colour": [1, 0, 0], "values": [1]},
            {"name": "water", "colour": [2, 0, 0], "values": [2]},
        ],
    },
    "splits": {"train": ["a"]},
}  # fmt: skip


def parsed(rules: Any, **changes: Any) -> DatasetSpec:
    return DatasetSpec.parse(merge({**TOWN, **changes}, {"consistency": rules}), "town.yaml")


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [(">= 2", 2.0, 1.9), ("> 2 m", 2.1, 2.0), ("<=0.5", 0.5, 0.6), ("< -1.5m", -1.6, -1.5), ("> 0.00001", 2e-5, 1e-5)],
)
def test_a_rule_compares_heights_in_metres(text: str, inside: float, outside: float) -> None:
    bound = parsed({"building": {"height": text}}).consistency["building"].height_bound
    assert bound.holds(inside)
    assert not bound.holds(outside)
    spec = parsed({"building": {"height": text}})
    assert DatasetSpec.parse(spec.model_dump(mode="json"), "town.yaml") == spec


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({"buildng": {"height": ">= 2"}}, "found 'buildng'; expected one of building, water. Did you mean building?"),
        ({"building": {"height": "== 2"}}, "found the operator == in '== 2'; expected one of >=, >, <=, <. Correct"),
        ({"building": {"height": "≥ 2"}}, "found the operator ≥ in '≥ 2'; expected one of"),
        ({"building": {"height": "2"}}, "found no operator in '2'; expected one of"),
        ({"building": {"height": ">= 6 ft"}}, "found 'ft' after the number; expected metres. Convert the number to"),
        ({"building": {"height": 2}}, 'found 2; expected a comparison with metres, such as ">= 2" or "<= 0.5". Write'),
        ({"building": {"height": "tall"}}, "found 'tall'; expected a comparison with metres"),
        ({"building": {"height": ">= 20000"}}, "found '>= 20000'; expected at most 10000 m"),
        (
            {"building": {"hight": ">= 2"}},
            "key consistency.building.hight: found an unknown key; expected one of height",
        ),
        ({"building": ">= 2"}, "key consistency.building: found '>= 2'; expected a section with keys such as height"),
    ],
)
def test_a_wrong_rule_is_one_sentence(rules: Any, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        parsed(rules)
    assert message in str(error.value)
    assert "town.yaml, key consistency" in str(error.value)


def test_rules_need_classes_and_heights() -> None:
    with pytest.raises(ConfigError, match="found rules between classes and heights; expected labels and height in the"):
        parsed({"building": {"height": ">= 2"}}, height=None)


def test_the_specification_of_autzen_has_rules() -> None:
    rules = load_dataset(ROOT / "config" / "datasets" / "autzen.yaml").consistency
    assert {name: rule.height for name, rule in rules.items()} == {
        "building": ">= 2",
        "tree": ">= 2",
        "water": "<= 0.5",
    }


def test_a_specification_without_rules_is_written_as_before() -> None:
    assert "consistency" not in DatasetSpec.parse(TOWN, "town.yaml").model_dump(mode="json")
