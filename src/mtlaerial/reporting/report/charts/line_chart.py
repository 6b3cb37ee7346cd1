"""Chart of curves: a line with markers per method, and where wanted the line of what would be ideal."""

from collections.abc import Mapping, Sequence
from math import isfinite

from mtlaerial.reporting.report.charts.axes import Axis, colour_of, horizontal_axis, legend, vertical_axis
from mtlaerial.reporting.report.charts.svg import SIZE, SOFT, line, marker, picture, polyline

WIDTH, HEIGHT, LEFT = 440.0, 280.0, 44.0
Point = tuple[float, float]


def line_chart(
    key: str,
    title: str,
    labels: tuple[str, str],
    curves: Mapping[str, Sequence[Point]],
    numbers: Mapping[str, int],
    ends: tuple[float, float] | None = None,
    diagonal: bool = False,
) -> str:
    """Return the chart as SVG.

    Parameters
    ----------
    key, title : str
    labels : tuple of str
        Of both axes, the horizontal one first, with their units.
    curves : mapping of name to sequence of Point
        Points that are not finite are passed over.
    numbers : mapping of name to int
        By which a curve has the same colour and marker in all charts.
    ends : tuple of float, optional
        Ends of both axes, which no point is beyond; by default they follow from the points.
    diagonal : bool
        Whether to draw where both numbers are equal, as of a perfect calibration.
    """
    points = {name: [point for point in some if all(map(isfinite, point))] for name, some in curves.items()}
    parts, top = legend({name: numbers[name] for name in points}, WIDTH)
    top += 2 * SIZE
    bottom = top + HEIGHT
    sides = ((LEFT, WIDTH - 16), (bottom, top))
    x_axis, y_axis = (
        Axis.between(label, ends, *side)
        if ends
        else Axis.around(label, [point[number] for some in points.values() for point in some], *side)
        for number, (label, side) in enumerate(zip(labels, sides, strict=True))
    )
    parts += [*vertical_axis(y_axis, LEFT, WIDTH - 16), *horizontal_axis(x_axis, top, bottom)]
    if diagonal:
        low, high = max(x_axis.low, y_axis.low), min(x_axis.high, y_axis.high)
        place = (x_axis.at(low), y_axis.at(low), x_axis.at(high), y_axis.at(high))
        parts.append(line(*place, SOFT, 1.5, stroke_dasharray="5 4"))
    for name, some in points.items():
        number = numbers[name]
        corners = [(x_axis.at(x), y_axis.at(y)) for x, y in some]
        parts.append(polyline(corners, colour_of(number)))
        parts += [marker(x, y, number, colour_of(number)) for x, y in corners]
    description = f"{labels[1]} over {labels[0]} of {', '.join(points)}."
    return picture(key, title, description, (WIDTH, bottom + 40), parts)
