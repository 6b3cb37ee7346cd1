"""Difference between methods, with its standard errors over seeds and over test tiles by a crossed jackknife."""

from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite, nan, sqrt

import numpy as np

from mtlaerial.reporting.inference.intervals import CONFIDENCE, Array, half_width, p_value


@dataclass(frozen=True)
class Difference:
    """Difference of a method to a baseline, over seeds and tiles that both have; NaN where it cannot be estimated."""

    effect: float
    seed_error: float = nan
    """Standard error from the means of the seeds."""
    tile_error: float = nan
    """Standard error from the means of the tiles."""
    rest_error: float = nan
    """What neither explains, as a standard error of the mean over all cells of seed and tile."""
    seeds: int = 0
    tiles: int = 0
    """Number of tiles with truth for the score that has the fewest."""

    @property
    def tested(self) -> bool:
        """Whether there is an interval: at least two seeds and two tiles with truth."""
        return isfinite(self.seed_error) and isfinite(self.tile_error)

    @property
    def p(self) -> float:
        """Two-sided p-value of no difference."""
        if not self.tested:
            return nan
        return p_value(self.effect, self.seed_error, self.tile_error, self.seeds, self.tiles)

    def interval(self, confidence: float = CONFIDENCE) -> tuple[float, float]:
        """Return the ends of the confidence interval."""
        if not self.tested:
            return nan, nan
        half = half_width(self.seed_error, self.tile_error, self.seeds, self.tiles, confidence)
        return self.effect - half, self.effect + half


def scores_without_tiles(sums: Array, score: Callable[[Array], Array]) -> Array:
    """Return a score of each seed, pooled over all tiles, then over all but each one.

    Parameters
    ----------
    sums : array, shape (seeds, tiles, …)
    score : callable
        Maps sums of shape (…, …) to scores.

    Returns
    -------
    array, shape (1 + tiles, seeds)
    """
    return score(sums_without_tiles(sums))


def sums_without_tiles(sums: Array) -> Array:
    """Return sums over all tiles, then over all but each one, shape (1 + tiles, seeds, …)."""
    tiles = sums.shape[1]
    chosen = np.vstack([np.ones((1, tiles)), 1 - np.eye(tiles)])
    return np.tensordot(chosen, sums, axes=(1, 1))


def means_without_seeds(scores: Array) -> Array:
    """Return the means over all seeds, then over all but each one: from (…, seeds) to (…, 1 + seeds)."""
    seeds = scores.shape[-1]
    weights = np.vstack([np.ones((1, seeds)), 1 - np.eye(seeds)])
    with np.errstate(invalid="ignore"):  # one seed: none is left
        mean: Array = scores @ (weights / weights.sum(axis=1, keepdims=True)).T
    return mean


def tiles_with_truth(sums: Array) -> int:
    """Return the number of tiles with truth, from sums of shape (seeds, tiles, …), which are 0 without it."""
    return int(sums.reshape(*sums.shape[:2], -1).any(axis=(0, 2)).sum())


def difference(effects: Array, tiles: int) -> Difference:
    """Return a difference with its errors, from its values without single tiles and seeds.

    Parameters
    ----------
    effects : array, shape (1 + tiles, 1 + seeds)
        The difference over all tiles and seeds, and without each tile (rows) and each seed (columns).
    tiles : int
        Number of tiles with truth, which may be fewer: they alone give degrees of freedom. The others make the error
        of the tiles somewhat too large, by at most the root of tiles / (tiles - 1).

    Notes
    -----
    Pseudovalues of cells stand for the values that a mean would have, as in the analysis of multi-reader multi-case
    studies (Dorfman, Berbaum and Metz 1992, doi 10.1097/00004424-199209000-00015; Hillis 2014, doi 10.1002/sim.5926):
    seeds are the readers, tiles the cases. Of a plain mean they are its values.
    """
    effect, seeds = float(effects[0, 0]), effects.shape[1] - 1
    if min(seeds, tiles) < 2 or not np.isfinite(effects).all():
        return Difference(effect, seeds=seeds, tiles=tiles)
    seed_error, tile_error, rest_error = map(float, standard_errors(pseudovalues(effects)))
    return Difference(effect, seed_error, tile_error, rest_error, seeds, tiles)


def pseudovalues(effects: Array) -> Array:
    """Return the pseudovalue of each cell, shape (seeds, tiles), from effects of shape (1 + tiles, 1 + seeds)."""
    tiles, seeds = effects.shape[0] - 1, effects.shape[1] - 1
    whole, without_seed = effects[0, 0], effects[:1, 1:]
    without_tile, without_both = effects[1:, :1], effects[1:, 1:]
    cells: Array = (
        seeds * tiles * whole
        - (seeds - 1) * tiles * without_seed
        - seeds * (tiles - 1) * without_tile
        + (seeds - 1) * (tiles - 1) * without_both
    )
    return cells.T


def standard_errors(cells: Array) -> tuple[Array, Array, Array]:
    """Return standard errors of the mean over seeds and tiles.

    Parameters
    ----------
    cells : array, shape (…, seeds, tiles)

    Returns
    -------
    tuple of array, shape (…)
        From the means of the seeds, from those of the tiles, and from what neither explains: each is the root of a mean
        square of the analysis of variance, divided by the number of cells.
    """
    seeds, tiles = cells.shape[-2:]
    by_seed, by_tile = cells.mean(axis=-1), cells.mean(axis=-2)
    rest = cells - by_seed[..., :, None] - by_tile[..., None, :] + cells.mean(axis=(-2, -1))[..., None, None]
    mean_square = (rest**2).sum(axis=(-2, -1)) / ((seeds - 1) * (tiles - 1))
    errors = by_seed.std(axis=-1, ddof=1) / sqrt(seeds), by_tile.std(axis=-1, ddof=1) / sqrt(tiles)
    return *errors, np.sqrt(mean_square / (seeds * tiles))
