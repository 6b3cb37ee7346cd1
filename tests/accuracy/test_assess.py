"""Assessment of maps by labelled points: from the files of a sample to tables."""

import shutil
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from mtlaerial.accuracy.assess import assess_points
from mtlaerial.accuracy.sample import sample_points
from mtlaerial.errors import UserError
from mtlaerial.reporting.tables.map_accuracy import accuracy_panels, accuracy_table
from mtlaerial.reporting.tables.panel_files import panels_markdown
from support.class_maps import NAMES, patches, write_maps
from support.tiny import NORTH, WEST

Edit = Callable[[gpd.GeoDataFrame], None]
SHAPE = (200, 150)
PIXEL_AREA = 0.25


@pytest.fixture(scope="module")
def truth() -> np.ndarray:
    return patches(SHAPE, (0.55, 0.35, 0.1))


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory, truth: np.ndarray) -> Path:
    """Return a folder with maps of a generated land cover, a tenth of which is wrong, and labelled points of them."""
    folder = tmp_path_factory.mktemp("assess")
    random = np.random.default_rng(0)
    wrong = random.random(SHAPE) < 0.1
    codes = np.where(wrong, random.integers(0, 3, SHAPE), truth)
    true_heights = 4.0 * truth
    write_maps(folder / "maps", codes, true_heights + random.normal(0.5, 1.0, SHAPE))
    sample_points(folder / "maps", folder / "points.gpkg", 400, None, {}, 100, seed=1)
    label(folder / "points.gpkg", truth)
    return folder


def label(path: Path, truth: np.ndarray) -> None:
    """Fill in what people would: the true class of each point, and the height of every second one."""
    table = gpd.read_file(path)
    rows, columns = pixels(table)
    table["reference"] = [NAMES[code] for code in truth[rows, columns]]
    table["reference_height"] = np.where(table["id"] % 2, 4.0 * truth[rows, columns], np.nan)
    table.to_file(path, layer="points")


def pixels(table: gpd.GeoDataFrame) -> tuple[np.ndarray, np.ndarray]:
    x, y = table.geometry.x.to_numpy(), table.geometry.y.to_numpy()
    return ((NORTH - y) / 0.5).astype(int), ((x - WEST) / 0.5).astype(int)


@pytest.fixture
def edited(drawn: Path, tmp_path: Path) -> Callable[[Edit], Path]:
    """Return a function that copies the labelled points, edits the table, and returns the copy."""

    def edited(edit: Edit) -> Path:
        path = Path(shutil.copy(drawn / "points.gpkg", tmp_path / "points.gpkg"))
        table = gpd.read_file(path)
        edit(table)
        table.to_file(path, layer="points")
        return path

    return edited


def test_areas_and_accuracies_are_near_the_true_ones(drawn: Path, truth: np.ndarray) -> None:
    result = assess_points(drawn / "maps", drawn / "points.gpkg", 0.99)
    areas = np.bincount(truth.ravel()) * PIXEL_AREA
    lower, upper = result.accuracy.areas.interval(0.99)
    assert ((lower <= areas) & (areas <= upper)).all()
    # The map says twice as many trees as there are, less the third of the errors that is right by chance.
    assert result.accuracy.mapped_areas[2] > 1.15 * areas[2]
    assert result.accuracy.areas.values.sum() == pytest.approx(truth.size * PIXEL_AREA)
    assert result.heights is not None
    assert result.heights.points == 200
    assert result.heights.lower["bias"] < 0.5 < result.heights.upper["bias"]
    assert result.notes == ()


def test_tables_have_the_estimates(drawn: Path) -> None:
    result = assess_points(drawn / "maps", drawn / "points.gpkg", 0.95)
    table = accuracy_table(result).set_index(["quantity", "class"])
    trees = table.loc[("area", "tree")]
    assert trees["value"] == result.accuracy.areas.values[2]
    assert trees["upper"] - trees["value"] == pytest.approx(1.95996 * trees["standard_error"], rel=1e-4)
    assert {"height bias", "height MAE", "height RMSE", "height LE90", "height NMAD"} < set(
        table.index.get_level_values(0)
    )
    text = panels_markdown(accuracy_panels(result, "maps"))
    assert f"| {trees['mapped_area'] / 1e4:.4g} | {trees['value'] / 1e4:.4g} |" in " ".join(text.split())
    assert "Overall accuracy" in text


def test_labels_survive_another_format_and_order(drawn: Path, tmp_path: Path) -> None:
    table = gpd.read_file(drawn / "points.gpkg")
    table.iloc[::-1].drop(columns="map_class").to_crs("EPSG:4326").to_file(tmp_path / "points.geojson")
    results = [
        assess_points(drawn / "maps", path, 0.95) for path in (drawn / "points.gpkg", tmp_path / "points.geojson")
    ]
    pd.testing.assert_frame_equal(*map(accuracy_table, results))


def test_unlabelled_points_are_counted_and_left_out(drawn: Path, edited: Callable[[Edit], Path]) -> None:
    def unlabel(table: gpd.GeoDataFrame) -> None:
        table.loc[table.index[:30], ["reference", "reference_height"]] = [" ", np.nan]

    result = assess_points(drawn / "maps", edited(unlabel), 0.95)
    assert result.accuracy.counts.sum() == 370
    assert result.notes[0].startswith("30 of 400 points have no reference class and are left out")


@pytest.mark.parametrize("column", ["drawn", "none"])
def test_deleted_points_are_counted(drawn: Path, tmp_path: Path, column: str) -> None:
    table = gpd.read_file(drawn / "points.gpkg")
    wrong = table.index[(table["map_class"] == "tree") & (table["reference"] != "tree")]
    remaining = table.drop(index=wrong[:5]).drop(columns=[] if column == "drawn" else "drawn")
    remaining.to_file(tmp_path / "points.gpkg", layer="points")
    (note,) = assess_points(drawn / "maps", tmp_path / "points.gpkg", 0.95).notes
    of_classes = " (tree 5)" if column == "drawn" else ""
    assert note.startswith(f"5 points that were drawn are not in the file{of_classes}: the estimates are biased if")


def test_deleted_last_points_are_counted(drawn: Path, tmp_path: Path) -> None:
    table = gpd.read_file(drawn / "points.gpkg")
    table[table["id"] <= 390].to_file(tmp_path / "points.gpkg", layer="points")
    (note,) = assess_points(drawn / "maps", tmp_path / "points.gpkg", 0.95).notes
    assert note.startswith("10 points that were drawn are not in the file (")


def test_classes_without_surveyed_heights_are_named(drawn: Path, edited: Callable[[Edit], Path]) -> None:
    def unsurveyed(table: gpd.GeoDataFrame) -> None:
        table.loc[table["map_class"] == "tree", "reference_height"] = np.nan

    result = assess_points(drawn / "maps", edited(unsurveyed), 0.95)
    share = 100 * result.accuracy.mapped_areas[2] / result.accuracy.mapped_areas.sum()
    assert f"Height errors are not those of tree, {share:.1f} % of the mapped area" in result.notes[-1]


def test_a_class_without_any_error_is_said_to_be_known_by_few_points(
    drawn: Path, edited: Callable[[Edit], Path]
) -> None:
    def agree(table: gpd.GeoDataFrame) -> None:
        table.loc[table["map_class"] == "tree", "reference"] = "tree"

    result = assess_points(drawn / "maps", edited(agree), 0.95)
    assert "All points of tree (100 points) are alike" in result.notes[0]


def test_a_class_with_a_point_on_each_pixel_has_no_error(tmp_path: Path) -> None:
    codes = np.zeros((20, 20), dtype=int)
    codes[4, 4:7] = 1
    maps = write_maps(tmp_path / "maps", codes, 4.0 * codes)
    sample_points(maps, tmp_path / "points.gpkg", 40, None, {}, 10, seed=0)
    label(tmp_path / "points.gpkg", codes)
    (note,) = [each for each in assess_points(maps, tmp_path / "points.gpkg", 0.95).notes if "are alike" in each]
    assert note.startswith("All points of ground (37 points) are alike")


def set_values(column: str, value: object, rows: slice = slice(0, 3)) -> Edit:
    def edit(table: gpd.GeoDataFrame) -> None:
        table[column] = table[column].astype(object)
        table.loc[table.index[rows], column] = value

    return edit


def shift(table: gpd.GeoDataFrame) -> None:
    table.loc[table.index[5], "geometry"] = table.geometry[5].buffer(3).centroid.buffer(3).exterior.interpolate(0)


def make_multipoints(table: gpd.GeoDataFrame) -> None:
    table.geometry = [shapely.MultiPoint([point]) for point in table.geometry]


def drop_reference(table: gpd.GeoDataFrame) -> None:
    del table["reference"]


def keep_one_tree(table: gpd.GeoDataFrame) -> None:
    trees = table.index[table["map_class"] == "tree"]
    table.loc[trees[1:], "reference"] = None


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (set_values("reference", "car"), "the class 'car' in the column reference of 3 points; expected one of ground"),
        (set_values("reference_height", "tall"), "'tall' in the column reference_height; expected metres"),
        (set_values("map_id", "0123456789ab"), "points of the map 0123456789ab; expected points that were drawn from"),
        (set_values("id", 7), "the id 7 twice"),
        (set_values("map_class", "ground", slice(None)), "points with another map_class"),
        (drop_reference, "no column reference; expected the points of"),
        (shift, "1 points that were moved, the first with the id"),
        (make_multipoints, "found a MultiPoint; expected points alone"),
        (set_values("drawn", "200, 100", slice(None)), "'200, 100' in the column drawn; expected the number of points"),
        (set_values("x", "east"), "found 3 points that were moved"),
        (set_values("y", np.nan), "found 3 points that were moved"),
        (keep_one_tree, r"fewer than 2 where the map says tree \(1\)"),
    ],
)
def test_wrong_points_are_refused(drawn: Path, edited: Callable[[Edit], Path], edit: Edit, message: str) -> None:
    with pytest.raises(UserError, match=message):
        assess_points(drawn / "maps", edited(edit), 0.95)


def test_points_of_another_map_are_refused(drawn: Path, tmp_path: Path, truth: np.ndarray) -> None:
    other = write_maps(tmp_path / "other", truth)
    with pytest.raises(UserError, match=r"points of the map .*; expected points that were drawn from .*other"):
        assess_points(other, drawn / "points.gpkg", 0.95)
