"""Power of a design: the smallest effect has its verdict in four of five repetitions, value by value."""

import numpy as np
import pytest

from mtlaerial.config.comparison import NoiseSpec
from mtlaerial.reporting.inference.differences import Difference, standard_errors
from mtlaerial.reporting.inference.intervals import half_width
from mtlaerial.reporting.inference.power import (
    Design,
    detectable_effect,
    enough_seeds,
    equivalence_margin,
    noise_of,
)
from mtlaerial.reporting.inference.verdicts import confidence_of_each, verdict_of

NOISE = NoiseSpec(seeds=0.02, tiles=0.03, rest=0.04)


def cells(seeds: int, tiles: int, repetitions: int, generator: int = 0) -> np.ndarray:
    """Draw differences of methods that are alike, shape (repetitions, seeds, tiles)."""
    random = np.random.default_rng(generator)
    of_seeds = random.normal(0, NOISE.seeds, (repetitions, seeds, 1))
    of_tiles = random.normal(0, NOISE.tiles, (repetitions, 1, tiles))
    return of_seeds + of_tiles + random.normal(0, NOISE.rest, (repetitions, seeds, tiles))


@pytest.mark.parametrize("design", [Design(3, 5, 17), Design(8, 20, 4), Design(2, 2, 1)])
def test_detectable_effect_and_margin_get_their_verdicts_in_four_of_five_repetitions(design: Design) -> None:
    repetitions = 4000
    values = cells(design.seeds, design.tiles, repetitions)
    of_seeds, of_tiles, _ = standard_errors(values)
    confidence = confidence_of_each(design.comparisons)
    halves = half_width(of_seeds, of_tiles, design.seeds, design.tiles, confidence)
    means = values.mean(axis=(1, 2))
    told = (means + detectable_effect(design, NOISE) > halves).mean()
    alike = (np.abs(means) + halves < equivalence_margin(design, NOISE)).mean()
    assert (told, alike) == pytest.approx((0.8, 0.8), abs=0.025)


def test_fewer_seeds_tiles_and_more_methods_tell_less() -> None:
    effects = [detectable_effect(Design(*numbers), NOISE) for numbers in [(8, 20, 1), (8, 20, 4), (8, 5, 4), (3, 5, 4)]]
    assert effects == sorted(effects)
    assert detectable_effect(Design(1, 20), NOISE) == equivalence_margin(Design(8, 1), NOISE) == np.inf


def test_enough_seeds_are_the_fewest_that_tell_an_effect() -> None:
    design = Design(2, 20, 4)
    seeds = enough_seeds(design, NOISE, 0.05)
    assert seeds is not None
    assert detectable_effect(Design(seeds, 20, 4), NOISE) <= 0.05 < detectable_effect(Design(seeds - 1, 20, 4), NOISE)
    assert enough_seeds(Design(2, 3, 4), NOISE, 0.01) is None  # no seed helps against tiles that differ


def test_noise_of_finished_runs_is_that_they_were_drawn_with() -> None:
    values = cells(8, 12, 2000, generator=1)
    errors = zip(*standard_errors(values), strict=True)
    differences = [Difference(0.0, *map(float, each), seeds=8, tiles=12) for each in errors]
    noise = noise_of([*differences, Difference(0.1)])
    assert noise is not None
    assert (noise.seeds, noise.tiles, noise.rest) == pytest.approx((0.02, 0.03, 0.04), rel=0.03)
    assert noise_of([Difference(0.1)]) is None


def test_verdicts_follow_from_the_interval_alone() -> None:
    assert verdict_of(0.001, 0.3, 0.02) == "better"
    assert verdict_of(-0.3, -0.001, 0.02) == "worse"
    assert verdict_of(-0.019, 0.019, 0.02) == "equivalent"
    assert verdict_of(-0.021, 0.019, 0.02) == verdict_of(-0.019, 0.021, 0.02) == verdict_of(0.0, 0.1, 0.02)
    assert verdict_of(0.0, 0.1, 0.02) == "inconclusive"
