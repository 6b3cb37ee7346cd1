"""Errors and colour scales of heights in figures."""

import numpy as np
from matplotlib.colors import Normalize

from mtlaerial.figures.tile_layers import Layer


def height_error(true: Layer, predicted: Layer) -> np.ma.MaskedArray:
    """Return predicted minus true height at the pixels of the true heights."""
    return predicted.at(true).astype(np.float64) - true.band


def scale_limit(magnitudes: np.ma.MaskedArray, least: float) -> float:
    """Return the end of a scale from 0 in metres, the 98th percentile."""
    return max(least, float(np.percentile(magnitudes.compressed(), 98))) if magnitudes.count() else 1.0


def height_scale(*heights: np.ma.MaskedArray) -> Normalize:
    """Return a common scale of heights, from the 0.5th to the 99.5th percentile."""
    valid = np.concatenate([layer.compressed() for layer in heights])
    if not valid.size:
        return Normalize(0, 1)
    low, high = np.percentile(valid, (0.5, 99.5))
    return Normalize(float(low), float(max(high, low + 1)))
