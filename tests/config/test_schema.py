"""The JSON schemas for editors: they accept every YAML file and example of this repository, and refuse mistakes."""

import json
import os
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from mtlaerial.config import merge
from mtlaerial.config.schema import CONFIGURATION, DATASET, as_text, configuration_schema, dataset_schema
from support.paths import ROOT, TESTS

SCHEMAS = ROOT / "config/schemas"
DATASETS = sorted((ROOT / "config/datasets").glob("*.yaml"))
CONFIGURATIONS = sorted(
    path
    for folder in ("config", "config/recipes", "benchmarks", "benchmarks/peers/smp_unet", "tests/workflow")
    for path in (ROOT / folder).glob("*.yaml")
)
PAGES = [ROOT / "README.md", ROOT / "config/README.md", *sorted((ROOT / "docs").rglob("*.md"))]
EXAMPLES = [
    pytest.param(match[1], id=f"{path.stem}-{number}")
    for path in PAGES
    for number, match in enumerate(re.finditer(r"```yaml\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL))
]
DATASET_KEYS = {"title", "image", "height", "labels", "splits", "areas"}


def faults(name: str, data: Any, partial: bool = False) -> list[str]:
    """Return the faults that a schema finds; of a part of a file without those of absent keys at its top."""
    errors = _validator(name).iter_errors(data)
    shown = [error for error in errors if not (partial and error.validator == "required" and not error.path)]
    return [f"{error.json_path}: {error.message}" for error in shown]


@cache
def _validator(name: str) -> Draft7Validator:
    schema = json.loads((SCHEMAS / name).read_text(encoding="utf-8"))
    Draft7Validator.check_schema(schema)
    return Draft7Validator(schema)


def read(path: Path) -> Any:
    """Return the content of a YAML file."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(("name", "schema"), [(CONFIGURATION, configuration_schema), (DATASET, dataset_schema)])
def test_the_schemas_in_the_repository_are_in_step(name: str, schema: Any) -> None:
    assert (SCHEMAS / name).read_text(encoding="utf-8") == as_text(schema()), "run: make schema"


@pytest.mark.parametrize("path", CONFIGURATIONS, ids=lambda path: path.stem)
def test_a_shipped_configuration_has_no_faults(path: Path) -> None:
    assert not faults(CONFIGURATION, read(path))


@pytest.mark.parametrize("path", DATASETS, ids=lambda path: path.stem)
def test_a_shipped_specification_has_no_faults(path: Path) -> None:
    assert not faults(DATASET, read(path))


@pytest.mark.parametrize("path", [*CONFIGURATIONS, *DATASETS], ids=lambda path: path.stem)
def test_a_shipped_file_names_its_schema_in_the_first_line(path: Path) -> None:
    schema = SCHEMAS / (DATASET if path in DATASETS else CONFIGURATION)
    expected = f"# yaml-language-server: $schema={os.path.relpath(schema, path.parent)}"
    assert path.read_text(encoding="utf-8").splitlines()[0] == expected


@pytest.mark.parametrize("text", EXAMPLES)
def test_an_example_of_the_documentation_has_no_faults(text: str) -> None:
    data = yaml.safe_load(text.replace("SHA256", "a" * 64))
    name = DATASET if DATASET_KEYS.intersection(data) else CONFIGURATION
    assert not faults(name, data, partial=True)


def test_all_examples_are_found() -> None:
    assert len(EXAMPLES) > 15
    assert len(CONFIGURATIONS) > 20
    assert TESTS / "workflow/tiny.yaml" in CONFIGURATIONS


@pytest.mark.parametrize(
    ("mistake", "place"),
    [
        ({"trainin": {}}, "$"),
        ({"training": {"learnin_rate": 1.0}}, "$.training"),
        ({"training": {"epochs": "ten"}}, "$.training.epochs"),
        ({"training": {"epochs": 0}}, "$.training.epochs"),
        ({"training": {"patch": 100}}, "$.training.patch"),
        ({"training": {"betas": [0.9]}}, "$.training.betas"),
        ({"training": {"selection": "first"}}, "$.training.selection"),
        ({"training": {"augmentation": {"rotate": 5}}}, "$.training.augmentation"),
        ({"prediction": {"views": ["upside_down"]}}, "$.prediction.views[0]"),
        ({"scoring": {"class_set": {}}}, "$.scoring"),
        ({"models": {"mine": {"name": "d3net", "skip": False}}}, "$.models.mine"),
        ({"models": {"mine": {"encoder": "swin_v2_t", "decoder": "unet"}}}, "$.models.mine"),
        ({"models": {"my model": {"dropout": 0.1}}}, "$.models"),
        ({"methods": {"equal": {"task": ["height"]}}}, "$.methods.equal"),
        ({"methods": {"equal": {"overrides": {"training": {"epoch": 2}}}}}, "$.methods.equal.overrides.training"),
        ({"datasets": {"city": {"recipe": {"predict": {}}}}}, "$.datasets.city.recipe"),
        ({"datasets": {"city": {"overrides": {"equal": {"training": {"batch": "half"}}}}}},
         "$.datasets.city.overrides.equal.training.batch"),
        ({"datasets": {"city": {"generate": {"style": "gothic"}}}}, "$.datasets.city.generate"),
        ({"run": {"seeds": [-1]}}, "$.run.seeds[0]"),
        ({"run": {"methods": "equal"}}, "$.run.methods"),
        ({"dashboard": {"samples": 9}}, "$.dashboard"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_configuration_is_found_at_its_place(mistake: dict[str, Any], place: str) -> None:
    assert [fault.partition(": ")[0] for fault in faults(CONFIGURATION, mistake)] == [place]


@pytest.mark.parametrize(
    ("mistake", "place"),
    [
        ({"titel": "My town"}, "$"),
        ({"gsd": "0.5 m"}, "$.gsd"),
        ({"image": {"bands": [0]}}, "$.image.bands[0]"),
        ({"image": {"files": 3}}, "$.image.files"),
        ({"labels": {"classes": {"road": 1}}}, "$.labels"),
        ({"labels": {"clases": []}}, "$.labels"),
        ({"splits": {"validation": ["a"]}}, "$.splits"),
        ({"recipe": {"training": {"epoch": 2}}}, "$.recipe.training"),
        ({"buffer": -1}, "$.buffer"),
    ],
)
def test_a_mistake_in_a_specification_is_found_at_its_place(mistake: dict[str, Any], place: str) -> None:
    city = read(ROOT / "config/datasets/city.yaml")
    assert [fault.partition(": ")[0] for fault in faults(DATASET, merge(city, mistake))] == [place]


def test_a_specification_needs_its_image() -> None:
    city = read(ROOT / "config/datasets/city.yaml")
    assert faults(DATASET, {key: value for key, value in city.items() if key != "image"}) == [
        "$: 'image' is a required property"
    ]


def test_every_key_has_a_description() -> None:
    for schema in (configuration_schema(), dataset_schema()):
        for name, definition in schema["$defs"].items():
            for key, value in definition.get("properties", {}).items():
                assert "description" in value or "$ref" in value, f"{name}.{key}: write a docstring"
