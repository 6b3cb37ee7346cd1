"""Values of all layers at a place, those that the files store."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from rasterio.windows import Window

from mtlaerial.maps.layer import Palette
from mtlaerial.viewer.image_bands import value_bands
from mtlaerial.viewer.layer import Layer
from mtlaerial.viewer.source import Source, unscaled, valid_where_any_band_is


def values_at(layers: Iterable[Layer], longitude: float, latitude: float) -> list[dict[str, Any]]:
    """Return the values of layers at a place in degrees; layers without one there are left out.

    Each has the layer's ``title``, ``kind`` and ``unit``, and its ``values``: a list of ``name``, ``value`` and, of
    classes, ``class``.

    Raises
    ------
    DataError
        When a file is damaged.
    """
    values = ((layer, _values_of(layer, longitude, latitude)) for layer in layers)
    return [
        {"title": layer.title, "kind": layer.appearance.kind, "unit": layer.appearance.unit, "values": shown}
        for layer, shown in values
        if shown
    ]


def _values_of(layer: Layer, longitude: float, latitude: float) -> list[dict[str, Any]]:
    """Return the values of the first source that has any there."""
    for source in layer.sources:
        pixel = source.pixel_at(longitude, latitude)
        if pixel is None:
            continue
        stored, values = _pixel(source, *pixel, of_image=layer.appearance.kind == "image")
        if not all(map(math.isnan, values)):
            return _named(layer, stored, values)
    return []


def _pixel(source: Source, row: int, column: int, of_image: bool) -> tuple[Sequence[float], Sequence[float]]:
    """Return the stored values of a pixel's bands, and those in their units, NaN where there is none."""
    with source.open() as dataset:
        bands = value_bands(dataset)
        stored = dataset.read(bands, window=Window(column, row, 1, 1), masked=True)
        if of_image:
            stored = valid_where_any_band_is(stored)
        return stored.data.ravel().tolist(), unscaled(dataset, bands, stored).ravel().tolist()


def _named(layer: Layer, stored: Sequence[float], values: Sequence[float]) -> list[dict[str, Any]]:
    appearance = layer.appearance
    if isinstance(appearance.style, Palette):
        code = int(stored[0])
        name = next((each.name for each in appearance.style.categories if each.code == code), f"class {code}")
        return [{"name": "class", "value": code, "class": name}]
    named = zip(appearance.bands, values, strict=False)
    return [{"name": name, "value": _rounded(value)} for name, value in named if np.isfinite(value)]


def _rounded(value: float) -> float:
    """Return a value with the seven digits that float32 has."""
    return float(f"{value:.7g}")
