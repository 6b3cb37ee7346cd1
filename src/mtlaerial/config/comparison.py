"""The section ``run.comparison``: which effects comparisons of methods are to detect."""

from typing import Annotated

from pydantic import Field

from mtlaerial.config.base import Section

Deviation = Annotated[float, Field(ge=0.0, le=10.0)]
"""Standard deviation, as a fraction of a score."""


def percent(fraction: float) -> str:
    """Return a fraction as a percentage with two significant digits, and no power of ten.

    Examples
    --------
    >>> percent(0.0351), percent(2.04)
    ('3.5 %', '200 %')
    """
    return f"{float(f'{100 * fraction:.2g}'):g} %"


class NoiseSpec(Section):
    """Standard deviations of the difference between two methods of equal worth, as fractions of the baseline's score.

    The difference is the mean of the relative gains in the tasks' scores, between runs of the same seed.
    """

    seeds: Deviation = 0.02
    """From seed to seed, in all tiles alike."""
    tiles: Deviation = 0.02
    """From tile to tile, with all seeds alike."""
    rest: Deviation = 0.02
    """What neither the seed nor the tile explains."""

    @property
    def text(self) -> str:
        """The deviations as a phrase."""
        seeds, tiles, rest = map(percent, (self.seeds, self.tiles, self.rest))
        return f"{seeds} between seeds, {tiles} between tiles, {rest} besides"


class ComparisonSpec(Section):
    """Comparisons of methods: the effects that matter, and what is known of their noise beforehand."""

    margin: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.02
    """Effects up to it do not matter, as a fraction of the baseline's score: methods whose difference certainly is
    smaller are called equivalent. State it before the runs."""
    noise: NoiseSpec = NoiseSpec()
    """Assumed deviations, from which the workflow says before any training which effects it can detect."""
