"""Cells whose predicted class and height break a rule: the map, the counts, and the scores of a run."""

from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine

from mtlaerial.config import IGNORED, ScoringSpec
from mtlaerial.config.consistency import ConsistencyRule
from mtlaerial.errors import ConfigError
from mtlaerial.rasters.geotiff import PREPARED, create_raster, map_raster
from mtlaerial.rasters.grid import Grid
from mtlaerial.runs.run import load_description
from mtlaerial.scoring.consistency import count_violations, pooled_violations, violation_map
from mtlaerial.scoring.run_scores import score_maps
from mtlaerial.scoring.scores_file import load_scores, save_scores
from support.tiny import Folders

NAMES = ("road", "roof", "water")
RULES = {"roof": ConsistencyRule(height=">= 2"), "water": ConsistencyRule(height="< 0.5")}
CLASSES = np.array([[0, 1, 1], [2, 2, 255], [1, 2, 0]], np.uint8)
HEIGHTS = np.array([[0.0, 2.0, 1.9], [0.4, 0.5, 9.0], [np.nan, -1.0, 50.0]], np.float32)


def write(path: Path, array: np.ndarray, size: float) -> Path:
    grid = Grid(None, Affine(size, 0, 0, 0, -size, 0), *array.shape)
    with create_raster(path, grid, count=1, dtype=array.dtype.name, **PREPARED) as out:
        out.write(array, 1)
    return path


def test_the_map_names_the_broken_rule() -> None:
    broken = violation_map(CLASSES, HEIGHTS, NAMES, RULES)
    assert broken.dtype == np.uint8
    assert broken.tolist() == [[0, 0, 1], [0, 2, IGNORED], [IGNORED, 0, 0]]


def test_counts_are_those_of_the_map(tmp_path: Path) -> None:
    paths = write(tmp_path / "a.tif", CLASSES, 1.0), write(tmp_path / "b.tif", HEIGHTS, 1.0)
    assert count_violations(*paths, NAMES, RULES) == {"overall": (2, 7), "class roof": (1, 2), "class water": (1, 3)}


def test_heights_of_another_grid_and_unit_are_those_at_the_centres_of_the_pixels(tmp_path: Path) -> None:
    classes = write(tmp_path / "a.tif", np.ones((4, 4), np.uint8), 1.0)
    heights = write(tmp_path / "b.tif", np.array([[300, 100], [100, 300]], np.float32), 2.0)
    assert count_violations(classes, heights, NAMES, RULES, metres=0.01)["class roof"] == (8, 16)
    assert count_violations(classes, heights, NAMES, RULES)["class roof"] == (0, 16)


def test_the_no_data_value_of_a_map_breaks_no_rule(tmp_path: Path) -> None:
    paths = write(tmp_path / "a.tif", CLASSES, 1.0), write(tmp_path / "b.tif", np.nan_to_num(HEIGHTS, nan=-9999), 1.0)
    with rasterio.open(paths[1], "r+") as out:
        out.nodata = -9999
    assert count_violations(*paths, NAMES, RULES) == {"overall": (2, 7), "class roof": (1, 2), "class water": (1, 3)}


def test_tiles_weigh_by_the_area_of_their_pixels() -> None:
    tiles = {"a": {"overall": (1, 10)}, "b": {"overall": (5, 10)}}
    assert pooled_violations(tiles, {"a": 1.0, "b": 4.0})["overall"].tolist() == [21, 50]


@pytest.fixture
def maps(tiles: Folders, tmp_path: Path) -> Path:
    """Return maps that are the truth."""
    for tile in tiles["test"]:
        folder = tmp_path / "maps" / tile.name
        folder.mkdir(parents=True)
        (folder / "semantics.tif").write_bytes((tile / "labels.tif").read_bytes())
        (folder / "height.tif").write_bytes((tile / "height.tif").read_bytes())
    return tmp_path / "maps"


def test_a_run_is_scored_beside_its_truth(run_folder: Path, tiles: Folders, maps: Path, tmp_path: Path) -> None:
    description = load_description(run_folder)
    name = description.statistics.classes[0].name
    rules = {name: ConsistencyRule(height="< 1")}
    scores = score_maps(description, maps, tiles["test"], ScoringSpec(), rules=rules)
    (tile,) = tiles["test"]
    sums = scores.tiles[tile.name]
    assert sums.violations == sums.true_violations  # the maps are the truth
    labels = np.array(map_raster(tile / "labels.tif"))
    broken, cells = sums.violations[f"class {name}"]
    assert 0 < broken <= cells <= int((labels == 0).sum())
    save_scores(scores, tmp_path / "scores.json")
    assert load_scores(tmp_path / "scores.json") == scores


def test_without_rules_scores_are_written_as_before(
    run_folder: Path, tiles: Folders, maps: Path, tmp_path: Path
) -> None:
    save_scores(score_maps(load_description(run_folder), maps, tiles["test"], ScoringSpec()), tmp_path / "scores.json")
    text = (tmp_path / "scores.json").read_text()
    assert "violations" not in text
    assert "consistency" not in text


def test_a_rule_of_a_class_that_the_run_does_not_know_is_refused(run_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="consistency: found a rule of the class roof; expected classes of the run: "):
        score_maps(load_description(run_folder), tmp_path, [], ScoringSpec(), rules={"roof": RULES["roof"]})
