"""Colours of a tile's layers: RGBA arrays from images, classes, heights, errors and uncertainties."""

from collections.abc import Sequence
from functools import cache

import matplotlib
import numpy as np
from numpy.typing import NDArray

from mtlaerial.figures.maps import ABSOLUTE_COLOURS, ERROR_COLOURS, HEIGHT_COLOURS, VERDICTS
from mtlaerial.figures.tile_layers import Layer

Rgba = NDArray[np.uint8]
"""Shape (rows, columns, 4); no-data is transparent."""
LEVELS = 256
STOPS = 9
"""Colours of a ramp in a key."""
_ROWS = 256
"""Rows that are coloured at a time, which bounds the memory of what is between values and colours."""


def class_colours(layer: Layer, colours: Sequence[tuple[int, int, int]]) -> Rgba:
    """Return the colours of class codes; codes of no class are transparent."""
    palette = np.zeros((LEVELS, 4), np.uint8)
    palette[: len(colours)] = [(*colour, 255) for colour in colours]
    pixels: Rgba = palette[layer.band.filled(LEVELS - 1).astype(np.uint8)]
    return pixels


def wrong_colours(true: Layer, predicted: Layer) -> Rgba:
    """Return where predicted classes differ from the true ones; transparent without truth."""
    wrong = predicted.at(true).filled(LEVELS - 1) != true.band.data
    palette = np.array([(*_rgb(colour), 255) for _, colour in VERDICTS], np.uint8)
    pixels: Rgba = palette[wrong.astype(np.uint8)]
    pixels[np.ma.getmaskarray(true.band)] = 0
    return pixels


def height_colours(layer: Layer, low: float, high: float) -> Rgba:
    """Return the colours of heights on a scale in metres."""
    return _ramped(layer.band, low, high, HEIGHT_COLOURS)


def error_colours(true: Layer, predicted: Layer, limit: float) -> Rgba:
    """Return the colours of predicted minus true values on a scale centred on 0."""
    return _ramped(difference(true, predicted), -limit, limit, ERROR_COLOURS)


def difference(true: Layer, predicted: Layer) -> np.ma.MaskedArray:
    """Return predicted minus true values at the pixels of the truth, in float32, which is enough for colours."""
    return np.ma.asarray(predicted.at(true) - true.band)


def uncertainty_colours(values: np.ma.MaskedArray, limit: float) -> Rgba:
    """Return the colours of an uncertainty on a scale from 0."""
    return _ramped(values, 0, limit, ABSOLUTE_COLOURS)


def ramp_stops(name: str) -> list[str]:
    """Return colours of a ramp at equal distances, as ``#rrggbb``."""
    table = _table(name)
    return ["#" + bytes(table[round(number)][:3]).hex() for number in np.linspace(0, LEVELS - 1, STOPS)]


def _ramped(values: np.ma.MaskedArray, low: float, high: float, name: str) -> Rgba:
    table, pixels = _table(name), np.zeros((*values.shape, 4), np.uint8)
    scale = (LEVELS - 1) / max(high - low, 1e-9)
    for top in range(0, len(values), _ROWS):
        part = values[top : top + _ROWS]
        levels = (part.filled(low).astype(np.float32) - low) * scale
        pixels[top : top + _ROWS] = table[np.rint(levels.clip(0, LEVELS - 1)).astype(np.uint8)]
        pixels[top : top + _ROWS][np.ma.getmaskarray(part)] = 0
    return pixels


@cache
def _table(name: str) -> Rgba:
    table: Rgba = matplotlib.colormaps[name](np.arange(LEVELS), bytes=True)
    return table


def _rgb(colour: str) -> tuple[int, int, int]:
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return red, green, blue
