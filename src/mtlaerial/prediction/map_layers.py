"""Layers of a prediction's maps: what predictors hand to the writer."""

import math
from dataclasses import replace
from typing import Any, NamedTuple

from mtlaerial.config import IGNORED, PredictionSpec, Task, task_entry
from mtlaerial.config.task_entry import MapLayer, Shows
from mtlaerial.maps.layer import Category, Colour, Dtype, Palette, Ramp, RasterLayer
from mtlaerial.runs.run import RunDescription

EXACT: dict[Shows, tuple[Dtype, float]] = {
    "classes": ("uint8", IGNORED),
    "mean": ("float32", math.nan),
    "deviation": ("float32", math.nan),
}
"""Dtype and no-data of maps that are scored."""
CENTIMETRE = 0.01
NODATA = -32768
_COLOURS: tuple[Colour, ...] = (
    (68, 1, 84),
    (70, 50, 127),
    (54, 92, 141),
    (39, 127, 142),
    (31, 161, 135),
    (74, 193, 109),
    (160, 218, 57),
    (253, 231, 37),
)
"""Eight colours of Matplotlib's viridis, at equal distances."""
_STOPS: dict[Shows, tuple[float, ...]] = {
    "mean": (0, 2, 4, 7, 11, 20, 40, 80),
    "deviation": (0, 0.25, 0.5, 1, 1.5, 2, 4, 8),
}
"""Metres of the colours: the same in all maps, so that neighbouring maps fit together."""


class Content(NamedTuple):
    """Content of a map: a task, and one of the maps of its entry."""

    task: Task
    layer: MapLayer


def exact_layer(content: Content, name: str, description: RunDescription) -> RasterLayer:
    """Return the layer of a map that is scored: its values as the network gives them.

    Parameters
    ----------
    content : Content
    name : str
        Name of the file, without suffix.
    description : RunDescription
        Source of the names and colours of classes.
    """
    dtype, nodata = EXACT[content.layer.shows]
    unit = task_entry(content.task).unit
    style: Palette | Ramp
    if unit is None:
        classes = enumerate(description.statistics.classes)
        style = Palette(tuple(Category(code, entry.name, entry.colour) for code, entry in classes))
    else:
        stops = zip(_STOPS[content.layer.shows], _COLOURS, strict=True)
        style = Ramp(tuple((metres / unit.metres, colour) for metres, colour in stops))
    return RasterLayer(
        name,
        (content.layer.description,),
        dtype,
        nodata,
        unit=unit.name if unit else "",
        resampling="average" if unit else "nearest",
        style=style,
    )


def shown_layer(content: Content, name: str, description: RunDescription, prediction: PredictionSpec) -> RasterLayer:
    """Return the layer of a map for people, as a configuration has it stored; parameters as of :func:`exact_layer`."""
    exact, entry = exact_layer(content, name, description), task_entry(content.task)
    if entry.unit is None:
        return exact
    heights = entry.metrics == "heights" and content.layer.shows == "mean"
    step = CENTIMETRE / entry.metres
    changes: dict[str, Any] = {"lowest": 0.0 if heights and not prediction.negative_heights else None}
    if prediction.height_encoding == "centimetres":
        changes |= {"dtype": "int16", "nodata": NODATA, "scale": step}
    elif prediction.height_encoding == "lerc":
        changes |= {"codec": "lerc", "precision": step}
    return replace(exact, **changes)
