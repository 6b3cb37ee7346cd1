"""Downloads in other places than expected: accepted where harmless, else found and told."""

import re
import shutil
from pathlib import Path

import pytest
import yaml

from mtlaerial.datasets.check import check_dataset, summary
from mtlaerial.pipeline.missing_files import missing_text
from support.tiny import write_zip
from support.town import Town


@pytest.fixture
def town(tmp_path: Path) -> Town:
    (tmp_path / "town").mkdir()
    town = Town(tmp_path / "town")
    town.change(height={"optional": ["test"]})
    return town


def told(town: Town) -> str:
    """Return what the check and the workflow say, which must be the same."""
    text = summary(check_dataset(town.dataset))
    gaps = missing_text(town.dataset, town.dataset.missing())
    return text + gaps


def test_endings_in_capitals_are_accepted(town: Town) -> None:
    for path in sorted(town.root.rglob("*.tif")):
        path.rename(path.with_suffix(".TIF"))
    report = check_dataset(town.dataset)
    assert report.ok, summary(report)
    assert not town.dataset.missing()
    assert town.dataset.files("image", "a") == (town.root / "image" / "a.TIF",)


def test_a_file_in_an_inner_folder_is_told(town: Town) -> None:
    inner = town.root / "height" / "heights_of_town"
    inner.mkdir()
    (town.root / "height" / "a.tif").rename(inner / "a.tif")
    other = town.root / "other" / "height"
    other.mkdir(parents=True)
    (town.root / "height" / "b.tif").rename(other / "b.tif")  # of an optional layer
    (town.root / "image" / "a.tif").unlink()  # files of other layers have this name, too: they are not taken for it
    text = told(town)
    assert f"{town.root / 'image' / 'a.tif'}: no file\n" in text
    assert f"no file, but one of that name is {inner / 'a.tif'}" in text
    assert f"For 1 of them, one of that name is {inner / 'a.tif'}. Move it to where it is expected" in text
    assert f"{town.root / 'height' / 'b.tif'}: no file, but one of that name is {other / 'b.tif'}" in text


def test_a_data_set_three_folders_deeper_is_told_with_its_root(town: Town, tmp_path: Path) -> None:
    deeper = tmp_path / "download" / "towns" / "in Europe" / "Town 2018"
    deeper.parent.mkdir(parents=True)
    shutil.move(town.root, deeper)
    town.root = tmp_path / "download"
    text = told(town)
    assert text.count(f"Give {deeper} as the data set's folder") >= 2


def test_a_layer_three_folders_deeper_is_told_without_another_root(town: Town) -> None:
    """With that folder as the root, the other layers would be missing."""
    deeper = town.root / "more data" / "of the" / "town"
    deeper.mkdir(parents=True)
    (town.root / "height").rename(deeper / "height")
    text = told(town)
    assert "as the data set's folder" not in text
    folders = re.findall(r"Move it to where it is expected, or set folders: (\[.*?\]) in the specification", text)
    assert len(folders) == 3
    town.change(folders=yaml.safe_load(folders[0]))
    assert check_dataset(town.dataset).findings == ()


def test_an_archive_of_another_name_that_holds_the_file_is_told(town: Town) -> None:
    image = town.root / "image" / "a.tif"
    write_zip(town.root / "Phase 2 (1).zip", {"town/image/a.tif": image.read_bytes()})
    write_zip(town.root / "other.zip", {"readme.txt": b""})
    (town.root / "broken.zip").write_bytes(b"PK")
    image.unlink()
    shutil.rmtree(town.root / "height")
    shutil.rmtree(town.root / "labels")
    archive = {"file": "town.zip", "page": "https://town.example", "holds": "images"}
    town.change(archives=[archive])
    text = told(town)
    assert f"{image}: no file, but {town.root / 'Phase 2 (1).zip'} holds one of that name" in text
    assert f"{town.root / 'Phase 2 (1).zip'} holds 1 of the 4 missing files: rename it to town.zip." in text
    assert "Rename Phase 2 (1).zip to town.zip." in text
    assert "put it into" in text
    assert "it is unpacked by the workflow" in text  # without a published hash nothing is verified
    assert "other.zip" not in text


def test_files_of_another_case_are_told_together(town: Town) -> None:
    for path in sorted((town.root / "image").iterdir()):
        path.rename(path.with_name(path.name.upper()))
    text = told(town)
    assert "A.TIF, and so on. Rename it to the name expected" in missing_text(town.dataset, town.dataset.missing())
    assert text.count("upper and lower case differ") == 2  # once in the check, once in the workflow


def test_a_file_of_another_case_in_another_folder_is_moved_and_renamed(town: Town) -> None:
    path = town.root / "later" / "height of" / "the town" / "height" / "A.TIF"
    path.parent.mkdir(parents=True)
    (town.root / "height" / "a.tif").rename(path)
    expected = f"one of that name is {path}. Move it to where it is expected, under the name expected (upper and lower"
    assert expected in missing_text(town.dataset, town.dataset.missing())
