"""Layers of a prediction's maps, as predictors hand them to the writer."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple, Self

from mtlaerial.config import IGNORED, PredictionSpec, Task, task_entry
from mtlaerial.config.prediction import SpreadSource
from mtlaerial.config.task_entry import MapLayer, Shows
from mtlaerial.maps.layer import VIRIDIS, Category, Dtype, Palette, Ramp, RasterLayer
from mtlaerial.runs.run import RunDescription

_VALUES: tuple[Dtype, float] = ("float32", math.nan)
EXACT: dict[Shows, tuple[Dtype, float]] = {
    "classes": ("uint8", IGNORED),
    "mean": _VALUES,
    "deviation": _VALUES,
    "lower": _VALUES,
    "upper": _VALUES,
    "probabilities": _VALUES,
    "entropy": _VALUES,
    "mutual_information": _VALUES,
}
"""Dtype and no-data of maps of a data set's tiles, which are scored."""
CENTIMETRE = 0.01
NODATA = -32768
_BITS: dict[str, Any] = {"dtype": "int16", "nodata": NODATA, "scale": 0.001}
_STORED: dict[Shows, dict[str, Any]] = {
    # 0.004 is exact in decimals, and 250 steps are a probability of exactly 1.
    "probabilities": {"dtype": "uint8", "nodata": 255, "scale": 0.004},
    "entropy": _BITS,
    "mutual_information": _BITS,
}
"""How layers of classes are stored for people."""
_STOPS: dict[Shows, tuple[float, ...]] = {
    "mean": (0, 2, 4, 7, 11, 20, 40, 80),
    "deviation": (0, 0.25, 0.5, 1, 1.5, 2, 4, 8),
    "lower": (0, 2, 4, 7, 11, 20, 40, 80),
    "upper": (0, 2, 4, 7, 11, 20, 40, 80),
    "probabilities": (0, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 1),
    "entropy": (0, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2),
    "mutual_information": (0, 0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8),
}
"""Metres, probabilities or bits of the colours: the same in all maps, so that neighbouring maps fit together."""


class Content(NamedTuple):
    """Content of a map: a task, and one of its maps."""

    task: Task
    layer: MapLayer

    @property
    def key(self) -> tuple[Task, Shows]:
        """The task, and what the map shows of it."""
        return self.task, self.layer.shows

    def of_sources(self, sources: Sequence[SpreadSource]) -> Self:
        """Return the content with the sources of a spread in its description."""
        if self.layer.shows != "deviation":
            return self
        description = f"{self.layer.description}, by {' + '.join(sources)}"
        return self._replace(layer=replace(self.layer, description=description))


def class_palette(description: RunDescription) -> Palette:
    """Return the names and colours of a run's classes."""
    classes = enumerate(description.statistics.classes)
    return Palette(tuple(Category(code, each.name, each.colour) for code, each in classes))


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
    shows, entry, classes = content.layer.shows, task_entry(content.task), description.statistics.classes
    dtype, nodata = EXACT[shows]
    bands: tuple[str, ...] = (content.layer.description,)
    if shows == "probabilities":
        bands = tuple(each.name for each in classes)
    style: Palette | Ramp
    if shows == "classes":
        style = class_palette(description)
    else:
        stops = zip(_STOPS[shows], VIRIDIS, strict=True)
        style = Ramp(tuple((value / entry.metres, colour) for value, colour in stops))
    unit = entry.unit.name if entry.unit else ""
    return RasterLayer(
        name,
        bands,
        dtype,
        nodata,
        unit="bit" if shows in ("entropy", "mutual_information") else unit,
        resampling="nearest" if shows == "classes" else "average",
        style=style,
    )


def shown_layer(content: Content, name: str, description: RunDescription, prediction: PredictionSpec) -> RasterLayer:
    """Return the layer of a map for people, as a configuration has it stored; parameters as of :func:`exact_layer`."""
    exact, entry, shows = exact_layer(content, name, description), task_entry(content.task), content.layer.shows
    if entry.unit is None:
        return replace(exact, **_STORED.get(shows, {}))
    heights = entry.metrics == "heights" and shows in ("mean", "lower", "upper")
    step = CENTIMETRE / entry.metres
    changes: dict[str, Any] = {"lowest": 0.0 if heights and not prediction.negative_heights else None}
    if prediction.height_encoding == "centimetres":
        changes |= {"dtype": "int16", "nodata": NODATA, "scale": step}
    elif prediction.height_encoding == "lerc":
        changes |= {"codec": "lerc", "precision": step}
    return replace(exact, **changes)
