"""Power of a comparison: minimal detectable effect and smallest margin of equivalence of a design, by simulation."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf, sqrt

import numpy as np

from mtlaerial.config.comparison import NoiseSpec
from mtlaerial.reporting.inference.differences import Difference
from mtlaerial.reporting.inference.intervals import Array, half_width
from mtlaerial.reporting.inference.verdicts import confidence_of_each

POWER = 0.8
"""Chance of the verdict for an effect of the minimal detectable size."""
DRAWS = 20_000
_SEED = 0
"""Seed of the draws; it is fixed, so that the same design gives the same numbers."""
MOST_SEEDS = 64
"""Most seeds that a search for enough of them tries."""


@dataclass(frozen=True)
class Design:
    """A comparison of some methods with one baseline: all with the same seeds and test tiles."""

    seeds: int
    tiles: int
    comparisons: int = 1
    """Number of methods that are compared with the baseline."""

    @property
    def testable(self) -> bool:
        """Whether there are intervals at all."""
        return min(self.seeds, self.tiles) > 1


def detectable_effect(design: Design, noise: NoiseSpec) -> float:
    """Return the minimal detectable effect: called better, or worse, with a power of 80 %.

    Parameters
    ----------
    design : Design
    noise : NoiseSpec
        Deviations of the difference between two methods.

    Returns
    -------
    float
        As a fraction of the baseline's score; infinite with one seed or one tile.

    Examples
    --------
    >>> few, many = (detectable_effect(Design(n, 20, 4), NoiseSpec()) for n in (3, 8))
    >>> many < 0.04 < few
    True
    """
    if not design.testable:
        return inf
    means, halves = _draw(design, noise)
    return float(np.quantile(halves - means, POWER))


def equivalence_margin(design: Design, noise: NoiseSpec) -> float:
    """Return the smallest margin within which methods are called equivalent with a power of 80 %.

    Methods without any difference, that is; infinite with one seed or one tile.
    """
    if not design.testable:
        return inf
    means, halves = _draw(design, noise)
    return float(np.quantile(np.abs(means) + halves, POWER))


def enough_seeds(design: Design, noise: NoiseSpec, effect: float) -> int | None:
    """Return the smallest number of seeds, from the design's own, that detects an effect; None if 64 do not."""
    low, high = design.seeds, MOST_SEEDS
    if detectable_effect(replace(design, seeds=high), noise) > effect:
        return None
    while low < high:  # more seeds never detect less
        middle = (low + high) // 2
        detected = detectable_effect(replace(design, seeds=middle), noise) <= effect
        low, high = (low, middle) if detected else (middle + 1, high)
    return high


def noise_of(differences: Sequence[Difference]) -> NoiseSpec | None:
    """Return the deviations that differences of finished runs show: the root of their mean variance components.

    Parameters
    ----------
    differences : sequence of Difference
        Those without an interval are left out.

    Returns
    -------
    NoiseSpec or None
        None without any interval. A component below 0, as chance gives it, is 0.

    Notes
    -----
    Components by the method of moments: a mean square of seeds is expected to be rest + tiles * seed, in variances.
    """
    tested = [each for each in differences if each.tested]
    if not tested:
        return None
    rest = np.mean([each.seeds * each.tiles * each.rest_error**2 for each in tested])
    of_seeds = np.mean([each.seeds * (each.seed_error**2 - each.rest_error**2) for each in tested])
    of_tiles = np.mean([each.tiles * (each.tile_error**2 - each.rest_error**2) for each in tested])
    seeds, tiles, of_rest = (sqrt(max(float(variance), 0.0)) for variance in (of_seeds, of_tiles, rest))
    return NoiseSpec(seeds=seeds, tiles=tiles, rest=of_rest)


def _draw(design: Design, noise: NoiseSpec) -> tuple[Array, Array]:
    """Return estimated effects of methods without any difference, and the half-widths of their intervals.

    Of normal deviations the mean squares are independent of each other and of the mean, and distributed as chi-squares,
    so that no values of single tiles need to be drawn.
    """
    generator = np.random.default_rng(_SEED)
    seeds, tiles = design.seeds, design.tiles
    cells = seeds * tiles
    variance = noise.seeds**2 / seeds + noise.tiles**2 / tiles + noise.rest**2 / cells
    means = generator.standard_normal(DRAWS) * sqrt(variance)
    of_seeds = (noise.rest**2 + tiles * noise.seeds**2) * generator.chisquare(seeds - 1, DRAWS) / (seeds - 1)
    of_tiles = (noise.rest**2 + seeds * noise.tiles**2) * generator.chisquare(tiles - 1, DRAWS) / (tiles - 1)
    errors = np.sqrt(of_seeds / cells), np.sqrt(of_tiles / cells)
    return means, half_width(*errors, seeds, tiles, confidence_of_each(design.comparisons))
