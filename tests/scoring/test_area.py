"""Pooling by area: tiles whose ground truth has other cells weigh by the ground that they cover."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from mtlaerial.config import ScoringSpec
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.reporting.tables.collect import collect
from mtlaerial.scoring.run_scores import score_run
from mtlaerial.scoring.scores_file import load_scores, save_scores
from mtlaerial.tiles.measure import summarise
from mtlaerial.tiles.record import write_record
from mtlaerial.tiles.statistics import Statistics
from mtlaerial.tiles.tile import load_tiles
from mtlaerial.training.validation import Validator
from support import tiny

SIDE = 20
"""Side of each tile in metres."""
PIXELS = {"fine": 0.5, "coarse": 1.0}
"""Pixel of the ground truth of each tile, in metres."""
WEST = {"fine": tiny.WEST, "coarse": tiny.WEST + SIDE}


def write_tiles(folder: Path, labels: dict[str, int], heights: dict[str, float]) -> list[Path]:
    """Write two prepared tiles of equal area, each with one class and one height everywhere."""
    for name, pixel in PIXELS.items():
        cells = round(SIDE / pixel)
        layers = {
            "image": np.zeros((3, 40, 40), np.uint8),
            "labels": np.full((cells, cells), labels[name], np.uint8),
            "eroded": np.full((1, 1), 255, np.uint8),
            "height": np.full((cells, cells), heights[name], np.float32),
        }
        for layer, array in layers.items():
            size = 0.5 if layer == "image" else pixel
            options = {"interleave": "pixel"} if layer == "image" else {"photometric": "minisblack"}
            tiny.write_raster(folder / name / f"{layer}.tif", array, size, WEST[name], **options)
        write_record(folder / name, {}, {})
    return [folder / name for name in PIXELS]


def write_maps(folder: Path, run: Path, code: int, height: float) -> Path:
    """Write maps of one class and one height for both tiles, beside a run."""
    shutil.copytree(run, folder)
    for name, pixel in PIXELS.items():
        cells = round(SIDE / pixel)
        maps = {"semantics": np.full((cells, cells), code, np.uint8), "height": np.full((cells, cells), height)}
        for task, array in maps.items():
            path = folder / "maps" / name / f"{task}.tif"
            tiny.write_raster(path, array.astype(np.float32 if task == "height" else np.uint8), pixel, WEST[name])
    return folder


@pytest.fixture
def scored(tmp_path: Path, run_folder: Path) -> Path:
    """Return a scores.json: the map is right in the coarse tile and wrong by class and by 3 m in the fine one."""
    tiles = write_tiles(tmp_path / "tiles", {"fine": 0, "coarse": 1}, {"fine": 5.0, "coarse": 8.0})
    run = write_maps(tmp_path / "run", run_folder, 1, 8.0)
    save_scores(score_run(run, tiles, ScoringSpec()), run / "scores.json")
    return run / "scores.json"


def test_scores_of_tiles_with_other_grids_are_pooled_by_area(scored: Path) -> None:
    long = collect([load_scores(scored)])
    pooled = long[(long["pooling"] == "pooled") & (long["mask"] == "all") & (long["method"] == "equal")]
    overall = pooled[pooled["group"] == "overall"].set_index("score")["value"]
    expected = {"OA": 1 / 2, "AA": 1 / 2, "mIoU": 1 / 4, "MAE": 3 / 2, "RMSE": np.sqrt(9 / 2), "bias": 3 / 2}
    assert {score: overall[score] for score in expected} == pytest.approx(expected)


def test_new_scores_are_pooled_by_area_too(scored: Path) -> None:
    long = collect([load_scores(scored)])
    pooled = long[(long["pooling"] == "pooled") & (long["method"] == "equal")]
    overall = pooled[pooled["group"] == "overall"].set_index(["mask", "score"])["value"]
    assert overall["objects", "REL"] == pytest.approx(3 / 5 / 2)
    assert overall["all", "F1-HE3"] == 1  # 8 m for 5 m is within 1.25³
    assert overall["all", "F1-HE1"] == 1  # and else counts as nothing
    assert overall["all", "mIoU-3"] == pytest.approx((0 + 1 / 2) / 2)


def test_counts_stay_whole_in_the_file(scored: Path) -> None:
    tiles = json.loads(scored.read_text(encoding="utf-8"))["tiles"]
    assert [tiles[name]["label_area"] for name in PIXELS] == [0.25, 1.0]
    assert [tiles[name]["height_area"] for name in PIXELS] == [0.25, 1.0]
    assert [sum(map(sum, tiles[name]["confusion"])) for name in PIXELS] == [1600, 400]


def test_class_weights_and_the_median_height_are_those_of_areas(tmp_path: Path) -> None:
    """The fine tile has four times the cells: by cells, class 0 would have 80 %, and 5 m would be the median."""
    folders = write_tiles(tmp_path, {"fine": 0, "coarse": 1}, {"fine": 5.0, "coarse": 8.0})
    summary = summarise(Dataset("city", tiny.city_spec(), tmp_path), folders)
    assert [entry.pixels for entry in summary.classes[:2]] == [1600, 1600]
    assert summary.height
    assert summary.height.mean == pytest.approx(6.5)
    assert summary.height.cells == 2000


def test_validation_scores_are_pooled_by_area(tmp_path: Path, statistics: Statistics) -> None:
    folders = write_tiles(tmp_path, {"fine": 0, "coarse": 1}, {"fine": 5.0, "coarse": 8.0})
    assert statistics.height
    baseline = Validator(load_tiles(folders, torch.device("cpu"), 10), statistics).constant
    median = statistics.height.median
    assert baseline["MAE"] == pytest.approx((abs(5 - median) + abs(8 - median)) / 2)
