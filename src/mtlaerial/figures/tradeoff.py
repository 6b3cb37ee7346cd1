"""Trade-off between two tasks: a point for each method that learns both, their front, and each task alone as a line."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from textwrap import fill

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mtlaerial.figures.style import CYCLE, Caption, named, save

MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "*")
"""Of the methods of one colour."""
NOTHING = "No method that learns both tasks was scored on this data set."
FRONT = "front: no other mean is better in both"
WIDTH = 105
"""Characters of a line below the axes."""


@dataclass(frozen=True)
class Score:
    """A score of a task: mean and standard deviation over seeds, NaN with one seed."""

    mean: float
    deviation: float


@dataclass(frozen=True)
class Point:
    """A method that learns both tasks.

    Attributes
    ----------
    name : str
    sweep : str
        Methods of the same one are points of one curve, and share a colour.
    x : Score
        An error: less is better.
    y : Score
        More is better.
    """

    name: str
    sweep: str
    x: Score
    y: Score


@dataclass(frozen=True)
class Axis:
    """One of the tasks, and the method that learns it alone.

    Attributes
    ----------
    label : str
        Task, score and unit.
    single : str
        Name of the method; empty without one.
    score : Score
        Of that method.
    """

    label: str
    single: str = ""
    score: Score = Score(0.0, 0.0)


def tradeoff_figure(
    points: Sequence[Point],
    axes_of_tasks: tuple[Axis, Axis],
    dataset: str,
    title: str,
    generated: bool,
    notes: Sequence[str],
    path: Path,
) -> Figure:
    """Draw the trade-off on a data set.

    Parameters
    ----------
    points : sequence of Point
        Those of a sweep in its order. Without any, the figure says so.
    axes_of_tasks : pair of Axis
        The task with the error, which lies on the horizontal axis, then the other one.
    dataset, title : str
        Name and title of the data set.
    generated : bool
    notes : sequence of str
        Sentences that are written below, as without them the points are misread.
    path : Path
        The PNG to write.
    """
    notes = notes if points else (NOTHING,)
    text = "\n".join(fill(note, WIDTH) for note in notes)
    height = max(4.4, 1.2 + 0.21 * len(points)) + 0.17 * len(text.splitlines())
    figure = Figure(figsize=(8.4, height), layout="constrained")
    axes = figure.add_subplot()
    horizontal, vertical = axes_of_tasks
    _draw_singles(axes, horizontal, vertical)
    _draw_points(axes, points)
    axes.invert_xaxis()
    axes.set_xlabel(f"{horizontal.label}   better →", fontsize=10)
    axes.set_ylabel(f"{vertical.label}   better →", fontsize=10)
    axes.tick_params(labelsize=9)
    axes.grid(alpha=0.3, linewidth=0.6)
    if points:
        axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), fontsize=8, frameon=False)
    heading = f"{named(title, generated)}: trade-off between the tasks"
    figure.suptitle(heading, fontsize=12)
    figure.supxlabel(text, fontsize=8)
    return save(figure, path, Caption(dataset=dataset, title=heading, description=_description(axes_of_tasks, notes)))


def front(points: Sequence[Point]) -> list[Point]:
    """Return the points that no other dominates, by rising error.

    One dominates another if it is at least as good in both means, and better in one.

    Examples
    --------
    >>> good, bad = (Point("", "", Score(error, 0.1), Score(0.7, 0.1)) for error in (2.0, 3.0))
    >>> front([bad, good]) == [good]
    True
    """
    optimal = [point for point in points if not any(_dominates(rival, point) for rival in points)]
    return sorted(optimal, key=lambda point: (point.x.mean, point.y.mean))


def _dominates(point: Point, rival: Point) -> bool:
    no_worse = point.x.mean <= rival.x.mean and point.y.mean >= rival.y.mean
    return no_worse and (point.x.mean, point.y.mean) != (rival.x.mean, rival.y.mean)


def _draw_singles(axes: Axes, horizontal: Axis, vertical: Axis) -> None:
    """Draw each task alone as a line, in a band of its deviation where it has one."""
    if horizontal.single:
        mean, deviation = horizontal.score.mean, horizontal.score.deviation
        axes.axvline(mean, color="#606060", linewidth=1.2, linestyle=":", label=f"{horizontal.single} alone")
        axes.axvspan(mean - deviation, mean + deviation, color="#808080", alpha=0.12, linewidth=0)
    if vertical.single:
        mean, deviation = vertical.score.mean, vertical.score.deviation
        axes.axhline(mean, color="#606060", linewidth=1.2, linestyle="-.", label=f"{vertical.single} alone")
        axes.axhspan(mean - deviation, mean + deviation, color="#808080", alpha=0.12, linewidth=0)


def _draw_points(axes: Axes, points: Sequence[Point]) -> None:
    best = front(points)
    errors, scores = [point.x.mean for point in best], [point.y.mean for point in best]
    if len(best) > 1:
        axes.plot(errors, scores, color="black", linewidth=1, linestyle="--", drawstyle="steps-post", label=FRONT)
    for colour, members in _sweeps(points).items():
        for sweep in dict.fromkeys(point.sweep for point in members):
            curve = [point for point in members if point.sweep == sweep]
            axes.plot([p.x.mean for p in curve], [p.y.mean for p in curve], color=colour, linewidth=0.8, alpha=0.6)
        for marker, point in zip(MARKERS * len(members), members, strict=False):
            axes.errorbar(
                point.x.mean,
                point.y.mean,
                xerr=point.x.deviation,
                yerr=point.y.deviation,
                fmt=marker,
                color=colour,
                markeredgecolor="black" if point in best else colour,
                markersize=7,
                elinewidth=0.8,
                label=point.name,
            )


def _sweeps(points: Sequence[Point]) -> Mapping[str, list[Point]]:
    """Return the points of each colour: a sweep of several points has one of its own, single points share the rest."""
    counts = Counter(point.sweep for point in points)
    several = [sweep for sweep, number in counts.items() if number > 1]
    alone = [sweep for sweep, number in counts.items() if number == 1]
    colours = dict(zip(several, cycle(CYCLE), strict=False))
    colours |= zip(alone, cycle(CYCLE[len(several) :] or CYCLE), strict=False)
    by_colour: dict[str, list[Point]] = {}
    for point in points:
        by_colour.setdefault(colours[point.sweep], []).append(point)
    return by_colour


def _description(axes_of_tasks: tuple[Axis, Axis], notes: Sequence[str]) -> str:
    horizontal, vertical = axes_of_tasks
    singles = [axis.single for axis in axes_of_tasks if axis.single]
    lines = f" Lines: {' and '.join(singles)} alone." if singles else ""
    return (
        f"{vertical.label} over {horizontal.label} of the methods that learn both; better is up and to the right. Bars "
        f"and bands: standard deviation over seeds. Dashed: {FRONT}.{lines} {' '.join(notes)}"
    ).strip()
