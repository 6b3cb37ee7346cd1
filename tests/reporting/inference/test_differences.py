"""The crossed jackknife: of means it is the analysis of variance, and of ratios what other data of a kind show."""

import numpy as np
import pytest

from mtlaerial.reporting.inference.differences import (
    difference,
    means_without_seeds,
    pseudovalues,
    standard_errors,
    sums_without_tiles,
)


def effects_of_means(cells: np.ndarray) -> np.ndarray:
    """Return the mean over cells of shape (seeds, tiles), and without each tile and each seed."""
    return means_without_seeds(sums_without_tiles(cells) / counts(cells))


def counts(cells: np.ndarray) -> np.ndarray:
    return sums_without_tiles(np.ones_like(cells))


def test_pseudovalues_of_a_mean_are_its_values() -> None:
    cells = np.random.default_rng(0).normal(size=(3, 4))
    np.testing.assert_allclose(pseudovalues(effects_of_means(cells)), cells)


def test_errors_by_hand() -> None:
    """Two seeds and three tiles: means of seeds 3 and 5, of tiles 2, 4 and 6, nothing besides."""
    cells = np.array([[1.0, 3.0, 5.0], [3.0, 5.0, 7.0]])
    of_seeds, of_tiles, rest = standard_errors(cells)
    assert of_seeds == pytest.approx(np.sqrt(2) / np.sqrt(2))
    assert of_tiles == pytest.approx(2 / np.sqrt(3))
    assert rest == pytest.approx(0)
    lone = standard_errors(np.array([[1.0, -1.0], [-1.0, 1.0]]))
    assert lone == pytest.approx((0, 0, np.sqrt(4 / 4)))


def test_difference_has_the_errors_of_its_cells() -> None:
    cells = np.random.default_rng(1).normal(size=(5, 7))
    entry = difference(effects_of_means(cells), tiles=7)
    assert entry.effect == pytest.approx(cells.mean())
    assert (entry.seed_error, entry.tile_error, entry.rest_error) == pytest.approx(standard_errors(cells))
    low, high = entry.interval()
    assert (low + high) / 2 == pytest.approx(entry.effect)


def test_tiles_without_truth_tell_nothing() -> None:
    """Sums of a ratio: five empty tiles beside three others make no narrower interval, and not a much wider one."""
    random = np.random.default_rng(2)
    sums = np.stack([random.normal(3, 1, (4, 3)), np.full((4, 3), 2.0)], axis=-1)
    padded = np.concatenate([sums, np.zeros((4, 5, 2))], axis=1)
    few, many = (
        difference(means_without_seeds(np.divide(*np.moveaxis(sums_without_tiles(each), -1, 0))), tiles=3)
        for each in (sums, padded)
    )
    assert (many.effect, many.seed_error) == pytest.approx((few.effect, few.seed_error))
    assert few.tile_error < many.tile_error < np.sqrt(3 / 2) * few.tile_error * 1.1


def test_errors_of_a_ratio_are_those_of_repetitions() -> None:
    """Tiles of sizes from 1 to 9 weigh as their sizes do; the deviation of 4,000 repetitions says how much."""
    random, repetitions, seeds, tiles = np.random.default_rng(3), 4000, 4, 12
    sizes = random.uniform(1, 9, (repetitions, 1, tiles))
    shares = 0.6 + random.normal(0, 0.03, (repetitions, seeds, 1)) + random.normal(0, 0.05, (repetitions, 1, tiles))
    hits = (shares * sizes).sum(axis=-1).mean(axis=-1)
    deviation = (hits / sizes.sum(axis=(-2, -1))).std()
    squares = []
    for share, size in zip(shares[:300], sizes[:300], strict=True):
        sums = np.stack([share * size, np.broadcast_to(size, share.shape)], axis=-1)
        values = np.divide(*np.moveaxis(sums_without_tiles(sums), -1, 0))
        entry = difference(means_without_seeds(values), tiles)
        squares.append(entry.seed_error**2 + entry.tile_error**2)
    assert np.sqrt(np.mean(squares)) == pytest.approx(deviation, rel=0.1)


@pytest.mark.parametrize(("seeds", "tiles"), [(1, 4), (4, 1)])
def test_one_seed_or_one_tile_has_an_effect_and_no_interval(seeds: int, tiles: int) -> None:
    cells = np.arange(4.0).reshape(seeds, tiles)
    with np.errstate(invalid="ignore"):
        entry = difference(effects_of_means(cells), tiles)
    assert entry.effect == 1.5
    assert not entry.tested
    assert np.isnan([*entry.interval(), entry.p]).all()
