"""Power and false verdicts of comparisons: the tables of docs/scores.md.

    python benchmarks/power.py [--pilot FOLDER ...]

Simulated, no training: 10 CPU seconds. Without a pilot, the deviations are those that ``run.comparison.noise`` assumes.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from arithmetic import table
from scipy.special import stdtrit
from scipy.stats import binom

from mtlaerial.config.comparison import ComparisonSpec, NoiseSpec
from mtlaerial.pipeline.pilot import pilot_noise
from mtlaerial.reporting.inference.differences import standard_errors
from mtlaerial.reporting.inference.intervals import Array, half_width
from mtlaerial.reporting.inference.power import Design, detectable_effect, equivalence_margin
from mtlaerial.reporting.inference.verdicts import confidence_of_each

TABLES = 4000
"""Simulated tables of each row."""
SEED = 1
DESIGNS = [
    Design(2, 2, 1), Design(3, 2, 7), Design(3, 5, 1), Design(3, 5, 4), Design(3, 5, 17), Design(5, 5, 4),
    Design(8, 5, 1), Design(8, 5, 4), Design(8, 5, 17), Design(8, 20, 4), Design(8, 20, 17), Design(20, 20, 4),
]  # fmt: skip
NOISES = {
    "as assumed": NoiseSpec(),
    "seeds alone": NoiseSpec(seeds=0.03, tiles=0.0, rest=0.001),
    "tiles alone": NoiseSpec(seeds=0.0, tiles=0.03, rest=0.001),
    "neither": NoiseSpec(seeds=0.0, tiles=0.0, rest=0.06),
}
AREAS = [(Design(8, 15, 4), 3), (Design(8, 15, 4), 5), (Design(8, 18, 4), 3)]
"""Designs, and the number of areas of equal size that are tested in turn."""
OF_AREAS = (0.0, 0.01, 0.02)
"""Deviations of the difference from training area to training area, for all seeds alike."""
CHOICES = [(Design(3, 5, 17), 5), (Design(8, 15, 4), 2)]
"""Designs, and the number of constant weights of which the best on the test tiles is the baseline."""
CHECKED = [Design(3, 5, 17), Design(3, 20, 17), Design(8, 5, 4), Design(8, 20, 4)]


@dataclass(frozen=True)
class Tables:
    """Simulated tables: effects and errors of all comparisons, shape (tables, comparisons)."""

    effects: Array
    seed_errors: Array
    tile_errors: Array
    rest_errors: Array


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pilot", type=Path, nargs="*", default=[], help="scores or finished rows of earlier runs")
    arguments = parser.parse_args()
    noise = pilot_noise(arguments.pilot)[0] if arguments.pilot else NoiseSpec()
    print(f"Minimal detectable effects and smallest margins of equivalence with deviations of {noise.text}\n")
    header = ["seeds", "test tiles", "comparisons", "effect (%)", "margin (%)"]
    print(table(header, list(power_rows(noise))))
    print(f"\nFalse verdicts in {TABLES} tables, and verdicts on one method of the detectable effect\n")
    margin = ComparisonSpec().margin
    header = ["deviations", "seeds", "test tiles", "comparisons", "alike (%)", f"{100 * margin:g} % apart (%)",
              "by Satterthwaite (%)", "detected (%)"]  # fmt: skip
    print(table(header, list(level_rows(margin))))
    print(
        f"\nFalse verdicts in {TABLES} tables where areas are tested in turn: methods that are alike over all areas\n"
    )
    header = [
        "seeds",
        "test tiles",
        "areas",
        "comparisons",
        *(f"areas differ by {100 * value:g} %" for value in OF_AREAS),
    ]
    print(table(header, list(area_rows())))
    print(f"\nFalse verdicts in {TABLES} tables beside the best of some constant weights, chosen on the test tiles\n")
    header = ["deviations", "seeds", "test tiles", "comparisons", "constant weights", "better (%)", "worse (%)"]
    print(table(header, list(choice_rows())))
    print(f"\n95 % binomial interval of 5 % in {TABLES} tables: {binomial_interval(TABLES)}; in 400: "
          f"{binomial_interval(400)}")  # fmt: skip


def power_rows(noise: NoiseSpec) -> Iterator[list[str]]:
    """Yield a row per design: the minimal detectable effect, and the smallest margin of equivalence."""
    for design in DESIGNS:
        values = detectable_effect(design, noise), equivalence_margin(design, noise)
        yield [*map(str, (design.seeds, design.tiles, design.comparisons)), *(f"{100 * value:.2g}" for value in values)]


def level_rows(margin: float) -> Iterator[list[str]]:
    """Yield a row per noise and design: shares of tables with a false verdict, and of effects that are detected."""
    for name, noise in NOISES.items():
        for design in CHECKED:
            tables = simulated(design, noise)
            halves = _halves(tables, design)
            alike = np.abs(tables.effects) > halves
            apart = np.abs(tables.effects + margin) + halves < margin
            satterthwaite = np.abs(tables.effects) > satterthwaite_half_width(tables, design)
            detected = tables.effects[:, 0] + detectable_effect(design, noise) > halves[:, 0]
            shares = [each.any(axis=1).mean() for each in (alike, apart, satterthwaite)]
            counts = map(str, (design.seeds, design.tiles, design.comparisons))
            yield [name, *counts, *(f"{100 * share:.1f}" for share in (*shares, detected.mean()))]


def area_rows() -> Iterator[list[str]]:
    """Yield a row per design: shares of tables with a false verdict, by the deviation between training areas.

    Each training has its own luck, and all tiles of an area share the training of a seed, and its training area.
    """
    for design, areas in AREAS:
        shares = []
        for deviation in OF_AREAS:
            tables = simulated(design, NoiseSpec(), areas, deviation)
            shares.append(f"{100 * (np.abs(tables.effects) > _halves(tables, design)).any(axis=1).mean():.1f}")
        yield [*map(str, (design.seeds, design.tiles, areas, design.comparisons)), *shares]


def choice_rows() -> Iterator[list[str]]:
    """Yield a row per noise and design: shares of tables with a method that is falsely better, or worse, than the best.

    The constant weights are the first methods, equal weights among them.
    """
    for name, noise in NOISES.items():
        for design, constant in CHOICES:
            tables = simulated(design, noise, baseline_of=constant)
            halves = _halves(tables, design)
            better, worse = ((sign * tables.effects > halves).any(axis=1).mean() for sign in (1, -1))
            counts = map(str, (design.seeds, design.tiles, design.comparisons, constant))
            yield [name, *counts, f"{100 * better:.1f}", f"{100 * worse:.1f}"]


def _halves(tables: Tables, design: Design) -> Array:
    confidence = confidence_of_each(design.comparisons)
    return half_width(tables.seed_errors, tables.tile_errors, design.seeds, design.tiles, confidence)


def simulated(
    design: Design, noise: NoiseSpec, areas: int = 1, between_areas: float = 0.0, baseline_of: int = 1
) -> Tables:
    """Draw tables of methods that are alike, value by value: each of them, the baseline too, has half the variance.

    Parameters
    ----------
    design : Design
    noise : NoiseSpec
        With areas, its deviation of seeds is that of each training by itself.
    areas : int
        Number of areas of equal size that are tested in turn; 1 for a fixed split.
    between_areas : float
        Deviation from training area to training area, for all seeds alike.
    baseline_of : int
        The baseline is the best of so many methods.
    """
    random = np.random.default_rng(SEED)
    seeds, tiles = design.seeds, design.tiles
    parts: dict[str, list[Array]] = {}
    for _ in range(TABLES // 100):
        shape = (100, design.comparisons + 1)
        values = random.normal(0, noise.rest, (*shape, seeds, tiles))
        of_trainings = random.normal(0, noise.seeds, (*shape, seeds, areas))
        values += random.normal(0, noise.tiles, (*shape, 1, tiles))
        if areas > 1:
            of_trainings += random.normal(0, between_areas, (*shape, 1, areas))
        values += np.repeat(of_trainings, tiles // areas, axis=-1)
        values /= np.sqrt(2)
        differences = _differences(values, baseline_of)
        errors = standard_errors(differences)
        for key, part in zip(
            ("effect", "seed", "tile", "rest"), (differences.mean(axis=(-2, -1)), *errors), strict=True
        ):
            parts.setdefault(key, []).append(part)
    return Tables(*(np.concatenate(part) for part in parts.values()))


def _differences(values: Array, baseline_of: int) -> Array:
    """Return the differences of the other methods to the best of the first ones, which comes first."""
    best = values[:, :baseline_of].mean(axis=(-2, -1)).argmax(axis=1)
    tables = np.arange(len(values))
    baseline = values[tables, best].copy()
    values[tables, best] = values[:, 0]
    return values[:, 1:] - baseline[:, None]


def satterthwaite_half_width(tables: Tables, design: Design) -> Array:
    """Return half the width of intervals by the usual approximation, for comparison.

    Variance components are 0 at least; the degrees of freedom are Satterthwaite's.
    """
    squares = [errors**2 for errors in (tables.seed_errors, tables.tile_errors, tables.rest_errors)]
    freedom = design.seeds - 1, design.tiles - 1, (design.seeds - 1) * (design.tiles - 1)
    variance = squares[0] + squares[1] - squares[2]
    degrees = variance**2 / sum(square**2 / number for square, number in zip(squares, freedom, strict=True))
    larger = np.maximum(squares[0], squares[1])
    of_larger = np.where(squares[0] > squares[1], freedom[0], freedom[1])
    degrees = np.where(variance < larger, of_larger, degrees)
    quantile = stdtrit(degrees, (1 + confidence_of_each(design.comparisons)) / 2)
    half: Array = quantile * np.sqrt(np.maximum(variance, larger))
    return half


def binomial_interval(tables: int) -> str:
    """Return the central 95 % of the share of false verdicts, were each table's chance 5 %."""
    low, high = binom.ppf((0.025, 0.975), tables, 0.05) / tables
    return f"{100 * low:.1f} to {100 * high:.1f} %"


if __name__ == "__main__":
    main()
