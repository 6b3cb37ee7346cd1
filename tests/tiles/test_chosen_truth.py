"""A share of the training area with truth: nested blocks, masked layers, statistics of what is left."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from mtlaerial.config import IGNORED
from mtlaerial.config.task_entry import Truth
from mtlaerial.rasters.geotiff import map_raster
from mtlaerial.tiles.chosen_truth import LabelledTruth, choose_truth
from mtlaerial.tiles.statistics import Statistics
from support.tiny import Folders

BLOCK = 8
"""Side of a block in image pixels: 288 blocks in the two training tiles."""
SHARES = (5.0, 10.0, 25.0, 50.0)
LAYERS: tuple[Truth, Truth] = ("labels", "height")


@pytest.fixture
def choose(tiles: Folders, statistics: Statistics, tmp_path: Path):
    """Return a function that chooses a percentage of both layers of the training tiles."""

    def chosen(percent: float, seed: int = 0, reverse: bool = False, block: int = BLOCK) -> LabelledTruth:
        folders = sorted(tiles["train"], reverse=reverse)
        return choose_truth(folders, dict.fromkeys(LAYERS, percent), block, seed, statistics, tmp_path)

    return chosen


def cells(truth: LabelledTruth, layer: Truth) -> np.ndarray:
    """Return which cells of all tiles have truth."""
    parts = [truth.masked[folder][layer] for folder in sorted(truth.masked)]
    flat = np.concatenate([part.ravel() for part in parts])
    return flat != IGNORED if layer == "labels" else np.isfinite(flat)


@pytest.mark.parametrize("layer", LAYERS)
def test_smaller_shares_lie_within_larger_ones(choose, layer: Truth) -> None:
    areas = [cells(choose(percent), layer) for percent in SHARES]
    for smaller, larger in pairwise(areas):
        assert not (smaller & ~larger).any()
        assert smaller.sum() < larger.sum()


@pytest.mark.parametrize("percent", SHARES)
def test_a_share_is_of_the_area_with_truth(choose, tiles: Folders, percent: float) -> None:
    truth = choose(percent)
    for layer in LAYERS:
        whole = np.concatenate([map_raster(folder / f"{layer}.tif").ravel() for folder in tiles["train"]])
        known = (whole != IGNORED if layer == "labels" else np.isfinite(whole)).sum()
        share = 100 * cells(truth, layer).sum() / known
        assert share == pytest.approx(percent, abs=0.5)  # a block is 0.35 % of the area
        assert truth.area.layers[layer].used == pytest.approx(share, abs=1e-3)
        assert truth.area.layers[layer].pixels == cells(truth, layer).sum()


def test_truth_is_used_in_whole_blocks_and_as_it_is(choose, tiles: Folders) -> None:
    truth = choose(25.0)
    number = 0
    for folder in tiles["train"]:
        used, whole = truth.masked[folder]["labels"], map_raster(folder / "labels.tif")
        assert ((used == whole) | (used == IGNORED)).all()
        blocks = (used != IGNORED).reshape(12, BLOCK, 12, BLOCK).sum(axis=(1, 3))
        assert set(np.unique(blocks)) <= {0, BLOCK**2}
        number += int((blocks > 0).sum())
    assert sum(truth.area.layers["labels"].blocks.values()) == number == 72


def test_layers_of_other_grids_have_the_same_blocks(choose, tiles: Folders) -> None:
    truth = choose(25.0)
    used = []
    for folder in tiles["train"]:
        labels, height = truth.masked[folder]["labels"], truth.masked[folder]["height"]
        of_labels = (labels != IGNORED).reshape(12, BLOCK, 12, BLOCK).any(axis=(1, 3))
        # Heights have cells of two pixels, and a few have none.
        of_heights = np.isfinite(height).reshape(12, BLOCK // 2, 12, BLOCK // 2).any(axis=(1, 3))
        used.append((of_labels, of_heights))
    labels_blocks, height_blocks = np.array(used).swapaxes(0, 1)
    assert (labels_blocks != height_blocks).sum() <= 1


def test_the_seed_decides_the_blocks_and_the_order_of_tiles_does_not(choose) -> None:
    first = cells(choose(25.0), "labels")
    assert np.array_equal(first, cells(choose(25.0, reverse=True), "labels"))
    assert not np.array_equal(first, cells(choose(25.0, seed=1), "labels"))


def test_blocks_larger_than_a_share_leave_one(choose) -> None:
    truth = choose(5.0, block=48)  # eight blocks
    assert sum(truth.area.layers["labels"].blocks.values()) == 1


def test_statistics_are_those_of_the_used_truth_alone(choose, tiles: Folders, statistics: Statistics) -> None:
    truth = choose(10.0)
    described = truth.area.described(statistics)
    labels = np.concatenate([truth.masked[folder]["labels"].ravel() for folder in tiles["train"]])
    heights = np.concatenate([truth.masked[folder]["height"].ravel() for folder in tiles["train"]])
    counts = np.bincount(labels, minlength=IGNORED + 1)[: len(statistics.classes)]
    assert [entry.pixels for entry in described.classes] == counts.tolist()
    assert described.height is not None
    assert described.height.cells == np.isfinite(heights).sum()
    assert described.height.maximum == pytest.approx(float(np.nanmax(heights)))
    assert described.height.mean == pytest.approx(float(np.nanmean(heights.astype(np.float64))))
    assert described.height.median == pytest.approx(float(np.nanmedian(heights)), abs=0.02)
    assert described.bands == statistics.bands  # images are there everywhere
