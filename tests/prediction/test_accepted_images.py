"""Images that are mapped, and those that do not match the run: bands, pixel size, georeference, no-data."""

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.crs import CRS

from mtlaerial.config import IGNORED
from mtlaerial.errors import DataError, MismatchError
from mtlaerial.prediction.predictor import Predictor
from mtlaerial.rasters.geotiff import open_raster
from support import tiny
from support.predictions import TASKS, metres, ortho, pixels


def test_pixels_without_data_are_without_class_and_height(predictor: Predictor, tmp_path: Path) -> None:
    array = np.random.default_rng(0).integers(1, 255, (3, 70, 90), np.uint8)
    array[:, 10:30, 20:50] = 0
    path = tiny.write_raster(tmp_path / "ortho.tif", array, nodata=0)
    predictor.predict_image(path, tmp_path / "out")
    absent = (array == 0).all(axis=0)
    np.testing.assert_array_equal(pixels(tmp_path / "out" / "semantics.tif")[0] == IGNORED, absent)
    np.testing.assert_array_equal(np.isnan(metres(tmp_path / "out" / "height.tif")), absent)


def test_bands_may_be_chosen_and_ordered(predictor: Predictor, image: Path, maps: Path, tmp_path: Path) -> None:
    array = pixels(image)
    with rasterio.open(image) as source:
        place = {"west": source.transform.c, "north": source.transform.f}
    path = tiny.write_raster(tmp_path / "ortho.tif", np.stack([array[2], array[0] * 0, array[0], array[1]]), **place)
    predictor.predict_image(path, tmp_path / "out", bands=[3, 4, 1])
    for task in TASKS:
        np.testing.assert_array_equal(pixels(tmp_path / "out" / f"{task}.tif"), pixels(maps / f"{task}.tif"))


def test_an_image_without_georeference_is_taken_when_its_gsd_is_stated(predictor: Predictor, tmp_path: Path) -> None:
    path = ortho(tmp_path, pixel=0)
    with pytest.raises(MismatchError, match=r"no georeference.*--gsd"):
        predictor.predict_image(path, tmp_path / "out")
    predictor.predict_image(path, tmp_path / "out", gsd=0.5)
    with open_raster(tmp_path / "out" / "height.tif") as source:
        assert source.shape == (40, 40)


FEET = CRS.from_epsg(2992)


def test_pixel_sizes_in_feet_are_converted(predictor: Predictor, tmp_path: Path) -> None:
    place = {"crs": FEET, "west": 1_200_000.0, "north": 1_000_000.0}
    predictor.predict_image(ortho(tmp_path, pixel=0.5 / 0.3048, **place), tmp_path / "out")
    with pytest.raises(MismatchError, match=r"found pixels of 0\.1524 x 0\.1524 m.*--res 1\.64041995 --resampling"):
        predictor.predict_image(ortho(tmp_path, **place), tmp_path / "out")


@pytest.mark.parametrize(
    ("options", "bands", "message"),
    [
        ({"bands": 1}, None, "found 1 band; expected 3 bands (red, green, blue). Map an image that has them"),
        ({"bands": 4}, [1, 2, 5], "found 4 bands; expected the bands 1, 2, 5. Choose them with --bands 1,2,3 if"),
        ({"bands": 4}, [1, 2], "found 2 bands"),
        ({"dtype": np.uint16}, None, "found dtype uint16; expected uint8"),
        ({"pixel": 0.25}, None, "found pixels of 0.25 x 0.25 m; expected about 0.5 x 0.5 m"),
        ({"pixel": 0.6}, None, "--res 0.5 --resampling cubic"),
        ({"crs": CRS.from_epsg(4326), "west": 5, "north": 50}, None, "found a CRS in degrees"),
        ({"transform": Affine.rotation(10) @ Affine.scale(0.5, -0.5)}, None, "found a rotated raster"),
    ],
)
def test_an_image_that_does_not_match_is_refused_in_one_sentence(
    predictor: Predictor, tmp_path: Path, options: dict[str, Any], bands: list[int] | None, message: str
) -> None:
    path = ortho(tmp_path, **options)
    with pytest.raises(MismatchError) as caught:
        predictor.predict_image(path, tmp_path / "out", bands)
    assert message in str(caught.value)
    assert str(caught.value).startswith(f"{path}: found ")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_a_damaged_image_is_named_and_leaves_nothing(predictor: Predictor, tmp_path: Path) -> None:
    path = ortho(tmp_path, size=400, compress="deflate", blockysize=16)
    path.write_bytes(path.read_bytes()[:200_000])
    with pytest.raises(DataError, match=r"ortho\.tif: .*truncated or damaged"):
        predictor.predict_image(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_image_without_a_crs_is_mapped_and_said(
    predictor: Predictor, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    path = ortho(tmp_path, crs=None)
    predictor.predict_image(path, tmp_path / "out", gsd=0.5)
    assert f"{path}: no CRS, so the maps have none: give a GIS the CRS when it opens them" in caplog.messages
    assert json.loads((tmp_path / "out" / "stac_item.json").read_text())["geometry"] is None
