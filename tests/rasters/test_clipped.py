"""Images of which only an area counts."""

from pathlib import Path

import numpy as np
import pytest
import shapely
from rasterio.windows import Window

from mtlaerial.rasters.clipped import ClippedImage
from mtlaerial.rasters.geotiff import open_raster
from mtlaerial.rasters.validity import MaskedBands, Pixels
from support import tiny

WEST, NORTH = tiny.WEST, tiny.NORTH


def test_windows_without_the_area_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(0).integers(1, 255, (2, 40, 40), np.uint8)
    area = shapely.box(WEST + 10, NORTH - 20, WEST + 20, NORTH - 15)  # columns 20 to 39, rows 30 to 39
    with open_raster(tiny.write_raster(tmp_path / "a.tif", values)) as source:
        bands, windows = MaskedBands(source, [1, 2]), []
        original = bands.read

        def counting(window: Window | None = None) -> Pixels:
            windows.append(window)
            return original(window)

        monkeypatch.setattr(bands, "read", counting)
        image = ClippedImage(bands, source.transform, area)
        outside = image.read(Window(0, 0, 20, 40))
        assert windows == []
        assert outside.values.shape == (2, 40, 20)
        assert outside.invalid is not None
        assert outside.invalid.all()
        across = image.read(Window(10, 25, 20, 10))
        assert across.invalid is not None
        expected = np.ones((10, 20), bool)
        expected[5:, 10:] = False
        np.testing.assert_array_equal(across.invalid, expected)
        np.testing.assert_array_equal(across.values[:, 5:, 10:], values[:, 30:35, 20:30])
        assert image.read(Window(22, 31, 4, 4)).invalid is None
        assert len(windows) == 2


def test_a_side_of_the_area_along_that_of_a_window_is_no_area(tmp_path: Path) -> None:
    block, island = shapely.box(WEST, NORTH - 20, WEST + 10, NORTH), shapely.box(WEST + 14, NORTH - 9, WEST + 18, NORTH)
    path = tiny.write_raster(tmp_path / "a.tif", np.ones((1, 40, 40), np.uint8))
    with open_raster(path) as source:
        image = ClippedImage(MaskedBands(source, [1]), source.transform, shapely.union(block, island))
        invalid = image.read(Window(20, 0, 20, 40)).invalid
    expected = np.ones((40, 20), bool)
    expected[:18, 8:16] = False  # the island alone: the block ends where the window begins
    np.testing.assert_array_equal(invalid, expected)
