"""Class-balanced sampling: uniform over classes, then uniform over the cells of the class."""

import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch

from mtlaerial.config import IGNORED, Augmentation
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.errors import ConfigError
from mtlaerial.sampling import PatchSampler, build_sampler
from mtlaerial.sampling import class_balance as balance
from mtlaerial.sampling.class_balance import BalancedCorners
from mtlaerial.tiles.measure import summarise
from mtlaerial.tiles.tile import ON_GRID, AxisMap, Tile
from mtlaerial.training.train import train
from support import tiny

PATCH = 32


def tile_of(labels: np.ndarray, pixels_per_cell: int = 1, axis: AxisMap | None = None) -> Tile:
    image = torch.zeros(labels.shape[0] * pixels_per_cell, labels.shape[1] * pixels_per_cell, 1, dtype=torch.uint8)
    axis = axis or (1 / pixels_per_cell, 1 / pixels_per_cell, 0.0, 0.0)
    cells = torch.from_numpy(labels)[..., None]
    return Tile("tile", image, torch.full((1, 1, 1), math.nan), cells, ON_GRID, axis, {})


def corners_of(labels: list[np.ndarray], **options: int) -> BalancedCorners:
    return BalancedCorners([tile_of(array, **options) for array in labels], PATCH, labels)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def two_tiles() -> list[np.ndarray]:
    """Two tiles: class 0 nearly everywhere, 2 in a block of the second, 5 in three cells; 1, 3 and 4 nowhere."""
    first, second = np.zeros((90, 70), np.uint8), np.zeros((64, 128), np.uint8)
    first[3, 4] = first[80, 60] = second[63, 127] = 5
    second[20:30, 40:80] = 2
    first[40:50] = IGNORED
    return [first, second]


def test_each_class_that_occurs_is_chosen_as_often(
    two_tiles: list[np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    corners = corners_of(two_tiles)
    assert corners.classes == [0, 2, 5]
    chosen: list[int] = []
    cell = corners._cell

    def watched(index: int, fraction: float) -> tuple[int, int, int]:
        chosen.append(index)
        return cell(index, fraction)

    monkeypatch.setattr(corners, "_cell", watched)
    corners.draw(6000, generator())
    shares = {index: number / 6000 for index, number in Counter(chosen).items()}
    assert shares == {index: pytest.approx(1 / 3, abs=0.03) for index in (0, 2, 5)}


def test_each_cell_of_a_class_is_chosen_once(two_tiles: list[np.ndarray], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(balance, "_BLOCK", 7)
    corners = corners_of(two_tiles)
    for index in corners.classes:
        cells = [
            (tile, *cell) for tile, labels in enumerate(two_tiles) for cell in np.argwhere(labels == index).tolist()
        ]
        number = len(cells)
        assert [corners._cell(index, (i + 0.5) / number) for i in range(number)] == cells


@pytest.mark.parametrize("pixels_per_cell", [1, 4])
def test_the_cell_lies_in_the_middle_half_of_its_patch(pixels_per_cell: int) -> None:
    labels = np.full((200, 160), IGNORED, np.uint8)
    labels[90, 70] = 3
    corners = corners_of([labels], pixels_per_cell=pixels_per_cell)
    tiles, positions = corners.draw(500, generator())
    assert set(tiles) == {0}
    assert torch.equal(positions, positions.round())
    centre = (torch.tensor([70, 90]) + 0.5) * pixels_per_cell - positions
    reach = PATCH / 4 + pixels_per_cell / 2 + 1
    assert (centre - PATCH / 2).abs().max() <= reach
    assert (centre - PATCH / 2).abs().max() > PATCH / 5  # and not always in the very middle
    sampler = PatchSampler(corners.tiles, PATCH, Augmentation(), corners)
    assert bool((sampler.draw(30, generator()).labels == 3).flatten(1).any(dim=1).all())


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (1, 2, 0)])
def test_area_is_that_of_the_drawn_classes_whichever_tile_has_them(order: tuple[int, ...]) -> None:
    """Three tiles of 200 pixels squared: cells of 4 pixels, no labels, and cells of 1 pixel."""
    coarse, lacking, fine = (np.full((side, side), IGNORED, np.uint8) for side in (100, 1, 200))
    coarse[:10, :15] = fine[:3, :7] = 1
    fine[5] = 2
    cells = [(coarse, 2), (lacking, 200), (fine, 1)]
    tiles = [tile_of(*cells[index]) for index in order]
    corners = BalancedCorners(tiles, PATCH, [cells[index][0] for index in order], untrained=[2])
    assert corners.area == pytest.approx(4 * 150 + 21)


def test_patches_stay_on_their_tile_or_hold_all_of_it() -> None:
    large, small = np.zeros((80, 90), np.uint8), np.full((20, 90), 1, np.uint8)
    tiles, positions = corners_of([large, small]).draw(2000, generator())
    on_large = positions[torch.tensor(tiles) == 0]
    assert on_large.min(dim=0).values.tolist() == [0, 0]
    assert on_large.max(dim=0).values.tolist() == [90 - PATCH, 80 - PATCH]
    assert set(positions[torch.tensor(tiles) == 1][:, 1].tolist()) == {-6.0}


def test_memory_follows_rows_and_classes_and_the_generator_decides(two_tiles: list[np.ndarray]) -> None:
    corners = corners_of(two_tiles)
    assert [sums.shape for sums in corners._up_to_row] == [(6, 90), (6, 64)]
    first, same, reseeded = (corners.draw(20, generator(seed)) for seed in (1, 1, 2))
    assert first[0] == same[0]
    assert torch.equal(first[1], same[1])
    assert not torch.equal(first[1], reseeded[1])


def test_a_rare_class_is_met_more_often_than_by_chance(city: Dataset, tiles: dict[str, list[Path]]) -> None:
    shares = {}
    for sampling in ("uniform", "class_balanced"):
        sampler = build_sampler(tiles["train"], tiny.training_spec(sampling=sampling), torch.device("cpu"))
        labels = sampler.draw(300, generator()).labels
        counts = torch.bincount(labels[labels != IGNORED], minlength=6).double()
        shares[sampling] = counts / counts.sum()
    present = shares["uniform"] > 0
    rarest = int(torch.where(present, shares["uniform"], torch.inf).argmin())
    assert shares["class_balanced"][rarest] > 1.3 * shares["uniform"][rarest]


def test_without_labels_classes_cannot_be_balanced(city: Dataset, tiles: dict[str, list[Path]], tmp_path: Path) -> None:
    statistics = summarise(city, tiles["train"])
    for entry in statistics.classes:
        object.__setattr__(entry, "pixels", 0)
    plan = tiny.run_plan(tasks=("height",), sampling="class_balanced")
    with pytest.raises(
        ConfigError, match=r"training.sampling: found class_balanced for city.*no valid labels.*uniform"
    ):
        train(tiny.job(plan, statistics, tiles["train"], [], tmp_path))
    assert not list(tmp_path.iterdir())


def test_the_cells_of_a_class_count_by_area() -> None:
    """Two tiles of equal area and one class; the first has four times the cells."""
    fine, coarse = np.zeros((64, 64), np.uint8), np.zeros((32, 32), np.uint8)
    corners = BalancedCorners([tile_of(fine), tile_of(coarse, pixels_per_cell=2)], PATCH, [fine, coarse])
    chosen, _ = corners.draw(2000, generator())
    assert np.mean(chosen) == pytest.approx(0.5, abs=0.04)
    assert corners._cell(0, np.nextafter(1.0, 0.0)) == (1, 31, 31)
