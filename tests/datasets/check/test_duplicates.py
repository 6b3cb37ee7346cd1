"""Two accepted files for one layer of a tile: the one that is taken is named."""

import shutil
from pathlib import Path

import pytest

from support.town import Town, only


@pytest.fixture
def town(tmp_path: Path) -> Town:
    town = Town(tmp_path)
    town.change(height={"files": ["height/{tile}.tif", "heights/{tile}.tif"]})
    shutil.copytree(tmp_path / "height", tmp_path / "heights")
    return town


def test_equal_copies_are_no_finding(town: Town) -> None:
    assert town.check().findings == ()


def test_of_files_that_differ_the_taken_one_is_named(town: Town) -> None:
    taken, other = town.root / "height/a.tif", town.root / "heights/a.tif"
    shutil.copy(town.root / "height/b.tif", other)
    only("warning", taken, town.check(), f"also {other}, which differs", f"{taken} is taken")


def test_a_link_to_the_same_file_is_no_finding(town: Town) -> None:
    other = town.root / "heights/a.tif"
    other.unlink()
    other.symlink_to(town.root / "height/a.tif")
    assert town.check().findings == ()
