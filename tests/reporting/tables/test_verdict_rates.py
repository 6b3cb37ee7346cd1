"""Rates of verdicts over hundreds of tables, from scores of tiles to words: false ones, and those of an effect."""

import numpy as np
import pytest
from scipy.stats import binom

from mtlaerial.config.comparison import NoiseSpec
from mtlaerial.reporting.inference.power import Design, detectable_effect, noise_of
from mtlaerial.reporting.tables.comparison import Comparison, compare
from mtlaerial.scoring.scores import Scores
from mtlaerial.scoring.tile_scores import TileScores
from support.sample_scores import run

TABLES = 400
DESIGN = Design(seeds=4, tiles=5, comparisons=3)
MOST_FALSE = int(binom.ppf(0.975, TABLES, 0.05))
"""Most false verdicts in 95 % of repetitions, were each table's chance 5 %."""
FEWEST_TOLD = int(binom.ppf(0.025, TABLES, 0.8))
NOISES = [{"seeds": 0.03, "tiles": 0.002, "rest": 0.01}, {"seeds": 0.002, "tiles": 0.03, "rest": 0.01}]
REASON = "four hundred tables of eighty scored tiles"


def scored(quality: float) -> TileScores:
    """Make a tile whose share of right pixels of one class, and whose heights, are the better the higher it is."""
    hits = round(700_000 * (1 + quality))
    height = {"all": {"overall": (10_000.0, 0.0, 20_000.0 * (1 - quality), 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)}}
    return TileScores.model_construct(confusion=((hits, 1_000_000 - hits, 0), (200_000, 800_000, 0)), height=height)


def table(noise: dict[str, float], quality: dict[str, float], number: int) -> list[Scores]:
    """Make the runs of methods whose qualities have deviations of seeds, of tiles and besides, as the number draws."""
    random, shape = np.random.default_rng(number), (DESIGN.seeds, DESIGN.tiles)
    runs = []
    for method, mean in quality.items():
        of_seeds, of_tiles = random.normal(0, noise["seeds"], (shape[0], 1)), random.normal(0, noise["tiles"], shape[1])
        values = mean + of_seeds + of_tiles + random.normal(0, noise["rest"], shape)
        runs += [run(method, seed, list(map(scored, of_seed))) for seed, of_seed in enumerate(values)]
    return runs


def compared(noise: dict[str, float], number: int, first: float = 0.0) -> dict[str, Comparison]:
    """Compare three methods with equal, the first of another quality."""
    return compare(table(noise, {"equal": 0.0, "first": first, "second": 0.0, "third": 0.0}, number), "equal")


def quality_of(effect: float) -> float:
    """Return the quality that has an effect on tiles without noise."""
    qualities = np.linspace(0, 0.3, 31)
    still = dict.fromkeys(("seeds", "tiles", "rest"), 0.0)
    effects = [compared(still, 0, quality)["first"].difference.effect for quality in qualities]
    return float(np.interp(effect, effects, qualities))


def noise_of_tables(noise: dict[str, float]) -> NoiseSpec:
    """Return the deviations that a pilot of fifty tables shows, of other numbers than the tests'."""
    pilot = [entry.difference for number in range(50) for entry in compared(noise, 10_000 + number).values()]
    measured = noise_of(pilot)
    assert measured is not None
    return measured


@pytest.mark.full(REASON)
@pytest.mark.parametrize("noise", NOISES, ids=["seeds", "tiles"])
def test_false_verdicts_are_as_rare_as_stated(noise: dict[str, float]) -> None:
    """Methods that are alike get neither better nor worse in any row of a table."""
    false = sum(
        any(entry.verdict in ("better", "worse") for entry in compared(noise, number).values())
        for number in range(TABLES)
    )
    assert 0 < false <= MOST_FALSE


@pytest.mark.full(REASON)
@pytest.mark.parametrize("noise", NOISES, ids=["seeds", "tiles"])
def test_the_detectable_effect_that_a_pilot_states_is_detected_in_four_of_five_tables(noise: dict[str, float]) -> None:
    gain = quality_of(detectable_effect(DESIGN, noise_of_tables(noise)))
    told = sum(compared(noise, number, gain)["first"].verdict == "better" for number in range(TABLES))
    assert told >= FEWEST_TOLD
