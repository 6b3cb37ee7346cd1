"""Calibration cells, and samples of their pixels."""

import numpy as np
import pytest

from mtlaerial.calibration.cells import calibration_cells
from mtlaerial.calibration.unit_sample import UnitSample


@pytest.mark.parametrize(
    ("height", "width", "pixel_size", "number"),
    [(200, 200, (0.3, 0.3), 1), (400, 250, (0.5, 0.5), 6), (399, 250, (0.3, 0.5), 2), (10, 10, (0.5, 0.5), 1)],
)
def test_cells_are_at_least_as_long_as_asked_for(
    height: int, width: int, pixel_size: tuple[float, float], number: int
) -> None:
    grid = calibration_cells(height, width, pixel_size)
    assert grid.number == number
    indices = grid.indices(0, height)
    assert indices.shape == (height, width)
    sizes = np.bincount(indices.ravel())
    assert len(sizes) == number
    assert sizes.min() >= 0.95 * sizes.max()
    np.testing.assert_array_equal(grid.indices(height // 2, 3), indices[height // 2 : height // 2 + 3])


def test_the_side_of_cells_is_the_shorter_one_of_the_ground() -> None:
    assert calibration_cells(400, 250, (0.5, 0.5)).side == pytest.approx(125 / 2)
    assert calibration_cells(40, 250, (0.5, 0.5)).side == pytest.approx(20.0)  # a tile of 20 m by 125 m


def test_a_sample_is_uniform_and_bounded_however_blocks_are_cut() -> None:
    sample = UnitSample(size=200)
    values = np.arange(40_000) % 1000
    for block in np.array_split(np.arange(40_000), 7):
        sample.add(block % 2, values[block].astype(float))
    assert np.bincount(sample.groups).tolist() == [200, 200]
    assert sample.counts.tolist() == [20_000, 20_000]
    np.testing.assert_array_equal(sample.masses, 100.0)
    # Standard error of the mean of 200 of 0 ... 999: 20.
    assert abs(sample.values[sample.groups == 0].mean() - 500) < 80
    assert len(np.unique(sample.values[sample.groups == 0])) > 150


def test_many_groups_hold_fewer_values_each() -> None:
    random = np.random.default_rng(0)
    sample, whole = UnitSample(size=64, largest=1000), UnitSample(size=64)
    for _ in range(20):
        groups, values = random.integers(0, 40, 500), random.normal(size=(500, 2))
        sample.add(groups, values)
        whole.add(groups, values)
        assert sum(len(keys) for keys, *_ in sample._waiting) <= 1000
    assert whole.values.size == 2 * 64 * 40
    assert np.bincount(sample.groups).tolist() == [8] * 40  # 8 x 40 x 2 numbers; with 16 there were 1280
    assert sample.counts.sum() == sample.masses.sum().round() == 10_000


def test_a_small_group_is_kept_whole() -> None:
    sample = UnitSample(size=4)
    sample.add(np.array([1, 1, 5]), np.array([3.0, 4.0, 5.0]))
    sample.add(np.array([], dtype=np.int64), np.array([]))
    sample.add(np.array([1]), np.array([6.0]))
    assert sorted(sample.values.tolist()) == [3.0, 4.0, 5.0, 6.0]
    assert sample.counts.tolist() == [0, 3, 0, 0, 0, 1]
