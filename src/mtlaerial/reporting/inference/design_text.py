"""Text about the power of a design, for people who plan one."""

from math import isfinite

from mtlaerial.config.comparison import NoiseSpec, percent
from mtlaerial.reporting.inference.power import (
    MOST_SEEDS,
    POWER,
    Design,
    detectable_effect,
    enough_seeds,
    equivalence_margin,
)

SEEDS = (2, 3, 5, 8, 12, 20)
COMPARISONS = (1, 4, 17)


def design_text(design: Design, noise: NoiseSpec, source: str, effect: float | None = None) -> str:
    """Return what a design can detect, and a table of designs with as many test tiles.

    Parameters
    ----------
    design : Design
    noise : NoiseSpec
        Deviations of the difference between two methods.
    source : str
        Where these are from, as a phrase.
    effect : float, optional
        An effect to be detected: the text says how many seeds that takes.
    """
    lines = [_summary(design, noise), f"Deviations, {source}: {noise.text}."]
    if effect is not None:
        lines.append(_seeds_text(design, noise, effect))
    lines += ["", f"Minimal detectable effect in % with {design.tiles} test tiles, by seeds (across) and comparisons:"]
    lines.append("".join(["            ", *(f"{seeds:>8}" for seeds in SEEDS)]))
    for comparisons in sorted({*COMPARISONS, design.comparisons}):
        effects = [detectable_effect(Design(seeds, design.tiles, comparisons), noise) for seeds in SEEDS]
        lines.append("".join([f"{comparisons:>12}", *(f"{100 * value:>8.1f}" for value in effects)]))
    return "\n".join(lines)


def _summary(design: Design, noise: NoiseSpec) -> str:
    size = f"{design.seeds} seeds, {design.tiles} test tiles, {design.comparisons} comparisons with one baseline"
    effect, margin = detectable_effect(design, noise), equivalence_margin(design, noise)
    if not isfinite(effect):
        return f"{size}: no verdict; that takes two seeds and two test tiles at least."
    return (
        f"{size}: the minimal detectable effect is {percent(effect)}, the smallest margin of equivalence "
        f"±{percent(margin)} (power {100 * POWER:g} %)."
    )


def _seeds_text(design: Design, noise: NoiseSpec, effect: float) -> str:
    least = Design(2, design.tiles, design.comparisons)
    seeds = enough_seeds(least, noise, effect)
    if seeds is None:
        return f"An effect of {100 * effect:g} % is not detected with {MOST_SEEDS} seeds: take more test tiles."
    return f"An effect of {100 * effect:g} % takes {seeds} seeds."
