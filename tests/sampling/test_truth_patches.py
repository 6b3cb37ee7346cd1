"""Patches that contain truth, in a stated number of the patches of each batch."""

import math
from collections import Counter
from typing import Any

import numpy as np
import pytest
import torch

from mtlaerial.config import IGNORED, Augmentation
from mtlaerial.config.labelled import patches_per_layer
from mtlaerial.errors import ConfigError
from mtlaerial.sampling.sampler import Batch, PatchSampler
from mtlaerial.sampling.truth_patches import StratifiedCorners, TruthCorners, places_of, reach_of
from mtlaerial.tiles.tile import ON_GRID, Tile

PATCH = 32
BATCH = 8
POSES: list[dict[str, Any]] = [
    {"flip": True, "quarter_turns": True},
    {"flip": True, "rotation": 45, "zoom": 0.5},
    {"flip": False, "mirror_along_sun": 97},
]


def tiles() -> list[Tile]:
    """Return a tile with labels in its corners alone and heights elsewhere, and one with heights of coarser cells."""
    labels = np.full((96, 96), IGNORED, np.uint8)
    labels[:3, :3] = labels[-3:, -3:] = labels[:3, -3:] = 1
    first = np.full((96, 96), 5.0, np.float32)
    first[:40, :40] = np.nan
    image = torch.zeros(96, 96, 3, dtype=torch.uint8)
    lacking, coarse = np.full((1, 1), IGNORED, np.uint8), np.full((48, 48), 2.0, np.float32)
    half = (0.5, 0.5, 0.0, 0.0)
    return [tile(image, first, labels, ON_GRID, ON_GRID), tile(image, coarse, lacking, half, (1 / 96, 1 / 96, 0, 0))]


def tile(image: torch.Tensor, heights: np.ndarray, labels: np.ndarray, to_height: Any, to_labels: Any) -> Tile:
    layers = torch.from_numpy(heights)[..., None], torch.from_numpy(labels)[..., None]
    return Tile("tile", image, *layers, to_height, to_labels, {})


def kinds(augmentation: Augmentation) -> list[TruthCorners]:
    reach, of_tiles = reach_of(augmentation, PATCH), tiles()
    labels = [entry.labels[..., 0].numpy() for entry in of_tiles]
    heights = [entry.height[..., 0].numpy() for entry in of_tiles]
    return [
        TruthCorners(of_tiles, PATCH, "labels", labels, reach=reach),
        TruthCorners(of_tiles, PATCH, "height", heights, reach=reach),
    ]


def batches(poses: dict[str, Any], number: int, count: int) -> list[Batch]:
    augmentation = Augmentation(**poses)
    corners = kinds(augmentation)
    stratified = StratifiedCorners(corners, places_of([kind.area for kind in corners], number, BATCH))
    sampler = PatchSampler(tiles(), PATCH, augmentation, stratified)
    return [sampler.draw(BATCH, torch.Generator().manual_seed(seed)) for seed in range(count)]


@pytest.mark.parametrize("poses", POSES)
@pytest.mark.parametrize("number", [1, 4])
def test_each_batch_has_truth_of_each_task_in_the_stated_patches(poses: dict[str, Any], number: int) -> None:
    for batch in batches(poses, number, count=15):
        labelled = (batch.labels != IGNORED).any(dim=(1, 2))
        measured = batch.height.isfinite().any(dim=(1, 2))
        assert labelled[0 : 2 * number : 2].all()
        assert measured[1 : 2 * number : 2].all()
        # The patches that are left are drawn where the task with the most truth has some.
        assert measured[2 * number :].all()


def test_a_point_with_truth_lies_anywhere_in_the_middle_half_of_a_patch() -> None:
    """A network must not learn that truth is in the middle."""
    labels = np.full((96, 96), IGNORED, np.uint8)
    labels[50, 40] = 1
    image = torch.zeros(96, 96, 1, dtype=torch.uint8)
    one = tile(image, np.zeros((1, 1), np.float32), labels, ON_GRID, ON_GRID)
    _, corners = TruthCorners([one], PATCH, "labels", [labels]).draw(2000, torch.Generator().manual_seed(0))
    places = torch.tensor([40, 50]) - corners
    assert places.min() == 8 - 1  # rounded to whole pixels
    assert places.max() == 24
    assert torch.unique(places[:, 0]).numel() == torch.unique(places[:, 1]).numel() == 18


def test_shares_of_processes_are_parts_of_one_batch_and_have_truth_of_both() -> None:
    corners = kinds(Augmentation())
    stratified = StratifiedCorners(corners, places_of([kind.area for kind in corners], 4, BATCH))
    sampler = PatchSampler(tiles(), PATCH, Augmentation(), stratified)
    whole, first, second = (
        sampler.draw(BATCH, torch.Generator().manual_seed(5), part) for part in (slice(None), slice(4), slice(4, 8))
    )
    assert torch.equal(whole.labels, torch.cat([first.labels, second.labels]))
    for share in (first, second):
        assert (share.labels != IGNORED).any()
        assert share.height.isfinite().any()


def test_positions_follow_the_area_with_truth() -> None:
    """The first tile has heights on 7,616 of its pixels, the second, of cells of four pixels, on all 9,216."""
    _, heights = kinds(Augmentation())
    assert heights.area == 96 * 96 - 40 * 40 + 96 * 96
    chosen, _ = heights.draw(4000, torch.Generator().manual_seed(0))
    share = Counter(chosen)[0] / 4000
    assert share == pytest.approx(7616 / (7616 + 9216), abs=4 * math.sqrt(0.25 / 4000))


def test_heights_and_classes_that_are_not_trained_are_no_truth() -> None:
    heights, labels = np.zeros((64, 64), np.float32), np.zeros((64, 64), np.uint8)
    heights[10, 20], labels[30, 5] = 3.0, 1
    image = torch.zeros(64, 64, 1, dtype=torch.uint8)
    one = [tile(image, heights, labels, ON_GRID, ON_GRID)]
    assert TruthCorners(one, PATCH, "height", [heights], zero_height=False).area == 1
    assert TruthCorners(one, PATCH, "height", [heights]).area == 64 * 64
    assert TruthCorners(one, PATCH, "labels", [labels], untrained=[0]).area == 1


def test_equal_divides_the_batch_and_too_small_batches_are_refused() -> None:
    assert patches_per_layer("equal", 8, ["semantics", "height"]) == 4
    assert patches_per_layer("equal", 7, ["semantics", "height"]) == 3
    assert patches_per_layer("equal", 6, ["semantics"]) == 6
    assert patches_per_layer(0, 1, ["semantics", "height"]) == 0
    with pytest.raises(ConfigError, match=r"training\.truth_patches: found 5 for semantics and height, with a batch"):
        patches_per_layer(5, 8, ["semantics", "height"])
    with pytest.raises(ConfigError, match="equal"):
        patches_per_layer("equal", 1, ["semantics", "height"])
