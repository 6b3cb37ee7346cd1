"""Axes and legends of charts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.ticker import MaxNLocator

from mtlaerial.figures.style import CYCLE
from mtlaerial.reporting.report.charts.svg import LETTER, SIZE, SOFT, line, marker, shortened, text

LINE = 20
"""Height of a line of the legend."""
STEPS = (1, 2, 2.5, 5, 10)
"""Distances of ticks, times a power of ten."""


@dataclass(frozen=True)
class Axis:
    """Numbers along a length of the chart.

    Attributes
    ----------
    label : str
        With the unit.
    low, high : float
        Numbers at both ends.
    begin, end : float
        Places of both ends.
    ticks : sequence of float
    """

    label: str
    low: float
    high: float
    begin: float
    end: float
    ticks: Sequence[float]

    @classmethod
    def around(cls, label: str, numbers: Sequence[float], begin: float, end: float, zero: bool = False) -> "Axis":
        """Return an axis with round ends around some numbers, and around 0 if asked for."""
        values = [*numbers, 0.0] if zero or not numbers else list(numbers)
        low, high = min(values), max(values)
        margin = 0.02 * (high - low) if high > low else 0.5
        return cls.between(label, (low - margin * (low != 0), high + margin), begin, end)

    @classmethod
    def between(cls, label: str, ends: tuple[float, float], begin: float, end: float) -> "Axis":
        """Return an axis with round ends, those of two numbers or the next beyond them."""
        ticks = list(map(float, MaxNLocator(5, steps=STEPS).tick_values(*ends)))
        return cls(label, ticks[0], ticks[-1], begin, end, ticks)

    def at(self, number: float) -> float:
        """Return the place of a number; beyond the ends that of the end."""
        share = (number - self.low) / (self.high - self.low)
        return self.begin + min(max(share, 0.0), 1.0) * (self.end - self.begin)


def colour_of(number: int) -> str:
    """Return the colour of a series by its number."""
    return CYCLE[number % len(CYCLE)]


def number_text(number: float) -> str:
    """Return a number of an axis.

    >>> number_text(-0.5), number_text(100.0)
    ('−0.5', '100')
    """
    return f"{number:g}".replace("-", "−")


def horizontal_axis(axis: Axis, top: float, bottom: float) -> list[str]:
    """Return grid lines, numbers and label of an axis at the bottom."""
    parts = [line(axis.at(tick), top, axis.at(tick), bottom) for tick in axis.ticks]
    parts += [text(axis.at(tick), bottom + SIZE + 3, number_text(tick), "middle", SOFT) for tick in axis.ticks]
    middle = (axis.begin + axis.end) / 2
    return [*parts, text(middle, bottom + 2 * SIZE + 8, axis.label, "middle")]


def vertical_axis(axis: Axis, left: float, right: float) -> list[str]:
    """Return grid lines, numbers and label of an axis at the left; the label is above it."""
    parts = [line(left, axis.at(tick), right, axis.at(tick)) for tick in axis.ticks]
    parts += [text(left - 6, axis.at(tick) + 4, number_text(tick), "end", SOFT) for tick in axis.ticks]
    return [*parts, text(4, axis.end - SIZE, axis.label)]


def legend(series: Mapping[str, int], width: float) -> tuple[list[str], float]:
    """Return the legend of series, by their numbers, in lines of a width, from the top, and its height."""
    parts, x, y = [], 8.0, LINE - 6.0
    for name, number in series.items():
        words = shortened(name, width - 30)
        needed = 22 + LETTER * len(words)
        if x > 8 and x + needed > width:
            x, y = 8.0, y + LINE
        parts += [marker(x, y - 4.5, number, colour_of(number)), text(x + 10, y, words)]
        x += needed + 8
    return parts, y + 10
