"""Keys of a tile's colours: classes and verdicts as swatches, numbers as ramps with their unit."""

from collections.abc import Iterator, Sequence

import numpy as np

from mtlaerial.config import TaskEntry
from mtlaerial.figures.maps import ABSOLUTE_COLOURS, ERROR_COLOURS, HEIGHT_COLOURS, VERDICTS
from mtlaerial.reporting.report.tiles.colours import ramp_stops
from mtlaerial.reporting.report.tiles.pictures import Key
from mtlaerial.reporting.report.tiles.scales import Scales
from mtlaerial.tiles.statistics import ClassStatistics

TICKS = 5


def task_keys(
    entry: TaskEntry, scales: Scales, classes: Sequence[ClassStatistics], uncertainty: str, has_errors: bool
) -> Iterator[Key]:
    """Yield the keys of a task's pictures.

    Parameters
    ----------
    entry : TaskEntry
    scales : Scales
    classes : sequence of ClassStatistics
    uncertainty : str
        What the uncertainty is, with its unit; empty where no method has one.
    has_errors : bool
        Whether there is truth, and so errors.
    """
    if entry.output == "classes":
        swatches = [(each.name, "#" + bytes(each.colour).hex()) for each in classes]
        yield Key(entry.title, swatches=swatches)
        if has_errors:
            yield Key(f"wrong {entry.title}", swatches=VERDICTS)
    else:
        ticks = _ticks(scales.low, scales.high)
        yield Key(f"{entry.maps[0].description} (m)", stops=ramp_stops(HEIGHT_COLOURS), ticks=_open(ticks, True))
        if has_errors:
            ticks, title = _ticks(-scales.error, scales.error), f"{entry.title} error: predicted minus true (m)"
            yield Key(title, stops=ramp_stops(ERROR_COLOURS), ticks=_open(ticks, True))
    if uncertainty:
        ticks, title = _ticks(0, scales.uncertainty), f"uncertainty of {entry.plural}: {uncertainty}"
        yield Key(title, stops=ramp_stops(ABSOLUTE_COLOURS), ticks=_open(ticks, False))


def _ticks(low: float, high: float) -> list[str]:
    return [f"{number:.3g}".replace("-", "−") for number in np.linspace(low, high, TICKS)]


def _open(ticks: list[str], at_both_ends: bool) -> list[str]:
    """Return ticks whose ends say that there are numbers beyond them."""
    first = f"≤ {ticks[0]}" if at_both_ends else ticks[0]
    return [first, *ticks[1:-1], f"≥ {ticks[-1]}"]
