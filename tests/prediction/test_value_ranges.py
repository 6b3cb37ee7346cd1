"""Images whose values have another range or data type than those of the training."""

import logging
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.windows import Window

from mtlaerial.config import PredictionSpec
from mtlaerial.errors import ConfigError, MismatchError
from mtlaerial.prediction.image_options import ImageOptions, value_range
from mtlaerial.prediction.predictor import Predictor
from mtlaerial.rasters.converted import ConvertedImage
from mtlaerial.rasters.geotiff import open_raster
from mtlaerial.rasters.validity import MaskedBands
from support import tiny

SPEC = PredictionSpec(window=64, stride=48, activation="softmax")


@pytest.fixture(scope="module")
def predictor(run_folder: Path) -> Predictor:
    """Return a predictor of a run of bytes from 0 to 255."""
    return Predictor(run_folder, SPEC)


def noise(size: int = 60) -> np.ndarray:
    return np.random.default_rng(0).integers(1, 255, (3, size, size), np.uint8)


def maps(folder: Path) -> list[np.ndarray]:
    found = []
    for name in ("semantics", "height"):
        with rasterio.open(folder / f"{name}.tif") as source:
            found.append(source.read(1))
    return found


@pytest.mark.parametrize(
    ("array", "limits"),
    [
        (noise().astype(np.uint16) * 257, (0.0, 65_535.0)),
        (noise().astype(np.int16) * 16 - 100, (-100.0, 3980.0)),
        (noise() / np.float32(255), (0.0, 1.0)),
        (noise() / 255.0 * 10_000, (0.0, 10_000.0)),
    ],
    ids=["uint16", "int16", "float32", "float64"],
)
def test_maps_are_those_of_the_same_image_in_bytes(
    predictor: Predictor, tmp_path: Path, array: np.ndarray, limits: tuple[float, float]
) -> None:
    path = tiny.write_raster(tmp_path / "a.tif", array)
    with pytest.raises(MismatchError, match=rf"found dtype {array.dtype}"):
        predictor.predict_image(path, tmp_path / "a")
    predictor.predict_image(path, tmp_path / "a", options=ImageOptions(stated_range=limits))
    predictor.predict_image(tiny.write_raster(tmp_path / "b.tif", noise()), tmp_path / "b")
    for converted, bytes_ in zip(maps(tmp_path / "a"), maps(tmp_path / "b"), strict=True):
        np.testing.assert_array_equal(converted, bytes_)


def test_clipped_values_are_counted_and_said(
    predictor: Predictor, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    array = np.full((3, 40, 40), 500, np.uint16)
    array[:, :, ::2] = 1500
    array[:, :4] = 2500  # a tenth
    path = tiny.write_raster(tmp_path / "a.tif", array)
    predictor.predict_image(path, tmp_path / "maps", options=ImageOptions(stated_range=(0, 2000)))
    assert f"{path}: 10 % of the values are outside of 0 to 2000 and clipped" in caplog.messages


def test_a_range_that_most_values_are_far_beyond_is_refused(predictor: Predictor, tmp_path: Path) -> None:
    path = tiny.write_raster(tmp_path / "a.tif", noise().astype(np.uint16) * 200)
    with pytest.raises(MismatchError, match=r"values outside 0 to 4095 .*expected values in --range"):
        predictor.predict_image(path, tmp_path / "maps", options=ImageOptions(stated_range=(0, 4095)))


def test_values_are_scaled_rounded_and_limited(tmp_path: Path) -> None:
    values = np.array([[[0, 100, 101, 104, 300, 400]]], np.uint16)
    with open_raster(tiny.write_raster(tmp_path / "a.tif", values, nodata=0)) as source:
        image = ConvertedImage(MaskedBands(source, [1]), (100, 300), (0, 50), "uint8")
        pixels = image.read(Window(0, 0, 6, 1))
    assert pixels.invalid is not None
    assert pixels.invalid.tolist() == [[True, False, False, False, False, False]]
    # (101 - 100) / 4 = 0.25, (104 - 100) / 4 = 1; 400 is beyond 300, and no-data counts as neither.
    assert pixels.values[0, 0, 1:].tolist() == [0, 0, 1, 50, 50]
    assert (image.values, image.clipped) == (5, 1)


@pytest.mark.parametrize("text", ["0", "1,0", "0,0", "a,b", "0,inf", "nan,1", "0,1,2"])
def test_a_range_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"--range: found .*; expected two numbers, the lower one first"):
        value_range("--range", text)
