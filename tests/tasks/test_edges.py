"""Height edges, the package's third task: their truth in training, validation and scoring, and their loss."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from mtlaerial.config import Augmentation, task_entry
from mtlaerial.config.method import MethodSpec
from mtlaerial.config.tasks import leads, registry_order
from mtlaerial.errors import ConfigError
from mtlaerial.figures.tile_layers import Frame, read_grid
from mtlaerial.figures.truth_layer import read_truth
from mtlaerial.sampling import Batch, PatchSampler
from mtlaerial.scoring.height_truth import HeightTruth
from mtlaerial.tasks import EDGES, HEIGHT, Derivation
from mtlaerial.tasks.height_range import height_range
from mtlaerial.tiles.derived_truth import tile_truth
from mtlaerial.tiles.statistics import Statistics
from mtlaerial.tiles.tile import load_tiles
from mtlaerial.training.losses import TaskLosses
from mtlaerial.training.trainer import Trainer
from mtlaerial.training.validation import Validator
from support import tiny
from support.tiny import Folders

CPU = torch.device("cpu")
THREE = ("semantics", "height", "edges")


def ranges(heights: NDArray[np.float32], cells: int) -> NDArray[np.float32]:
    """Return the range around each cell, cell by cell."""
    truth = np.full(heights.shape, np.nan, np.float32)
    for row, column in np.argwhere(np.isfinite(heights)):
        north, west = max(0, row - cells), max(0, column - cells)
        around = heights[north : row + cells + 1, west : column + cells + 1]
        truth[row, column] = np.nanmax(around) - np.nanmin(around)
    return truth


def holed(rows: int = 17, columns: int = 23) -> NDArray[np.float32]:
    draw = np.random.default_rng(1)
    heights = draw.normal(5, 3, (rows, columns)).astype(np.float32)
    heights[draw.random(heights.shape) < 0.3] = np.nan
    return heights


def test_edges_are_the_differences_in_height_around_each_cell() -> None:
    for cells in (1, 3):
        edges = height_range(torch.from_numpy(holed())[None], cells)[0].numpy()
        np.testing.assert_array_equal(edges, ranges(holed(), cells))


def test_truth_in_blocks_is_that_of_the_whole_tile(tmp_path: Path) -> None:
    tiny.write_raster(tmp_path / "height.tif", holed(), pixel=0.5)
    truth, expected = HeightTruth(tmp_path, EDGES), ranges(holed(), 2)  # 1 m are two cells of 0.5 m
    blocks = [truth(top, min(5, 17 - top)) for top in range(0, 17, 5)]
    np.testing.assert_array_equal(np.concatenate(blocks), expected)
    frame = Frame.of(read_grid(tmp_path / "height.tif"), 0.5)
    np.testing.assert_array_equal(read_truth(tmp_path, EDGES, frame).band.filled(np.nan), expected)
    np.testing.assert_array_equal(HeightTruth(tmp_path, HEIGHT)(3, 4), holed()[3:7])


@pytest.mark.parametrize(
    "geometry", [{}, {"flip": True}, {"rotation": 30}], ids=["as they lie", "mirrored and turned", "rotated"]
)
def test_patches_have_the_edges_of_their_tile(tiles: Folders, geometry: dict[str, Any]) -> None:
    """Patches drawn of a tile whose heights are replaced by its edges, by the same poses, have these as heights."""
    loaded = load_tiles(tiles["train"], CPU, 100)
    replaced = [replace(tile, height=torch.from_numpy(tile_truth(EDGES, tile)[..., None])) for tile in loaded]
    augmentation = Augmentation.parse(geometry, "augmentation")
    sampler = PatchSampler(loaded, 32, augmentation, tasks=THREE)
    patches = sampler.draw(12, torch.Generator().manual_seed(2))
    expected = PatchSampler(replaced, 32, augmentation).draw(12, torch.Generator().manual_seed(2))
    assert expected.height.nan_to_num().max() > 3
    torch.testing.assert_close(patches.derived["edges"], expected.height, rtol=0, atol=1e-3, equal_nan=True)
    some, same = patches[3:5].derived["edges"], patches.derived["edges"][3:5]
    torch.testing.assert_close(some, same, rtol=0, atol=0, equal_nan=True)
    assert not expected.derived


def test_tiles_with_cells_of_other_sizes_have_their_own_reach(tiles: Folders) -> None:
    coarse, *_ = load_tiles(tiles["train"], CPU, 100)
    grid = coarse.grids["height"]
    fine = replace(coarse, grids={**coarse.grids, "height": replace(grid, transform=grid.transform.scale(0.4))})
    both = PatchSampler([coarse, fine], 32, Augmentation(), tasks=THREE)
    patches = both.draw(8, torch.Generator().manual_seed(0))
    poses = both.poses(8, torch.Generator().manual_seed(0))
    chosen = torch.tensor([tile == 1 for tile in poses.tiles])
    assert 0 < chosen.sum() < 8
    alike = PatchSampler([coarse, coarse], 32, Augmentation(), tasks=THREE)
    near = alike.draw(8, torch.Generator().manual_seed(0)).derived["edges"]
    differences = (patches.derived["edges"] - near).nan_to_num().abs().amax(dim=(1, 2))
    assert (differences[~chosen] < 1e-3).all()
    assert (differences[chosen] > 0.1).all()


def test_edges_are_learned_by_the_error_of_heights_with_zeros_and_without_balance() -> None:
    heights, edges = torch.rand(1, 4, 4) * 20, torch.tensor([[[0.0, 3.0], [6.0, torch.nan]]])
    edges = edges.repeat_interleave(2, 1).repeat_interleave(2, 2)
    labels = torch.zeros(1, 4, 4, dtype=torch.uint8)
    batch = Batch(torch.zeros(1, 3, 4, 4), heights, labels, derived={"edges": edges})
    spec = tiny.training_spec(height_unit=3, height_gradient=0.5)
    losses = TaskLosses(spec, torch.ones(4), zero_height=False, tasks=THREE, height_weights=torch.rand(99))
    loss = losses({"edges": torch.zeros(1, 1, 4, 4)}, batch)["edges"]
    torch.testing.assert_close(loss, torch.tensor((0 + 1 + 2) / 3))


@pytest.mark.parametrize("weighting", ["equal", "mgda"])
def test_three_tasks_are_trained_and_their_gradients_compared(
    tiles: Folders, statistics: Statistics, weighting: str
) -> None:
    plan = tiny.run_plan(THREE, weighting={"name": weighting})
    trainer = Trainer(tiny.job(plan, statistics, tiles["train"], []))
    trainer._begin()
    update = trainer.update(0, measure_conflict=True)
    assert update.gramians is not None
    assert {table.shape for table in update.gramians.values()} == {(3, 3)}
    assert (update.losses > 0).all()
    assert (update.weights >= 0).all()


def test_the_constant_prediction_beside_edges_is_flat_ground(tiles: Folders, statistics: Statistics) -> None:
    loaded = load_tiles(tiles["val"], CPU, 100)
    constant = Validator(loaded, statistics, tasks=THREE).constant
    assert constant["edges_MAE"] == pytest.approx(np.nanmean(tile_truth(EDGES, loaded[0])), rel=1e-5)


def test_edges_stand_behind_the_tasks_of_the_original() -> None:
    method = MethodSpec.parse({"tasks": ["edges", "semantics", "height"], "model": "net"}, "methods.three")
    assert tuple(sorted(method.tasks, key=registry_order)) == THREE
    assert not leads("edges")
    assert task_entry("edges") is EDGES


@pytest.mark.parametrize(
    ("derivation", "words"),
    [(Derivation("m:f", 0.0), "reaches 0.0 m; expected a number of metres above 0"),
     (Derivation("absent_module:f", 1.0), "No module named 'absent_module'"),
     (Derivation("math:pi", 1.0), "found 'math:pi', which is 3.14"),
     (Derivation("torch:sum", 1.0), "'torch:sum', which returns .* expected the same shape and dtype")],
)  # fmt: skip
def test_a_derivation_that_cannot_be_used_is_refused(derivation: Derivation, words: str, tiles: Folders) -> None:
    with pytest.raises(ConfigError, match=words):
        tile_truth(replace(EDGES, derivation=derivation), load_tiles(tiles["val"], CPU, 100)[0])
