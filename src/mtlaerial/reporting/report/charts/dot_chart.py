"""Chart of numbers by row: a row per class or bin, and a marker per method with its deviation over seeds."""

from collections.abc import Iterator, Mapping, Sequence
from math import isfinite

from mtlaerial.reporting.report.charts.axes import Axis, colour_of, horizontal_axis, legend
from mtlaerial.reporting.report.charts.svg import INK, LETTER, line, marker, picture, shortened, text

WIDTH = 440.0
STEP, PAD = 11.0, 12.0
"""Height of a marker within a row, and between rows."""
Value = tuple[float, float]
"""Mean and standard deviation, NaN where not known."""


def dot_chart(
    key: str,
    title: str,
    label: str,
    rows: Sequence[str],
    series: Mapping[str, Sequence[Value]],
    numbers: Mapping[str, int],
    zero: bool = False,
) -> str:
    """Return the chart as SVG.

    Parameters
    ----------
    key, title : str
    label : str
        Of the axis, with the unit.
    rows : sequence of str
    series : mapping of name to sequence of Value
        A value for each row.
    numbers : mapping of name to int
        By which a series has the same colour and marker in all charts.
    zero : bool
        Whether the axis begins at 0, or has it.
    """
    names, (parts, top) = list(series), legend({name: numbers[name] for name in series}, WIDTH)
    left = min(0.4 * WIDTH, 14 + LETTER * max(map(len, rows)))
    height = STEP * len(names) + PAD
    bottom = top + height * len(rows)
    ends = [end for values in series.values() for value in values for end in _ends(value)]
    axis = Axis.around(label, ends, left + 8, WIDTH - 16, zero)
    parts += horizontal_axis(axis, top, bottom)
    if axis.low < 0 < axis.high:
        parts.append(line(axis.at(0), top, axis.at(0), bottom, INK))
    for index, name in enumerate(rows):
        y = top + height * index
        parts += [line(0, y, WIDTH, y), text(left, y + height / 2 + 4, shortened(name, left - 8), "end")]
        for line_number, series_name in enumerate(names):
            place = y + PAD / 2 + STEP * (line_number + 0.5)
            parts += _dot(axis, place, series[series_name][index], numbers[series_name])
    description = f"{label} by row ({', '.join(rows)}) of {', '.join(names)}."
    return picture(key, title, description, (WIDTH, bottom + 40), parts)


def _ends(value: Value) -> Iterator[float]:
    mean, deviation = value
    if isfinite(mean):
        spread = deviation if isfinite(deviation) else 0.0
        yield from (mean - spread, mean + spread)


def _dot(axis: Axis, y: float, value: Value, number: int) -> Iterator[str]:
    ends = list(_ends(value))
    if ends:
        yield line(axis.at(ends[0]), y, axis.at(ends[1]), y, colour_of(number), 2)
        yield marker(axis.at(value[0]), y, number, colour_of(number))
