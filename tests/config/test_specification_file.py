"""The file of a specification: a shipped name, else a path from here, else from the workflow's folder."""

from pathlib import Path

import pytest

from mtlaerial.config import load_dataset
from mtlaerial.config.specification_file import find_specification, shipped_names
from mtlaerial.errors import ConfigError
from mtlaerial.pipeline.project import Project
from support.configurations import PROJECT
from support.paths import ROOT

FOLDER = ROOT / "config" / "datasets"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def copied(path: Path, title: str) -> None:
    """Write a specification with a title of its own."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text((FOLDER / "city.yaml").read_text().replace("title: ", f"title: {title} ", 1))


def test_the_shipped_names_are_those_of_the_repository() -> None:
    assert set(shipped_names()) == {path.stem for path in FOLDER.glob("*.yaml")} >= {"autzen", "dfc2018", "vaihingen"}


@pytest.mark.parametrize("spec", ["city", "config/datasets/city.yaml", str(FOLDER / "city.yaml")])
def test_a_shipped_specification_is_found_from_anywhere(spec: str) -> None:
    assert find_specification(Path(spec)) == FOLDER / "city.yaml"
    assert load_dataset(Path(spec)) == load_dataset(FOLDER / "city.yaml")


def test_a_folder_of_data_does_not_hide_the_shipped_name() -> None:
    Path("city").mkdir()
    assert find_specification(Path("city")) == FOLDER / "city.yaml"


def test_a_path_of_the_working_directory_comes_first() -> None:
    copied(Path("config/datasets/city.yaml"), "Mine")
    assert load_dataset(Path("config/datasets/city.yaml")).title.startswith("Mine")


def test_a_missing_specification_lists_the_places_tried() -> None:
    with pytest.raises(ConfigError) as caught:
        load_dataset(Path("config/datasets/citi.yaml"))
    error = caught.value
    for place in (Path.cwd(), ROOT):
        assert str(place / "config/datasets/citi.yaml") in error.expected
    assert "autzen, " in error.expected
    assert error.remedy == "Did you mean city?"


def test_a_project_takes_a_shipped_name() -> None:
    entry = {"spec": "autzen", "root": "data"}
    project = Project.of({**PROJECT, "run": {**PROJECT["run"], "datasets": ["scene"]}, "datasets": {"scene": entry}})
    assert project.sources["scene"].spec == load_dataset(FOLDER / "autzen.yaml")
