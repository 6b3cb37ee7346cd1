"""Maps that benchmarks score."""

from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import rasterio

from support import tiny

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def test_heights_are_read_in_metres_whatever_they_are_stored_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(BENCHMARKS)
    mosaic = import_module("mosaic")
    path = tiny.write_raster(tmp_path / "height.tif", np.full((1, 4, 4), 153, np.int16))
    with rasterio.open(path, "r+") as source:
        source.scales = (0.01,)
    assert mosaic.pixels(path) == pytest.approx(np.full((4, 4), 1.53))
