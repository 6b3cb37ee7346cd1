"""Conformal quantiles of scores in units, against the closed form and the published weights."""

import math

import numpy as np
import pytest

from mtlaerial.calibration.quantile import LEVELS, hierarchical_quantile, units_needed


def one_each(number: int) -> np.ndarray:
    """Return one score per unit."""
    return abs(np.random.default_rng(number).normal(size=number))


@pytest.mark.parametrize("number", [19, 20, 99, 100, 101, 250])
def test_one_score_per_unit_is_plain_split_conformal_prediction(number: int) -> None:
    scores = one_each(number)
    quantiles = hierarchical_quantile(scores, np.arange(number), np.ones(number), LEVELS)
    # Ranks in whole hundredths, since (n + 1) * 0.9 is rounded.
    ranks = [-(-(number + 1) * round(100 * level) // 100) for level in LEVELS]
    np.testing.assert_array_equal(quantiles, np.sort(scores)[np.array(ranks) - 1])


def test_rounding_of_high_levels_asks_for_no_further_unit() -> None:
    assert units_needed(0.99999) == 99_999  # 1 / (1 - 0.99999) is 100000.000001


@pytest.mark.parametrize(("level", "units"), [(0.5, 1), (0.8, 4), (0.9, 9), (0.95, 19), (0.99, 99)])
def test_a_level_is_finite_from_the_least_number_of_units(level: float, units: int) -> None:
    assert units_needed(level) == units
    for number, finite in ((units, True), (units - 1, False)):
        (quantile,) = hierarchical_quantile(one_each(number), np.arange(number), np.ones(number), [level])
        assert math.isfinite(quantile) is finite


def test_units_weigh_alike_whatever_their_number_of_scores() -> None:
    # A unit of 1000 large scores, and nine of one small score each: the large ones are a tenth of the ten units.
    scores = np.concatenate([np.full(1000, 5.0), np.ones(9)])
    units = np.concatenate([np.zeros(1000, int), np.arange(1, 10)])
    median, high = hierarchical_quantile(scores, units, np.ones(1009), [0.5, 0.9])
    assert (median, high) == (1.0, 5.0)


def test_a_mass_stands_for_as_many_scores() -> None:
    scores, units = np.array([1.0, 2.0, 3.0, 4.0, 9.0]), np.array([0, 0, 1, 1, 2])
    masses = np.array([3.0, 1.0, 1.0, 1.0, 2.0])
    levels = [0.1, 0.3, 0.5, 0.6]
    repeated = masses.astype(int)
    expected = hierarchical_quantile(scores.repeat(repeated), units.repeat(repeated), np.ones(8), levels)
    np.testing.assert_array_equal(hierarchical_quantile(scores, units, masses, levels), expected)
