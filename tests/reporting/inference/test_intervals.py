"""Intervals over crossed seeds and tiles: by hand, and how often they miss."""

import math

import numpy as np
import pytest

from mtlaerial.reporting.inference.intervals import half_width, p_value


def test_half_width_by_hand() -> None:
    """Quantiles of Student's distribution from a table: 2.776 with 4 degrees of freedom, 2.262 with 9."""
    assert half_width(0.03, 0.0, 5, 10, 0.95) == pytest.approx(0.03 * 2.7764, rel=1e-4)
    assert half_width(0.0, 0.02, 5, 10, 0.95) == pytest.approx(0.02 * 2.2622, rel=1e-4)
    assert half_width(0.03, 0.02, 5, 10, 0.95) == pytest.approx(math.hypot(0.03 * 2.7764, 0.02 * 2.2622), rel=1e-4)


def test_p_without_variance_between_tiles_is_that_of_students_test() -> None:
    """Of the differences 1, 2, 3, 4, 5 of five seeds: t = 3 / (sqrt(2.5) / sqrt(5)) = 4.2426, p = 0.01324."""
    error = math.sqrt(2.5 / 5)
    assert p_value(3.0, error, 0.0, 5, 8) == pytest.approx(0.013236, rel=1e-4)
    assert p_value(-3.0, error, 0.0, 5, 8) == p_value(3.0, error, 0.0, 5, 8)
    assert p_value(3.0, 0.0, error, 8, 5) == pytest.approx(0.013236, rel=1e-4)


def test_p_is_the_level_at_which_the_interval_ends_at_no_effect() -> None:
    for confidence in (0.5, 0.95, 0.999):
        effect = half_width(0.02, 0.03, 4, 7, confidence)
        assert p_value(effect, 0.02, 0.03, 4, 7) == pytest.approx(1 - confidence, rel=1e-6)
    assert p_value(0.0, 0.02, 0.03, 4, 7) == 1
    assert p_value(0.1, 0.0, 0.0, 4, 7) < 1e-12


@pytest.mark.parametrize(("seeds", "tiles"), [(2, 2), (3, 20), (20, 3), (8, 5)])
@pytest.mark.parametrize("confidence", [0.95, 1 - 0.05 / 17])
def test_interval_misses_at_most_as_often_as_it_says(seeds: int, tiles: int, confidence: float) -> None:
    """Whatever the deviations are; where only one matters it is as narrow as it can be."""
    random, draws = np.random.default_rng(0), 40_000
    for of_seeds, of_tiles, rest in [(1, 0, 0), (0, 1, 0), (1, 1, 1), (1, 0.3, 0.5), (0.3, 1, 0.5), (0, 0, 1)]:
        mean_squares = [
            (rest**2 + units_across * deviation**2) * random.chisquare(units - 1, draws) / (units - 1)
            for units, units_across, deviation in ((seeds, tiles, of_seeds), (tiles, seeds, of_tiles))
        ]
        deviation = math.sqrt(of_seeds**2 / seeds + of_tiles**2 / tiles + rest**2 / (seeds * tiles))
        seed_error, tile_error = (np.sqrt(square / (seeds * tiles)) for square in mean_squares)
        means = random.normal(0, deviation, draws)
        missed = (np.abs(means) > half_width(seed_error, tile_error, seeds, tiles, confidence)).mean()
        expected = 1 - confidence
        spread = 3.5 * math.sqrt(expected * confidence / draws)
        assert missed <= expected + spread
        if (of_seeds > 0) + (of_tiles > 0) + (rest > 0) == 1 and not rest:
            assert missed >= expected - spread
