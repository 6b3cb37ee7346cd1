"""Paths in a specification that would lead out of the data root are refused."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from mtlaerial.cli import app
from mtlaerial.config import load_dataset, merge
from mtlaerial.errors import ConfigError
from support.tiny import city_spec

SPEC = city_spec().model_dump(mode="json", exclude_none=True)
OUTSIDE = ("../x.tif", "/etc/x.tif", "images/../../x.tif", r"images\x.tif", "C:/x.tif", "")


def load(tmp_path: Path, **changes: Any) -> None:
    path = tmp_path / "town.yaml"
    path.write_text(yaml.safe_dump(merge(SPEC, changes)))
    load_dataset(path)


def refused(tmp_path: Path, key: str, value: str, **changes: Any) -> None:
    with pytest.raises(ConfigError) as error:
        load(tmp_path, **changes)
    message = str(error.value)
    assert f"{key}: found '{value}'; expected a path below the root" in message.replace("\\\\", "\\")
    assert "\n" not in message


@pytest.mark.parametrize("value", OUTSIDE)
def test_files_outside_the_root_are_refused(value: str, tmp_path: Path) -> None:
    refused(tmp_path, "image.files.1", value, image={"files": ["{tile}.tif", value]})


def test_every_path_is_held_to_it(tmp_path: Path) -> None:
    out = "../x"
    refused(tmp_path, "folders.0", out, folders=[out])
    refused(tmp_path, "height.files.0", out, height={"files": out})
    refused(tmp_path, "height.surface.0", out, height={"files": None, "surface": out, "ground": "g"})
    refused(tmp_path, "height.ground.0", out, height={"files": None, "surface": "s", "ground": out})
    refused(tmp_path, "labels.files.0", out, labels={"files": out})
    files = {"train": "a", "val": "a", "test": out}
    refused(tmp_path, "labels.files.test.0", out, labels={"files": files})
    refused(tmp_path, "labels.eroded.files.0", out, labels={"eroded": {"files": out}})
    refused(tmp_path, "footprints.files.0", out, image={"files": "image.tif"}, footprints={"files": out})


@pytest.mark.parametrize("key", ["splits", "areas"])
@pytest.mark.parametrize("file", ["../tiles.csv", "/etc/passwd"])
def test_tables_outside_the_specifications_folder_are_refused(file: str, key: str, tmp_path: Path) -> None:
    folder = tmp_path / "town"
    folder.mkdir()
    (tmp_path / "tiles.csv").write_text("tile,split,area\na,train,a\nb,test,b\n")
    data = {name: value for name, value in SPEC.items() if name != "splits"}
    (folder / "town.yaml").write_text(yaml.safe_dump({**data, key: {"csv": file}}))
    with pytest.raises(ConfigError, match=rf"{key}\.csv: found {file}; expected a file beside the specification"):
        load_dataset(folder / "town.yaml")


def test_tables_in_a_folder_below_are_read(tmp_path: Path) -> None:
    (tmp_path / "splits").mkdir()
    (tmp_path / "splits/tiles.csv").write_text("tile,split\na,train\nb,test\n")
    data = {name: value for name, value in SPEC.items() if name != "splits"}
    (tmp_path / "town.yaml").write_text(yaml.safe_dump({**data, "splits": {"csv": "splits/tiles.csv"}}))
    assert load_dataset(tmp_path / "town.yaml").splits == {"train": ("a",), "test": ("b",)}


def test_areas_are_not_written_where_no_specification_could_name_them(tmp_path: Path) -> None:
    spec = tmp_path / "town/town.yaml"
    spec.parent.mkdir()
    spec.write_text(yaml.safe_dump(SPEC))
    command = ["folds", str(spec), "--root", str(tmp_path), "--out", str(tmp_path / "areas.csv")]
    error = CliRunner().invoke(app, command).exception
    assert isinstance(error, ConfigError)
    assert str(error).startswith(f"--out: found {tmp_path / 'areas.csv'}; expected a file in {spec.parent}")
