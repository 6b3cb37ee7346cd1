"""Confidence of the difference between two methods: a crossed bootstrap over seeds and test tiles."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, nan, sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit  # Student's distribution; all of scipy.stats takes a second to import

from mtlaerial.scoring.gain import relative_gain

DRAWS = 4000
CONFIDENCE = 0.95
_CHUNK = 500
"""Draws evaluated at once, which bounds the memory."""
_SEED = 0
"""Seed of the draws; it is fixed, so that the same scores give the same numbers."""

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Summed:
    """Sums of a score over seeds and tiles, and the score as a function of sums over tiles."""

    sums: Array
    """Shape (seeds, tiles, …)."""
    score: Callable[[Array], Array]
    """Maps sums of shape (…, …) to scores; NaN without any truth."""


Sums = Mapping[str, Summed]
"""By score."""


@dataclass(frozen=True)
class Difference:
    """Difference of a method to a baseline; NaN when it cannot be estimated."""

    effect: float
    """The mean gain over the scores, or the difference of one; positive is better."""
    low: float = nan
    high: float = nan
    """Ends of the confidence interval."""
    p: float = nan
    """Two-sided p-value of the hypothesis of no difference."""


def difference(method: Sums, baseline: Sums, draws: int = DRAWS) -> Difference:
    """Return the mean relative gain of a method over a baseline, with its confidence interval.

    Parameters
    ----------
    method, baseline : Sums
        Sums of the same scores, seeds and tiles. Draws are paired: each takes the same seeds and tiles of both.
    draws : int
        Number of draws. Each takes as many seeds and as many tiles as there are, with replacement. Draws without any
        truth for a score are left out.

    Returns
    -------
    Difference
        Interval and p only with at least two seeds and two tiles.

    Notes
    -----
    Seeds and tiles are resampled independently of each other (the pigeonhole bootstrap: Owen 2007, Annals of Applied
    Statistics 1). Percentiles of few units are too narrow (Hesterberg 2015, doi 10.1080/00031305.2015.1089789): with
    five seeds that differ by chance only, they miss the truth three times as often as they should. The draws'
    deviations from the effect are therefore widened by the number of seeds or of tiles, whichever is smaller; see
    :func:`widening`. That is not enough far in the tails, which Holm's adjustment needs: p is at least that of a t-test
    with the draws' standard error.
    """
    seeds, tiles = next(iter(method.values())).sums.shape[:2]
    effect = float(_mean_gain(method, baseline, np.ones((1, seeds)), np.ones((1, tiles)))[0])
    units = min(counts(method))
    if units < 2 or not isfinite(effect):
        return Difference(effect)
    parts = [_mean_gain(method, baseline, *times) for times in resamples(seeds, tiles, draws)]
    return judged(effect, np.concatenate(parts), units)


def judged(effect: float, effects: Array, units: int) -> Difference:
    """Return the confidence interval and p of an effect.

    Parameters
    ----------
    effect : float
    effects : array
        The effect in each draw; draws without any are left out.
    units : int
        Number of seeds or of tiles, whichever is smaller; at least 2.
    """
    effects = effects[np.isfinite(effects)]
    widened = effect + widening(units) * (effects - effect)
    tail = 50 * (1 - CONFIDENCE)  # in percent, on each side
    low, high = np.percentile(widened, (tail, 100 - tail)).tolist()
    return Difference(effect, low, high, max(p_value(widened), student_p(effect, float(effects.std()), units)))


def counts(sums: Sums) -> tuple[int, int]:
    """Return the number of seeds, and the number of tiles with truth for the score that has the fewest."""
    seeds = len(next(iter(sums.values())).sums)
    return seeds, min(tiles_with_truth(entry.sums) for entry in sums.values())


def tiles_with_truth(sums: Array) -> int:
    """Return the number of tiles with truth, from sums of shape (seeds, tiles, …), which are 0 without it."""
    return int(sums.reshape(*sums.shape[:2], -1).any(axis=(0, 2)).sum())


def pooled(entry: Summed, seeds: Array, tiles: Array) -> Array:
    """Return a score, pooled over tiles and averaged over seeds, for each draw.

    Parameters
    ----------
    entry : Summed
    seeds : array, shape (draws, seeds)
        Multiplicity of each seed in each draw.
    tiles : array, shape (draws, tiles)
        Multiplicity of each tile.

    Returns
    -------
    array, shape (draws,)
        NaN for a draw without any truth.
    """
    return averaged(entry.score(np.tensordot(tiles, entry.sums, axes=(1, 1))), seeds)


def averaged(scores: Array, seeds: Array) -> Array:
    """Return the mean over seeds of scores of shape (draws, seeds), by the multiplicity of each seed in each draw."""
    mean: Array = (scores * seeds).sum(axis=1) / seeds.sum(axis=1)
    return mean


def widening(units: int) -> float:
    """Return the factor on the deviations of draws of n >= 2 units that makes their percentiles an interval.

    It corrects the draws' variance, which is too small by (n - 1) / n, and for the uncertainty of that variance it has
    the ratio of Student's quantile to the normal one.
    """
    upper = (1 + CONFIDENCE) / 2
    return float(stdtrit(units - 1, upper)) / NormalDist().inv_cdf(upper) * sqrt(units / (units - 1))


def p_value(effects: Array) -> float:
    """Return the two-sided p-value of no difference, from draws of the effect."""
    # One more in both counts: p is never 0, since finitely many draws cannot show that.
    sides = [(1 + int(side.sum())) / (1 + effects.size) for side in (effects <= 0, effects >= 0)]
    return min(1.0, 2 * min(sides))


def student_p(effect: float, deviation: float, units: int) -> float:
    """Return the two-sided p-value of a t-test, from the deviation of draws of n >= 2 units; 0 without deviation."""
    error = deviation * sqrt(units / (units - 1))
    return 2 * float(stdtr(units - 1, -abs(effect) / error)) if error else 0.0


def holm(values: Sequence[float]) -> list[float]:
    """Return p-values adjusted for their number (Holm 1979, Scandinavian Journal of Statistics 6); NaN stays NaN."""
    tested = sorted((value, index) for index, value in enumerate(values) if isfinite(value))
    adjusted, highest = [nan] * len(values), 0.0
    for rank, (value, index) in enumerate(tested):
        # Step down: adjusted values never decrease with p.
        highest = max(highest, min(1.0, (len(tested) - rank) * value))
        adjusted[index] = highest
    return adjusted


def _mean_gain(method: Sums, baseline: Sums, seeds: Array, tiles: Array) -> Array:
    """Return the mean relative gain of each draw."""
    with np.errstate(divide="ignore", invalid="ignore"):  # a baseline of 0 gives no finite gain, and is left out
        gains = [
            relative_gain(score, pooled(entry, seeds, tiles), pooled(baseline[score], seeds, tiles))
            for score, entry in method.items()
        ]
    mean: Array = np.mean(gains, axis=0)
    return mean


def resamples(seeds: int, tiles: int, draws: int) -> Iterator[tuple[Array, Array]]:
    """Yield the multiplicities of seeds and of tiles, shapes (draws, seeds) and (draws, tiles), for chunks of draws."""
    generator = np.random.default_rng(_SEED)
    for first in range(0, draws, _CHUNK):
        size = min(_CHUNK, draws - first)
        # Seeds before tiles: another order would give other numbers.
        seed_times = generator.multinomial(seeds, np.full(seeds, 1 / seeds), size)
        tile_times = generator.multinomial(tiles, np.full(tiles, 1 / tiles), size)
        yield seed_times.astype(np.float64), tile_times.astype(np.float64)
