"""The command vectorise: its options, and its errors as one sentence."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
from typer.testing import CliRunner

from mtlaerial.cli import app
from mtlaerial.errors import UserError
from support.object_maps import grid, write_maps
from support.paths import ROOT


def invoke(*arguments: object) -> str:
    result = CliRunner().invoke(app, ["vectorise", *map(str, arguments)])
    if result.exception:
        raise result.exception
    return result.stdout


def test_options_decide_classes_areas_and_rules(tmp_path: Path) -> None:
    codes = np.array([[1, 1, 1, 1, 0, 3, 0, 1]], np.uint8)
    names = ("impervious", "building", "low vegetation", "tree", "car", "water")
    maps = write_maps(tmp_path / "maps", grid(*codes.shape), codes, np.full(codes.shape, 100), classes=names)
    out = tmp_path / "objects.gpkg"
    assert "0 objects in" in invoke(maps, "--out", out), "the default needs 10 m²"
    rules = ROOT / "config" / "datasets" / "autzen.yaml"
    options = ("--classes", "building, tree", "--min-area", "0.25", "--consistency", rules, "--replace")
    assert f"3 objects in {out}" in invoke(maps, "--out", out, *options)
    frame = gpd.read_file(out)
    assert frame["class"].tolist() == ["building", "tree", "building"]
    assert frame["violations"].tolist() == [1.0, 1.0, 1.0], "heights of 1 m are too low for the rules"


def test_a_hole_larger_than_objects_is_refused(tmp_path: Path) -> None:
    message = r"^--min-hole: found 3 m²; expected at most --min-area, 1 m².* Lower it, or raise --min-area\.$"
    with pytest.raises(UserError, match=message):
        invoke(tmp_path, "--out", tmp_path / "objects.gpkg", "--min-area", "1", "--min-hole", "3")


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        (
            "bilding",
            r"^--classes: found 'bilding'; expected classes of the maps: other, building\. Did you mean building",
        ),
        ("building,building", r"^--classes: found "),
    ],
)
def test_wrong_classes_are_told_of_the_option_and_leave_no_folder(classes: str, message: str, tmp_path: Path) -> None:
    maps = write_maps(tmp_path / "maps", grid(4, 4), np.ones((4, 4), np.uint8), classes=("other", "building"))
    with pytest.raises(UserError, match=message):
        invoke(maps, "--out", tmp_path / "new" / "objects.gpkg", "--classes", classes)
    assert not (tmp_path / "new").exists()
