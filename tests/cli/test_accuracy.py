"""The commands on the accuracy of maps: from maps to labelled points to tables."""

from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

from support.class_maps import NAMES, patches, write_maps

Program = Callable[..., tuple[int, str]]


@pytest.fixture
def maps(tmp_path: Path) -> Path:
    return write_maps(tmp_path / "maps", patches((60, 50), (0.6, 0.3, 0.1)), np.full((60, 50), 2.5))


def test_points_are_drawn_labelled_and_assessed(maps: Path, tmp_path: Path, program: Program) -> None:
    points, out = tmp_path / "points.gpkg", tmp_path / "accuracy"
    code, text = program("sample", maps, "--out", points, "--points", 90, "--minimum", 20, "--blind")
    assert code == 0
    assert f"tree: 20\n90 points in {points}; then: mtlaerial assess {maps} {points}" in text
    table = gpd.read_file(points)
    table["reference"] = np.resize(NAMES, len(table))
    table["reference_height"] = 2.0
    table.to_file(points)
    code, text = program("assess", maps, points, "--out", out, "--level", 90)
    assert code == 0
    assert "Overall accuracy" in text
    assert "90 % interval" in text
    assert "0.50 to 0.50" in text
    assert sorted(path.name for path in out.iterdir()) == ["accuracy.csv", "accuracy.md"]
    assert "\\" not in text
    assert "| " not in text
    assert "| tree " in (out / "accuracy.md").read_text(encoding="utf-8")
    code, text = program("assess", maps, points, "--out", out)
    assert code == 1
    assert "accuracy.csv: found a file; expected a place without one" in text


def test_faults_of_the_options_are_one_sentence(maps: Path, tmp_path: Path, program: Program) -> None:
    points = tmp_path / "points.gpkg"
    for arguments, message in (
        (
            ("sample", maps, "--out", points, "--standard-error", 0.01, "--expected", "tree=x"),
            "--expected: found 'tree=x'",
        ),
        (("sample", maps, "--out", points, "--points", 9), "--points: found 9; expected at least 150"),
        (("assess", maps, tmp_path / "absent.gpkg"), "absent.gpkg: found no such file"),
        (("assess", tmp_path, points), "semantics.tif: found no such map; expected a map of classes"),
    ):
        code, text = program(*arguments)
        assert code == 1, text
        assert message in text


def test_a_place_that_cannot_be_written_to_is_named(maps: Path, program: Program) -> None:
    code, text = program("sample", maps, "--out", "/dev/null/below/points.gpkg", "--points", 150)
    assert code == 1
    assert "Error: /dev/null/below/points.gpkg: found not a directory" in text


def test_objects_are_scored_by_polygons(tmp_path: Path, program: Program) -> None:
    squares = [shapely.box(500_000 + 20 * index, 5e6, 500_010 + 20 * index, 5e6 + 10) for index in range(4)]
    true = gpd.GeoDataFrame({"eaves": 4.0}, index=range(4), geometry=squares, crs="EPSG:32632")
    true.to_file(tmp_path / "truth.gpkg")
    columns = {"class": "building", "height_median": 5.0}
    gpd.GeoDataFrame(columns, index=range(3), geometry=squares[:3], crs=true.crs).to_file(tmp_path / "objects.gpkg")
    out = tmp_path / "scores"
    arguments = ("score-objects", tmp_path / "objects.gpkg", tmp_path / "truth.gpkg", "--out", out)
    code, text = program(*arguments, "--height", "eaves")
    assert code == 0
    assert "100.0" in text
    assert "75.0" in text
    assert sorted(path.name for path in out.iterdir()) == ["objects.csv", "objects.md"]
    code, text = program(*arguments)
    assert code == 1
    assert "objects.csv: found a file; expected a place without one" in text
