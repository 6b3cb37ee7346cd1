"""Scores of objects of vector files: detection, heights, groups, and what is left out."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

from mtlaerial.errors import UserError
from mtlaerial.objects.scoring import score_files
from mtlaerial.objects.truth_tile import TileTruth
from mtlaerial.reporting.tables.object_scores import object_panels, object_table
from mtlaerial.reporting.tables.panel_files import panels_markdown
from support import tiny

CRS = "EPSG:32632"
X, Y = 500_000, 5_000_000
SIDE = 8.0
"""Side of the true objects in metres, 20 m apart in a row."""


def write(path: Path, polygons: Sequence[object], crs: str | None = CRS, **columns: object) -> Path:
    index = range(len(polygons))
    table = gpd.GeoDataFrame(columns, index=index, geometry=list(polygons), crs=crs)
    table.to_file(path, layer="objects")
    return path


def square(index: int, shift: float = 0.0, side: float = SIDE) -> shapely.Polygon:
    west = X + 20 * index + shift
    return shapely.box(west, Y, west + side, Y + side)


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    """Ten objects, the last of which are larger, with heights 3, 4, … 12 m."""
    squares = [square(index, side=SIDE if index < 8 else 15.0) for index in range(10)]
    return write(tmp_path / "truth.gpkg", squares, eaves=np.arange(3.0, 13.0))


@pytest.fixture
def objects(tmp_path: Path) -> Path:
    """Six objects that match, one that is shifted too far, and one elsewhere."""
    squares = [*(square(index, shift=1.0) for index in range(6)), square(6, shift=4.0), square(30)]
    heights = [*np.arange(3.0, 9.0) + 0.5, 9.0, 5.0]
    lower = [*np.arange(3.0, 6.0), 8.1, 8.1, np.nan, 1.0, 1.0]
    columns = {"height_median": heights, "height_lower": lower, "height_upper": np.array(lower) + 1}
    return write(tmp_path / "objects.gpkg", squares, **{"class": "building"}, **columns)


def test_scores_are_their_definitions(objects: Path, truth: Path) -> None:
    scored = score_files(objects, truth, "eaves", None, None).overall
    assert (scored.predicted, scored.true, scored.heights) == (8, 10, 6)
    assert (scored.precision, scored.recall) == (6 / 8, 6 / 10)
    assert scored.f1 == pytest.approx(2 * 6 / (8 + 10))
    assert scored.iou == pytest.approx(7 * 8 / (9 * 8))
    assert scored.rotation == pytest.approx(0, abs=1e-6)
    assert (scored.bias, scored.mae) == (pytest.approx(0.5), pytest.approx(0.5))
    # Five matches have an interval; the true heights 3, 4 and 5 are in theirs.
    assert scored.covered == pytest.approx(3 / 5)


def test_groups_are_by_size_and_height(objects: Path, truth: Path) -> None:
    scored = score_files(objects, truth, "eaves", None, None)
    # 64 m² on the ground, less 0.04 % for the scale of UTM at its central meridian.
    small, large = scored.by_size["50-100 m²"], scored.by_size["200-500 m²"]
    assert (small.true, small.predicted, small.recall) == (8, 8, 6 / 8)
    assert (large.true, large.predicted, large.recall) == (2, 0, 0)
    assert np.isnan(large.precision)
    low, high = scored.by_height["2-5 m"], scored.by_height["5-10 m"]
    assert (low.true, low.recall) == (2, 1)
    assert (high.true, high.recall) == (5, 4 / 5)
    assert sum(each.true for each in scored.by_height.values()) == 10
    assert sum(each.predicted for each in scored.by_height.values()) == 8


def test_objects_beyond_the_area_do_not_count(objects: Path, truth: Path, tmp_path: Path) -> None:
    area = write(tmp_path / "area.gpkg", [shapely.box(X - 5, Y - 5, X + 105, Y + 50)])
    scored = score_files(objects, truth, None, None, area)
    assert (scored.overall.predicted, scored.overall.true) == (6, 6)
    assert (scored.overall.precision, scored.overall.recall) == (1, 1)
    assert not scored.notes


def test_truth_beyond_all_objects_is_said(objects: Path, tmp_path: Path) -> None:
    truth = write(tmp_path / "truth.gpkg", [square(0), shapely.box(X, Y + 500, X + 9, Y + 509)])
    scored = score_files(objects, truth, None, None, None)
    assert scored.overall.recall == 0.5
    assert scored.notes[0].startswith("1 true objects lie beyond all predicted ones and count as missed")


def test_truth_in_another_crs_is_reprojected(objects: Path, truth: Path, tmp_path: Path) -> None:
    gpd.read_file(truth).to_crs("EPSG:4326").to_file(tmp_path / "truth.geojson")
    scored = score_files(objects, tmp_path / "truth.geojson", "eaves", None, None)
    assert scored.overall.iou == pytest.approx(7 * 8 / (9 * 8), abs=1e-4)
    assert scored.notes == ("truth.geojson was reprojected from WGS 84 to WGS 84 / UTM zone 32N.",)


def test_invalid_and_empty_polygons_are_counted(objects: Path, tmp_path: Path) -> None:
    bow = shapely.Polygon([(X, Y), (X + 9, Y + 9), (X + 9, Y), (X, Y + 9)])
    truth = write(tmp_path / "truth.gpkg", [square(1), bow, None])
    scored = score_files(objects, truth, None, None, None)
    assert scored.overall.true == 2
    assert scored.notes[:2] == (
        "1 polygons of truth.gpkg were invalid, and were mended (make_valid).",
        "1 features of truth.gpkg have no area, and were left out.",
    )


def test_no_predicted_objects_give_a_recall_of_0(truth: Path, tmp_path: Path) -> None:
    empty = gpd.GeoDataFrame({"class": [], "height_median": []}, geometry=[], crs=CRS)
    empty.astype({"class": "str", "height_median": float}).to_file(tmp_path / "none.gpkg", geometry_type="Polygon")
    scored = score_files(tmp_path / "none.gpkg", truth, "eaves", None, None)
    assert (scored.overall.predicted, scored.overall.recall) == (0, 0)
    assert np.isnan(scored.overall.precision)
    panels_markdown(object_panels(scored, "none"))


def test_tables_stand_beside_published_numbers(objects: Path, truth: Path) -> None:
    scored = score_files(objects, truth, "eaves", None, None)
    text = " ".join(panels_markdown(object_panels(scored, "objects")).split())
    assert "| all | 8 | 10 | 75.0 | 60.0 | 66.7 | 77.8 | 0.0 |" in text
    assert "92.2-97.2 | 70.9-85.9 | – | 63.1-68.2 | 5.7-10.3 |" in text
    assert "| all | 6 | 0.50 | 0.50 | 60.0 |" in text
    table = object_table(scored).set_index("objects")
    assert table.loc["all", "f1"] == scored.overall.f1
    assert "500-1000 m²" not in table.index


def test_bad_input_is_one_sentence(objects: Path, truth: Path, tmp_path: Path) -> None:
    two = write(
        tmp_path / "two.gpkg", [square(0), square(1)], **{"class": ["building", "tree"]}, height_median=[3.0, 4.0]
    )
    points = write(tmp_path / "points.gpkg", [shapely.Point(X, Y)])
    degrees = write(tmp_path / "degrees.gpkg", [shapely.box(11, 48, 11.1, 48.1)], "EPSG:4326", **{"class": "building"})
    with pytest.warns(UserWarning, match="'crs' was not provided"):
        bare = write(tmp_path / "bare.gpkg", [square(0)], None)
    words = write(tmp_path / "words.gpkg", [square(0)], eaves=["tall"])
    none = gpd.GeoDataFrame(geometry=[], crs=CRS)
    none.to_file(tmp_path / "none.gpkg", geometry_type="Polygon")
    for arguments, message in (
        ((objects, truth, "height"), "no column height; expected one of eaves"),
        ((objects, words, "eaves"), "a column eaves with texts"),
        ((objects, points), "a Point; expected polygons alone"),
        ((objects, bare), "bare.gpkg: found no CRS"),
        ((objects, tmp_path / "none.gpkg"), "found no polygons; expected true objects"),
        ((objects, tmp_path / "absent.gpkg"), "absent.gpkg: found no such file"),
        ((truth, objects), "no column class; expected objects that vectorise wrote"),
        ((degrees, truth), "the CRS WGS 84; expected a projected CRS"),
        ((two, truth), "--class: found nothing; expected one of the classes of .*: building, tree"),
        ((two, truth, None, "buildin"), "--class: found 'buildin'.*Did you mean building"),
    ):
        predicted, true, height, name = (*arguments, None, None)[:4]
        with pytest.raises(UserError, match=message):
            score_files(predicted, true, height, name, None)
    with pytest.raises(UserError, match=r"none\.gpkg: found no polygons; expected the area that was mapped"):
        score_files(objects, truth, None, None, tmp_path / "none.gpkg")
    assert score_files(two, truth, None, "tree", None).overall.predicted == 1


def test_a_prepared_tile_is_vectorised_as_truth(tmp_path: Path) -> None:
    labels, heights = np.zeros((60, 80), dtype=np.uint8), np.full((60, 80), np.nan, dtype=np.float32)
    labels[10:30, 10:30] = labels[10:30, 50:70] = labels[40:42, 40:42] = 1
    labels[-12:] = 255
    heights[10:30, 10:30], heights[10:30, 50:70] = 6, 9
    tile = tmp_path / "tile"
    tiny.write_raster(tile / "labels.tif", labels, nodata=255)
    tiny.write_raster(tile / "height.tif", heights, nodata=np.nan)
    # The first building 1 m to the east, one elsewhere on the tile, one beyond it.
    places = [(6.0, 16.0), (60 / 4, 60 / 4 + 2), (100.0, 110.0)]
    boxes = [shapely.box(tiny.WEST + west, tiny.NORTH - 15, tiny.WEST + east, tiny.NORTH - 5) for west, east in places]
    columns = {"class": "building", "height_median": [7.0, 1.0, 1.0]}
    predicted = write(tmp_path / "objects.gpkg", boxes, tiny.UTM.to_string(), **columns)
    truth = TileTruth(("ground", "building"), 10, 0)
    scored = score_files(predicted, tile, None, None, None, truth)
    assert (scored.overall.predicted, scored.overall.true, scored.overall.heights) == (2, 2, 1)
    assert (scored.overall.precision, scored.overall.recall) == (0.5, 0.5)
    assert scored.overall.iou == pytest.approx(9 / 11)
    assert scored.overall.bias == pytest.approx(1)
    assert scored.notes == (
        "1 true objects smaller than 10 m² are left out.",
        "20.0 % of tile have no label: predicted objects there count as false.",
    )
    shutil.copytree(tile, tmp_path / "bare")
    tiny.write_raster(tmp_path / "bare" / "labels.tif", np.full((1, 1), 255, np.uint8), nodata=255)
    for arguments, message in (
        ((predicted, tile, None, None, None), "--spec: found none; expected --spec DATASET.yaml with the folder"),
        ((predicted, predicted, None, None, None, truth), "--spec: found a data set; expected none with polygons"),
        ((predicted, tmp_path / "bare", None, None, None, truth), "labels.tif: found no labels; expected true classes"),
        ((predicted, tile, "eaves", None, None, truth), "--height: found 'eaves'; expected none with a prepared tile"),
        ((predicted, tile, None, None, None, TileTruth(("ground", "buildings"), 10, 0)), "Did you mean buildings"),
    ):
        with pytest.raises(UserError, match=message):
            score_files(*arguments)
