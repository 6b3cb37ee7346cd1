"""Names of tiles that cannot be names of files and folders."""

from pathlib import Path

import pytest
import yaml

from mtlaerial.config import load_dataset
from mtlaerial.errors import ConfigError
from support.tiny import city_spec


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("/outside", "without /"),
        ("../outside", "without /"),
        ("..", "no dot or space at its beginning"),
        ("", "no dot or space"),
        ("tile ", "no space at its end"),
        ("{x}", "without { }"),
        ("a\nb", r"without '\n'"),
    ],
)
def test_a_name_that_cannot_be_a_folder_is_refused(name: str, words: str, tmp_path: Path) -> None:
    data = city_spec().model_dump(mode="json", exclude_none=True)
    path = tmp_path / "town.yaml"
    path.write_text(yaml.safe_dump({**data, "splits": {"train": ["a", name], "test": ["b"]}}))
    with pytest.raises(ConfigError) as error:
        load_dataset(path)
    assert words in str(error.value)
    assert "splits.train" in str(error.value)


def test_names_of_other_scripts_and_with_spaces_are_accepted() -> None:
    names = ("Höhe 2,5 km_№1", "r-1c2", "a.b")
    assert city_spec(splits={"train": names}).tiles == names
