"""Scores of the objects of a run's maps: tiles as one region, and tiles without labels left out."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

from mtlaerial.config.objects import ObjectsSpec
from mtlaerial.objects.run_objects import with_objects
from support import sample_scores, tiny

SPEC = ObjectsSpec(classes=("house",), min_area=10.0)
ROWS, COLUMNS = 40, 60
"""Pixels of a tile, of 0.5 m."""


def write_tile(folder: Path, labels: np.ndarray, heights: np.ndarray, column: int) -> Path:
    """Write a prepared tile whose first column is some pixels east of the corner."""
    east = tiny.WEST + 0.5 * column
    tiny.write_raster(folder / "labels.tif", labels, west=east, nodata=255)
    tiny.write_raster(folder / "height.tif", heights, west=east, nodata=np.nan)
    return folder


@pytest.fixture
def tiles(tmp_path: Path) -> list[Path]:
    """Two tiles side by side with a house across their border and one in the east, and a third one without labels."""
    labels = np.zeros((ROWS, 2 * COLUMNS), np.uint8)
    heights = np.full(labels.shape, np.nan, np.float32)
    labels[10:30, 50:70], heights[10:30, 50:70] = 1, 6
    labels[10:30, 100:116], heights[10:30, 100:116] = 1, 9
    west, east = (np.s_[:, :COLUMNS], np.s_[:, COLUMNS:])
    bare = write_tile(tmp_path / "bare", np.full((1, 1), 255, np.uint8), np.full((1, 1), np.nan, np.float32), 0)
    return [
        write_tile(tmp_path / "west", labels[west], heights[west], 0),
        write_tile(tmp_path / "east", labels[east], heights[east], COLUMNS),
        bare,
    ]


def box(left: int, right: int) -> shapely.Polygon:
    return shapely.box(tiny.WEST + left / 2, tiny.NORTH - 15, tiny.WEST + right / 2, tiny.NORTH - 5)


def objects(path: Path, polygons: list[shapely.Polygon], heights: list[float], name: str = "house") -> Path:
    table = gpd.GeoDataFrame({"class": [name] * len(polygons), "height_median": heights}, geometry=polygons)
    table.set_crs(tiny.UTM.to_string()).to_file(path, layer="objects")
    return path


def test_a_house_across_two_tiles_is_one_object(tiles: list[Path], tmp_path: Path) -> None:
    run = sample_scores.experiment()[-1]
    # The house with 2 more columns, a false one, and one where there are no labels.
    predicted = objects(tmp_path / "objects.gpkg", [box(50, 72), box(2, 12), box(140, 150)], [7.0, 1.0, 1.0])
    scored = with_objects(run, predicted, tiles, SPEC).objects
    assert scored
    assert scored.spec == SPEC
    total = scored.classes["house"]["all"]
    assert (total.predicted, total.true, total.matched_true, total.heights) == (2, 2, 1, 1)
    assert (total.precision, total.recall) == (0.5, 0.5)
    assert total.iou == pytest.approx(20 / 22)
    assert (total.bias, total.mae) == (pytest.approx(1), pytest.approx(1))
    by_size = scored.classes["house"]["50-100 m²"]
    assert (by_size.true, by_size.matched_true) == (1, 0), "the house in the east has 80 m²"


def test_objects_of_other_classes_alone_miss_all_houses(tiles: list[Path], tmp_path: Path) -> None:
    run = sample_scores.experiment()[-1]
    predicted = objects(tmp_path / "objects.gpkg", [box(50, 70)], [6.0], name="road")
    scored = with_objects(run, predicted, tiles, SPEC).objects
    assert scored
    total = scored.classes["house"]["all"]
    assert (total.predicted, total.true, total.recall) == (0, 2, 0)


def test_tiles_without_labels_alone_give_no_scores(tiles: list[Path], tmp_path: Path) -> None:
    run = sample_scores.experiment()[-1]
    predicted = objects(tmp_path / "objects.gpkg", [box(50, 70)], [6.0])
    assert with_objects(run, predicted, tiles[2:], SPEC).objects is None


def test_holes_of_true_objects_are_filled_as_those_of_the_maps(tmp_path: Path) -> None:
    labels = np.zeros((ROWS, COLUMNS), np.uint8)
    labels[10:30, 20:40] = 1
    labels[11:29:2, 21:39:2] = 0
    tile = write_tile(tmp_path / "tile", labels, np.full(labels.shape, np.nan, np.float32), 0)
    predicted = objects(tmp_path / "objects.gpkg", [box(20, 40)], [6.0])
    for spec, iou in ((SPEC, 1), (SPEC.model_copy(update={"min_hole": 0.0}), 319 / 400)):
        scored = with_objects(sample_scores.experiment()[-1], predicted, [tile], spec).objects
        assert scored
        assert scored.classes["house"]["all"].iou == pytest.approx(iou)
