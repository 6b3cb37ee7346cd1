"""How sure the difference between two methods is: a bootstrap over seeds and test tiles, crossed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, nan, sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit  # Student's distribution; all of scipy.stats takes a second to import

from mtlaerial.scoring.metrics import relative_gain

DRAWS = 4000
CONFIDENCE = 0.95
_CHUNK = 500
"""Draws worked on at once: what keeps memory small."""
_GENERATOR = 0
"""The same scores give the same numbers."""

Array = NDArray[np.float64]
Sums = Mapping[str, Array]
"""By score, shape (seeds, tiles, 2, groups): a part and its whole, such as hits and union of a class, or the sum of
errors and the number of cells. Each is summed over tiles; the score is the mean over groups of their ratios."""


@dataclass(frozen=True)
class Difference:
    """Of a method to a baseline, as fractions; NaN for what cannot be said."""

    effect: float
    """The mean relative gain over the scores; positive is better."""
    low: float = nan
    high: float = nan
    """Ends of the interval."""
    p: float = nan
    """Two-sided, of no difference."""


def difference(method: Sums, baseline: Sums, draws: int = DRAWS) -> Difference:
    """Return the gain of a method over a baseline, with its interval.

    Parameters
    ----------
    method, baseline : Sums
        Of the same scores, seeds and tiles: what has the same index is drawn together.
    draws : int
        Each takes as many seeds and as many tiles as there are, with replacement. Draws without any truth for a score
        are left out.

    Returns
    -------
    Difference
        Interval and p only with at least two seeds and two tiles.

    Notes
    -----
    Seeds and tiles are resampled independently of each other (the pigeonhole bootstrap: Owen 2007, Annals of Applied
    Statistics 1). Percentiles of few units are too narrow (Hesterberg 2015, doi 10.1080/00031305.2015.1089789): with
    five seeds whose luck is all that differs, they miss the truth three times as often as they should. The draws'
    deviations from the effect are therefore widened, by the number of seeds or of tiles, whichever is fewer; see
    :func:`widening`. Far in the tails, where Holm's adjustment looks, that is not enough: p is at least that of a
    t-test with the draws' standard error.
    """
    seeds, tiles = next(iter(method.values())).shape[:2]
    effect = float(_gains(method, baseline, np.ones((1, seeds)), np.ones((1, tiles)))[0])
    units = min(counts(method))
    if units < 2 or not isfinite(effect):
        return Difference(effect)
    drawn = np.concatenate([_gains(method, baseline, *taken) for taken in _resamples(seeds, tiles, draws)])
    drawn = drawn[np.isfinite(drawn)]
    widened = effect + widening(units) * (drawn - effect)
    tail = 50 * (1 - CONFIDENCE)
    low, high = np.percentile(widened, (tail, 100 - tail)).tolist()
    return Difference(effect, low, high, max(p_value(widened), student_p(effect, float(drawn.std()), units)))


def counts(sums: Sums) -> tuple[int, int]:
    """Return the number of seeds, and of tiles with truth: of the score that has it in the fewest."""
    known = [(part[:, :, 1].sum(axis=(0, 2)) > 0).sum() for part in sums.values()]
    return next(iter(sums.values())).shape[0], int(min(known))


def pooled(sums: Array, seeds: Array, tiles: Array) -> Array:
    """Return a score, pooled over tiles and averaged over seeds, for each draw.

    Parameters
    ----------
    sums : array, shape (seeds, tiles, 2, groups)
    seeds : array, shape (draws, seeds)
        How often each is taken.
    tiles : array, shape (draws, tiles)

    Returns
    -------
    array, shape (draws,)
        NaN for a draw without any truth.
    """
    total = np.tensordot(tiles, sums, axes=(1, 1))  # draws, seeds, 2, groups
    part, whole = total[:, :, 0], total[:, :, 1]
    known = whole > 0
    ratios = np.divide(part, whole, out=np.zeros_like(part), where=known)
    number = known.sum(axis=2)
    scores = np.divide(ratios.sum(axis=2), number, out=np.full(number.shape, np.nan), where=number > 0)
    averaged: Array = (scores * seeds).sum(axis=1) / seeds.sum(axis=1)
    return averaged


def widening(units: int) -> float:
    """Return the factor that turns percentiles of draws of n >= 2 units into an interval.

    The draws' variance is (n - 1) / n of what it should be, and it is itself uncertain: Student's quantile over the
    normal one.
    """
    upper = (1 + CONFIDENCE) / 2
    return float(stdtrit(units - 1, upper)) / NormalDist().inv_cdf(upper) * sqrt(units / (units - 1))


def p_value(drawn: Array) -> float:
    """Return the two-sided p of no difference from draws of it: never 0, since the draws are not all there could be."""
    sides = ((1 + int(side.sum())) / (1 + drawn.size) for side in (drawn <= 0, drawn >= 0))
    return min(1.0, 2 * min(sides))


def student_p(effect: float, deviation: float, units: int) -> float:
    """Return the two-sided p of a t-test, from the deviation of draws of n >= 2 units; 0 where they do not differ."""
    error = deviation * sqrt(units / (units - 1))
    return 2 * float(stdtr(units - 1, -abs(effect) / error)) if error else 0.0


def holm(values: Sequence[float]) -> list[float]:
    """Return p-values adjusted for their number (Holm 1979, Scandinavian Journal of Statistics 6); NaN stays NaN."""
    tested = sorted((value, index) for index, value in enumerate(values) if isfinite(value))
    adjusted, highest = [nan] * len(values), 0.0
    for rank, (value, index) in enumerate(tested):
        highest = max(highest, min(1.0, (len(tested) - rank) * value))
        adjusted[index] = highest
    return adjusted


def _gains(method: Sums, baseline: Sums, seeds: Array, tiles: Array) -> Array:
    """Return delta-m of each draw."""
    with np.errstate(divide="ignore", invalid="ignore"):
        gains = [
            relative_gain(score, pooled(sums, seeds, tiles), pooled(baseline[score], seeds, tiles))
            for score, sums in method.items()
        ]
    averaged: Array = np.mean(gains, axis=0)
    return averaged


def _resamples(seeds: int, tiles: int, draws: int) -> Iterator[tuple[Array, Array]]:
    """Yield how often each seed and each tile is taken, for some draws at a time."""
    generator = np.random.default_rng(_GENERATOR)
    for first in range(0, draws, _CHUNK):
        taken = (generator.multinomial(n, np.full(n, 1 / n), min(_CHUNK, draws - first)) for n in (seeds, tiles))
        of_seeds, of_tiles = (part.astype(np.float64) for part in taken)
        yield of_seeds, of_tiles
