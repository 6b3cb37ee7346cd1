"""Training tiles that are held out for validation."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from mtlaerial.errors import ConfigError
from support.city_project import SPEC, project_of, tile_params


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
