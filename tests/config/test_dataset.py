"""Specifications of data sets: accepted and refused values, the messages of errors, and splits in a table."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from mtlaerial.config import DatasetSpec, load_dataset, load_project
from mtlaerial.config.recipe_in_force import recipe_in_force
from mtlaerial.errors import ConfigError
from support import tiny
from support.configurations import BASE, dataset_refusal, spec_data

SPECS = sorted((tiny.CONFIG / "datasets").glob("*.yaml"))


def test_unknown_keys_of_a_specification_name_the_closest_one() -> None:
    assert "Did you mean nodata?" in dataset_refusal(height={"nodat": 0})
    assert "Did you mean licence?" in dataset_refusal(license="MIT")
    classes = [{"name": "a", "values": [1], "color": "#000000"}, {"name": "b", "values": [2], "colour": "#ffffff"}]
    message = dataset_refusal(labels={"classes": classes})
    assert "labels.classes.0.color: found an unknown key" in message
    assert "Did you mean colour?" in message
    assert "Also" not in message
    assert len(message) < 200


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"splits": {"train": ["a"], "val": [], "test": ["b", "a"]}},
            "key splits: found the tile a 2 times; expected each tile once, in one split",
        ),
        ({"splits": {"train": ["a"], "validation": ["b"]}}, "validation"),
        ({"gsd": 0}, "gsd: found 0"),
        (
            {"image": {"bands": [1, 2, 3], "band_names": ["red", "nir", "red"]}},
            "image.band_names: found red twice; expected each of band_names once",
        ),
        (
            {"image": {"bands": [1, 2]}},
            "image.band_names: found 3 names (red, green, blue); expected as many names as bands (2)",
        ),
        ({"image": {"range": [1, 1]}}, "image.range: found [1, 1]; expected two numbers, the lower one first"),
        ({"image": {"files": "mosaic.tif"}}, "a grid or footprints where image.files has no {tile}"),
        ({"grid": {"size": [10, 10]}}, "neither where it has"),
        ({"height": {"surface": "dsm.tif"}}, "either files, or both surface and ground"),
        ({"height": {"files": None, "surface": "dsm.tif"}}, "either files, or both surface and ground"),
        ({"height": None, "labels": None}, "height, labels, or both"),
        ({"labels": {"ignore": [1]}}, "labels.classes and ignore: found the value 1 twice; expected each value once"),
        (
            {"labels": {"eroded": {"files": "a.tif", "ignore": [2]}}},
            "found the value 2 twice; expected each value once",
        ),
        ({"labels": {"encoding": "rgb"}}, "colours only"),
        (
            {"labels": {"files": {"train": "a.tif"}}},
            "labels.files: found files for train; expected files for each of the splits train, val, test",
        ),
    ],
)
def test_faults_of_a_specification_are_named(changes: dict[str, Any], message: str) -> None:
    if "grid" not in changes:
        changes = {"grid": None, **changes}
    assert message in dataset_refusal(**changes)


def test_a_fault_between_keys_is_reported_without_the_whole_section() -> None:
    message = dataset_refusal(splits={"train": ["a"], "test": ["a"]})
    assert message.startswith("town.yaml, key splits: found the tile a 2 times")
    assert len(message) < 200


def test_colours_are_hexadecimal_or_a_list() -> None:
    classes = [{"name": "a", "values": [1], "colour": "#0a10ff"}, {"name": "b", "values": [2], "colour": [1, 2, 3]}]
    spec = DatasetSpec.parse(spec_data(labels={"classes": classes}), "town.yaml")
    assert spec.labels is not None
    assert [entry.colour for entry in spec.labels.classes] == [(10, 16, 255), (1, 2, 3)]


def test_instructions_of_several_lines_are_one_line_of_a_message() -> None:
    spec = DatasetSpec.parse(spec_data(obtain="Ask the\npublisher.\n"), "town.yaml")
    assert spec.obtain == "Ask the publisher."


def test_a_tile_knows_its_split() -> None:
    spec = tiny.city_spec()
    splits = spec.split_by_tile()
    assert [splits[tile] for tile in ("city_2", "city_3", "city_4")] == ["train", "val", "test"]
    assert spec.tiles == tuple(splits) == ("city_1", "city_2", "city_3", "city_4")


@pytest.fixture
def split_table(tmp_path: Path) -> Path:
    """Return a specification whose splits are in a CSV file beside it."""
    (tmp_path / "town.yaml").write_text(yaml.safe_dump({**spec_data(), "splits": {"csv": "splits.csv"}}))
    return tmp_path


def test_splits_are_read_from_a_table(split_table: Path) -> None:
    (split_table / "splits.csv").write_text("\ufeffsplit,tile\ntrain,a\ntest,c\ntrain,b\n", encoding="utf-8")
    spec = load_dataset(split_table / "town.yaml")
    assert spec.splits == {"train": ("a", "b"), "test": ("c",)}


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("name,split\na,train\n", "found the columns name, split; expected a header with tile and split"),
        ("tile,split\n", "found no rows"),
        ("tile,split\na,train\nb\n", "splits.csv: found row 2 without a tile or split"),
        ("tile,split\na,train\nb,tests\n", "tests"),
        ("tile,split\na,test\n", "splits.train: found no tiles"),
        ("tile,split\na,train\na,test\n", "found the tile a 2 times"),
    ],
)
def test_faults_of_a_split_table_are_named(split_table: Path, table: str, message: str) -> None:
    (split_table / "splits.csv").write_text(table)
    with pytest.raises(ConfigError) as caught:
        load_dataset(split_table / "town.yaml")
    assert message in str(caught.value)


def test_a_missing_split_table_is_named(split_table: Path) -> None:
    with pytest.raises(ConfigError, match=r"splits\.csv"):
        load_dataset(split_table / "town.yaml")


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_every_shipped_specification_parses(path: Path) -> None:
    spec = load_dataset(path)
    assert spec.splits.get("train") or len(spec.areas) > 1
    assert recipe_in_force(load_project(BASE), spec.recipe)
