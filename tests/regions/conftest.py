"""A region of nine small images of random pixels, and the same pixels as one mosaic."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from affine import Affine

from mtlaerial.config import PredictionSpec
from mtlaerial.runs.run import load_description
from support import tiny

if TYPE_CHECKING:
    from mtlaerial.prediction.predictor import Predictor

SIDE, SIZE = 50, 150
"""Pixels of a side of an image, and of the region."""


@pytest.fixture(scope="session")
def predictor(run_folder: Path) -> Predictor:
    """Return a run whose heights are stored exactly, below 0 too."""
    from mtlaerial.prediction.predictor import Predictor

    keys = {"window": 64, "stride": 48, "blend": "even", "activation": "softmax", "height_encoding": "float32"}
    return Predictor(run_folder, PredictionSpec.parse({**keys, "negative_heights": True}, "prediction"))


@pytest.fixture(scope="session")
def pixels() -> np.ndarray:
    """Return the pixels of the region; one corner is no image."""
    values = np.random.default_rng(7).integers(1, 255, (3, SIZE, SIZE)).astype(np.uint8)
    values = values // 4 + np.kron(values[:, ::10, ::10], np.ones((1, 10, 10), np.uint8)) // 4 * 3
    values[:, :20, :20] = 0
    return values


@pytest.fixture(scope="session")
def place(predictor: Predictor) -> dict:
    """Return CRS and pixel size of the region, as keywords of a raster."""
    gsd = predictor.description.statistics.gsd
    return {"crs": "EPSG:32631", "transform": Affine(gsd, 0, 500000, 0, -gsd, 5200000), "nodata": 0}


@pytest.fixture(scope="session")
def images(pixels: np.ndarray, place: dict, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return the nine images of the region."""
    folder, paths = tmp_path_factory.mktemp("images"), []
    for row in range(0, SIZE, SIDE):
        for column in range(0, SIZE, SIDE):
            part = pixels[:, row : row + SIDE, column : column + SIDE]
            moved = {**place, "transform": place["transform"] @ Affine.translation(column, row)}
            paths.append(tiny.write_raster(folder / f"i_{row}_{column}.tif", part, **moved))
    return paths


@pytest.fixture(scope="session")
def description(predictor: Predictor):
    """Return the description of the run."""
    return load_description(predictor.folder)
