"""The files of a configuration: found here or in the workflow's folder, overlays put over the shipped configuration."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from mtlaerial.config import load_project, read_yaml
from mtlaerial.config.configuration_files import (
    configuration_files,
    module_configuration,
    options_of_section,
)
from mtlaerial.errors import ConfigError
from support.configurations import PROJECT
from support.paths import ROOT

SHIPPED = ROOT / "config" / "config.yaml"
OVERLAY = {"run": {"datasets": ["city"], "methods": ["equal"]}, "training": {"epochs": 7}}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder without files of the workflow."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(path: Path, keys: dict[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(keys))
    return path


def test_the_default_is_the_shipped_configuration() -> None:
    assert configuration_files() == [SHIPPED]
    assert load_project().run.datasets == ("dfc2018", "vaihingen")


def test_the_default_is_that_of_the_working_directory_where_it_has_one() -> None:
    written(Path("config/config.yaml"), OVERLAY)
    assert configuration_files() == [SHIPPED, Path("config/config.yaml")]
    assert load_project().run.datasets == ("city",)


def test_an_overlay_alone_changes_the_shipped_configuration() -> None:
    config = load_project(written(Path("overlay.yaml"), OVERLAY))
    assert config.training.epochs == 7
    assert config.training.patch == read_yaml(SHIPPED)["training"]["patch"] == 320


def test_a_whole_configuration_has_no_keys_of_the_shipped_one() -> None:
    config = load_project(written(Path("whole.yaml"), PROJECT))
    assert set(config.methods) == set(PROJECT["methods"])
    assert not config.pretrained


def test_an_overlay_of_the_workflow_is_found_from_anywhere_which_is_said(caplog: pytest.LogCaptureFixture) -> None:
    overlay = Path("config/autzen.yaml")
    with caplog.at_level("INFO"):
        assert load_project(overlay).run.datasets == ("autzen",)
    assert caplog.messages == [
        f"config/autzen.yaml is not here: taken from the workflow's folder, {ROOT / overlay}",
        f"{ROOT / overlay}: read as an overlay of the shipped configuration {SHIPPED}",
    ]


def test_a_file_of_the_working_directory_hides_that_of_the_workflow() -> None:
    written(Path("config/autzen.yaml"), OVERLAY)
    assert load_project(Path("config/autzen.yaml")).run.datasets == ("city",)


def test_settings_win_over_the_recipe_and_leave_its_other_keys() -> None:
    recipe = read_yaml(ROOT / "config/recipes/compact.yaml")["training"]
    config = load_project(recipe="compact", settings={"training": {"epochs": 7}})
    assert (config.training.epochs, config.training.batch) == (7, recipe["batch"])
    assert recipe["epochs"] != 7


def test_an_unknown_setting_is_the_error_of_a_file() -> None:
    keys = {"training": {"epoch": 7}}
    with pytest.raises(ConfigError) as of_setting:
        load_project(settings=keys)
    with pytest.raises(ConfigError) as of_file:
        load_project(written(Path("overlay.yaml"), keys))
    assert (of_setting.value.found, of_setting.value.expected) == (of_file.value.found, of_file.value.expected)
    assert of_setting.value.where == "config/config.yaml + --set, key training.epoch"
    assert of_setting.value.remedy == of_file.value.remedy == "Did you mean epochs?"


def test_keys_of_a_module_win_over_the_recipe_that_they_name() -> None:
    keys = module_configuration({**OVERLAY, "recipe": "compact"})
    assert keys["training"]["epochs"] == 7
    assert keys["training"]["batch"] == read_yaml(ROOT / "config/recipes/compact.yaml")["training"]["batch"]
    assert keys["methods"] == read_yaml(SHIPPED)["methods"]


def test_a_whole_configuration_of_a_module_may_name_a_shipped_recipe() -> None:
    keys = module_configuration({**PROJECT, "recipe": "compact"})
    assert set(keys["methods"]) == set(PROJECT["methods"])
    assert keys["training"]["epochs"] == read_yaml(ROOT / "config/recipes/compact.yaml")["training"]["epochs"]


def test_options_of_another_section_are_not_those_of_a_module() -> None:
    study = {"first": {"run": {}}, "second": {"run": {}}}
    options = {"second": {"results": "out"}}
    assert options_of_section(study["first"], study, options) == {}
    assert options_of_section(study["second"], study, options) == {"results": "out"}
    assert options_of_section(study, study, options) == options
    assert options_of_section({}, study, options) == {}
