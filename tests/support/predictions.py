"""Prediction of the generated city: settings, images, and values of maps."""

from pathlib import Path
from typing import Any

import numpy as np
import rasterio

from mtlaerial.config import PredictionSpec
from support import tiny

SPEC = PredictionSpec(window=64, stride=48, activation="softmax")
TASKS = ("semantics", "height")
FILES = ["height.qml", "height.tif", "semantics.qml", "semantics.tif", "stac_item.json"]
"""Files of maps of any image."""


def pixels(path: Path) -> np.ndarray:
    with rasterio.open(path) as source:
        return source.read()


def metres(path: Path) -> np.ndarray:
    """Return heights that are stored with a scale; NaN without one."""
    with rasterio.open(path) as source:
        return source.read(1, masked=True).astype(np.float32).filled(np.nan) * np.float32(source.scales[0])


def ortho(tmp_path: Path, bands: int = 3, size: int = 40, dtype: type = np.uint8, **place: Any) -> Path:
    array = np.random.default_rng(0).integers(1, 255, (bands, size, size)).astype(dtype)
    return tiny.write_raster(tmp_path / "ortho.tif", array, **place)
