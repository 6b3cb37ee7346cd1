"""Predictions of an area alone: its pixels have maps, others none, and windows without it are not run."""

import logging
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
import torch
from affine import Affine
from rasterio.crs import CRS

from mtlaerial.config import IGNORED, PredictionSpec
from mtlaerial.errors import DataError, MismatchError
from mtlaerial.prediction.image_batch import predict_images
from mtlaerial.prediction.image_inputs import find_images
from mtlaerial.prediction.image_options import ImageOptions
from mtlaerial.prediction.prediction_area import load_area
from mtlaerial.prediction.predictor import Predictor
from support import tiny

SPEC = PredictionSpec(window=64, stride=48, activation="softmax")
WEST, NORTH = tiny.WEST, tiny.NORTH
BOX = shapely.box(WEST + 10, NORTH - 30, WEST + 24, NORTH - 12)
"""Columns 20 to 47 and rows 24 to 59 of an image with pixels of 0.5 m."""


@pytest.fixture(scope="module")
def predictor(run_folder: Path) -> Predictor:
    return Predictor(run_folder, SPEC)


def write_area(folder: Path, *shapes: shapely.Geometry, crs: object = tiny.UTM, name: str = "area.gpkg") -> Path:
    frame = gpd.GeoDataFrame(geometry=list(shapes), crs=32631)
    (frame.set_crs(None, allow_override=True) if crs is None else frame.to_crs(crs)).to_file(folder / name)
    return folder / name


def picture(folder: Path, size: int = 150, name: str = "a.tif", **place: object) -> Path:
    array = np.random.default_rng(0).integers(1, 255, (3, size, size), np.uint8)
    return tiny.write_raster(folder / name, array, **place)  # type: ignore[arg-type]


def classes(folder: Path) -> np.ndarray:
    with rasterio.open(folder / "semantics.tif") as source:
        return source.read(1)


@pytest.mark.parametrize("crs", [tiny.UTM, "EPSG:4326", "EPSG:3857"])
def test_only_pixels_of_the_area_have_maps(predictor: Predictor, tmp_path: Path, crs: object) -> None:
    """Reprojected there and back, the area has the same pixels."""
    inner = BOX.buffer(-0.05, join_style="mitre")  # off the pixels' centres
    area = load_area(write_area(tmp_path, inner, crs=crs))
    predictor.predict_image(picture(tmp_path), tmp_path / "maps", options=ImageOptions(area=area))
    expected = np.zeros((150, 150), bool)
    expected[24:60, 20:48] = True
    np.testing.assert_array_equal(classes(tmp_path / "maps") != IGNORED, expected)


def test_pixels_of_the_area_have_the_values_that_they_have_in_a_window_of_it(run_folder: Path, tmp_path: Path) -> None:
    """The network sees nothing beyond the area, as it sees nothing beyond an image's no-data."""
    predictor = Predictor(run_folder, PredictionSpec(window=160, stride=160, activation="softmax"))
    path = picture(tmp_path)
    with rasterio.open(path) as source:
        values = source.read()
    inside = np.zeros((150, 150), bool)
    inside[24:60, 20:48] = True
    values[:, ~inside] = 0
    masked = tiny.write_raster(tmp_path / "masked.tif", values, nodata=0)
    area = load_area(write_area(tmp_path, BOX))
    predictor.predict_image(path, tmp_path / "area", options=ImageOptions(area=area))
    predictor.predict_image(masked, tmp_path / "masked")
    np.testing.assert_array_equal(classes(tmp_path / "area"), classes(tmp_path / "masked"))


def test_windows_without_the_area_are_not_run(run_folder: Path, tmp_path: Path) -> None:
    predictor = Predictor(run_folder, PredictionSpec(window=64, stride=64))
    network, sizes = predictor.blender.network, []

    def counting(windows: torch.Tensor) -> torch.Tensor:
        sizes.append(len(windows))
        return network(windows)

    predictor.blender.network = counting
    # One of 4 x 4 windows of 64 pixels.
    area = load_area(write_area(tmp_path, shapely.box(WEST + 70, NORTH - 90, WEST + 90, NORTH - 70)))
    predictor.predict_image(picture(tmp_path, size=256), tmp_path / "maps", options=ImageOptions(area=area))
    assert sum(sizes) == 1


def test_the_area_of_a_resampled_image_is_exact_on_its_own_grid(predictor: Predictor, tmp_path: Path) -> None:
    path = picture(tmp_path, crs=CRS.from_epsg(4326), transform=Affine(6e-6, 0, 3.0, 0, -4.5e-6, 45.1))
    west, north = 3.0 + 30 * 6e-6, 45.1 - 40 * 4.5e-6
    place = shapely.box(west, north - 50 * 4.5e-6, west + 60 * 6e-6, north)
    frame = gpd.GeoDataFrame(geometry=[place], crs=4326)
    frame.to_file(tmp_path / "area.geojson")
    options = ImageOptions(resample=True, area=load_area(tmp_path / "area.geojson"))
    predictor.predict_image(path, tmp_path / "maps", options=options)
    expected = np.zeros((150, 150), bool)
    expected[40:90, 30:90] = True
    np.testing.assert_array_equal(classes(tmp_path / "maps") != IGNORED, expected)


def test_an_image_outside_of_the_area_is_refused_alone_and_left_out_of_several(
    predictor: Predictor, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    options = ImageOptions(area=load_area(write_area(tmp_path, BOX)))
    far = picture(tmp_path, name="far.tif", west=WEST + 10_000)
    with pytest.raises(MismatchError, match=r"area\.gpkg: found an image that has nothing of it.*overlaps .*far\.tif"):
        predictor.predict_image(far, tmp_path / "maps", options=options)
    near = picture(tmp_path, name="near.tif")
    predict_images(predictor, find_images([str(far), str(near)]), tmp_path / "maps", options)
    assert "1 of 2 images have nothing of the area" in caplog.text
    assert sorted(path.name for path in (tmp_path / "maps").iterdir()) == ["collection.json", "near"]
    other = picture(tmp_path, name="other.tif", west=WEST - 10_000)
    with pytest.raises(MismatchError, match="nothing of it"):
        predict_images(predictor, find_images([str(far), str(other)]), tmp_path / "none", options)


def test_an_area_that_is_none_is_refused(predictor: Predictor, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"points\.gpkg: found Point; expected polygons"):
        load_area(write_area(tmp_path, shapely.Point(WEST, NORTH), name="points.gpkg"))
    with pytest.raises(DataError, match=r"nowhere\.gpkg: found no such file"):
        load_area(tmp_path / "nowhere.gpkg")
    without = load_area(write_area(tmp_path, BOX, crs=None, name="without.gpkg"))
    with pytest.raises(MismatchError, match=r"without\.gpkg: found no CRS; expected one, as .*a\.tif has one"):
        predictor.predict_image(picture(tmp_path), tmp_path / "maps", options=ImageOptions(area=without))
