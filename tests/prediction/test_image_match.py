"""Images and runs: what does not match is refused, what is unusual is logged."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.crs import CRS
from rasterio.enums import ColorInterp

from mtlaerial.datasets.check import check_tile
from mtlaerial.errors import MismatchError, UserError
from mtlaerial.prediction.image_match import match_image
from mtlaerial.prediction.image_options import ImageOptions
from mtlaerial.runs.run import RunDescription, load_description
from mtlaerial.tiles.statistics import BandStatistics
from support import tiny
from support.bad_rasters import BAD_RASTERS
from support.town import Town

RGB = (ColorInterp.red, ColorInterp.green, ColorInterp.blue)


@pytest.fixture(scope="module")
def description(run_folder: Path) -> RunDescription:
    """Return the description of a run of red, green and blue bytes at 0.5 m."""
    return load_description(run_folder)


def trained_on(description: RunDescription, bands: dict[str, int] | None = None, **changes: Any) -> RunDescription:
    """Return a run of other images; all their bands have mean 127 and deviation 74."""
    levels = [BandStatistics(name=name, index=index, mean=127, std=74) for name, index in (bands or {}).items()]
    changes |= {"bands": tuple(levels)} if levels else {}
    return description.model_copy(update={"statistics": description.statistics.model_copy(update=changes)})


def noise(bands: int = 3, size: int = 40) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (bands, size, size), dtype=np.uint8)


def write(folder: Path, array: np.ndarray, colours: Sequence[ColorInterp] = (), **profile: Any) -> Path:
    path = tiny.write_raster(folder / "ortho.tif", array, **profile)
    if colours:
        with rasterio.open(path, "r+") as target:
            target.colorinterp = colours
    return path


def refusal(path: Path, description: RunDescription, bands: list[int] | None = None, gsd: float | None = None) -> str:
    with pytest.raises(MismatchError) as caught:
        match_image(path, description, ImageOptions(bands, gsd))
    return str(caught.value)


@pytest.mark.quick_cases(20, "one way for all rasters")
@pytest.mark.parametrize("name", BAD_RASTERS)
def test_a_bad_raster_ends_in_one_sentence_in_check_and_predict(
    name: str, tmp_path: Path, description: RunDescription
) -> None:
    bad, town = BAD_RASTERS[name], Town(tmp_path)
    town.change(height=None)
    bad.write(town)
    report = check_tile(town.dataset, "a")
    errors = [str(finding) for finding in report.findings if finding.level == "error"]
    with pytest.raises(UserError) as caught:
        match_image(town.root / "image" / bad.name, description, ImageOptions())
    for word in bad.words:
        assert word in str(caught.value)
        assert not bad.error_in_check or any(word in error for error in errors), errors
    assert bool(errors) or not bad.error_in_check
    assert "\n" not in str(caught.value)


# Ground sampling distance


def test_pixels_are_measured_on_the_ground(tmp_path: Path, description: RunDescription) -> None:
    """A pixel of 1 m in Web Mercator covers about 0.5 m at 60 degrees north."""
    place = {"crs": CRS.from_epsg(3857), "west": 1e6, "north": 8_399_738.0}
    match_image(write(tmp_path, noise(), pixel=1.0, **place), description, ImageOptions())
    assert "found pixels of 0.25" in refusal(write(tmp_path, noise(), pixel=0.5, **place), description)


@pytest.mark.parametrize("gsd", [0.0, -0.5, float("nan"), float("inf")])
def test_a_stated_gsd_that_is_no_length_is_refused(tmp_path: Path, description: RunDescription, gsd: float) -> None:
    for pixel in (0.5, 0.0):
        message = refusal(write(tmp_path, noise(), pixel=pixel), description, gsd=gsd)
        assert message == f"--gsd: found {gsd:g}; expected metres per pixel above 0. Correct it."


def test_a_stated_gsd_does_not_override_the_georeference(tmp_path: Path, description: RunDescription) -> None:
    message = refusal(write(tmp_path, noise(), pixel=5.0), description, gsd=0.5)
    assert "found pixels of 5 x 5 m; expected 0.5 x 0.5 m, by --gsd. Leave --gsd out" in message
    match_image(write(tmp_path, noise()), description, ImageOptions(gsd=0.5))


ROTATED = {"transform": Affine.translation(5e5, 5e6) @ Affine.rotation(20) @ Affine.scale(0.4, -0.4)}
"""Pixels of 0.4 m."""
DEGREES = {"crs": CRS.from_epsg(4326), "transform": Affine(5.4e-6, 0, 151.2, 0, -4.5e-6, -33.9)}
"""Pixels of 0.5 m: a degree of latitude has 110.9 km there, one of longitude 92.5 km."""
QUARTER_TURN = {"transform": Affine.translation(5e5, 5e6) @ Affine(0, 0.4, 0, 0.4, 0, 0)}


@pytest.mark.parametrize(("place", "size"), [(ROTATED, 0.4), (QUARTER_TURN, 0.4), (DEGREES, 0.5)])
def test_a_resampled_image_is_held_to_the_stated_gsd(
    place: dict[str, Any], size: float, tmp_path: Path, description: RunDescription
) -> None:
    path = write(tmp_path, noise(), **place)
    match_image(path, description, ImageOptions(gsd=size, resample=True))
    with pytest.raises(MismatchError, match=r"found pixels of 0\.[45].*expected 0\.45 x 0\.45 m, by --gsd"):
        match_image(path, description, ImageOptions(gsd=0.45, resample=True))


def test_an_image_without_georeference_may_have_another_gsd(tmp_path: Path, description: RunDescription) -> None:
    message = refusal(write(tmp_path, noise(), pixel=0), description, gsd=0.25)
    assert "outsize=20,20&r=average'" in message


# Bands


def test_prediction_reads_the_bands_that_training_read(tmp_path: Path, description: RunDescription) -> None:
    infrared = trained_on(description, {"near infrared": 4, "red": 1, "green": 2})
    path = write(tmp_path, noise(4), photometric="minisblack", alpha="no")
    assert match_image(path, infrared, ImageOptions()).bands == (4, 1, 2)
    assert match_image(path, infrared, ImageOptions([1, 2, 3])).bands == (1, 2, 3)
    message = refusal(write(tmp_path, noise(3)), infrared)
    assert "found 3 bands; expected the bands 4, 1, 2. Choose them with --bands 1,2,3 if these are" in message


def test_too_few_bands_get_no_advice_that_fails_again(tmp_path: Path, description: RunDescription) -> None:
    four = trained_on(description, {"red": 1, "green": 2, "blue": 3, "nir": 4})
    message = refusal(write(tmp_path, noise(3)), four)
    assert "found 3 bands; expected 4 bands (red, green, blue, nir). Map an image that has them" in message
    assert "--bands" not in message


@pytest.mark.parametrize(
    ("bands", "message"),
    [
        ([1, 1, 1], "band 1 more than once in --bands (1, 1, 1); expected 3 different bands"),
        ([0, 1, 2], "band 0 in --bands; expected bands counted from 1"),
        ([1, 2], "2 bands in --bands (1, 2); expected 3 bands (red, green, blue)"),
        ([1, 2, 7], "3 bands; expected the bands 1, 2, 7. Choose them with --bands 1,2,3"),
    ],
)
def test_wrong_bands(tmp_path: Path, description: RunDescription, bands: list[int], message: str) -> None:
    assert message in refusal(write(tmp_path, noise()), description, bands)


def test_colour_tags_count_unless_bands_are_chosen(
    tmp_path: Path, description: RunDescription, caplog: pytest.LogCaptureFixture
) -> None:
    path = write(tmp_path, noise(), RGB[::-1], photometric="minisblack")
    message = refusal(path, description)
    assert "labelled blue, green, red; expected red, green, blue. Choose them with --bands 3,2,1, or" in message
    assert match_image(path, description, ImageOptions([3, 2, 1])).bands == (3, 2, 1)
    assert "labelled" not in caplog.text
    assert match_image(path, description, ImageOptions([1, 2, 3])).bands == (1, 2, 3)
    assert "labelled blue, green, red" in caplog.text


def test_near_infrared_may_be_tagged_as_red(tmp_path: Path, description: RunDescription) -> None:
    """Viewers show such images in false colours by these tags."""
    infrared = trained_on(description, {"near infrared": 1, "red": 2, "green": 3})
    assert match_image(write(tmp_path, noise(), RGB), infrared, ImageOptions()).bands == (1, 2, 3)


def test_descriptions_of_bands_count_before_colour_tags(tmp_path: Path, description: RunDescription) -> None:
    path = write(tmp_path, noise(), RGB)
    with rasterio.open(path, "r+") as target:
        target.descriptions = ("Green", "Near infrared", "Red")
    infrared = trained_on(description, {"near infrared": 1, "red": 2, "green": 3})
    assert "Choose them with --bands 2,3,1" in refusal(path, infrared)


def test_bands_that_nobody_uses_are_warned_of(
    tmp_path: Path, description: RunDescription, caplog: pytest.LogCaptureFixture
) -> None:
    five = write(tmp_path, noise(5), (*RGB, ColorInterp.undefined, ColorInterp.alpha))
    match_image(five, description, ImageOptions())
    assert "5 bands, of which 1, 2, 3 are used" in caplog.text
    assert "Band 4 will not be seen" in caplog.text
    caplog.clear()
    match_image(five, description, ImageOptions([1, 2, 3]))
    assert "will not be seen" not in caplog.text


def test_an_alpha_band_that_looks_like_an_image_is_warned_of(
    tmp_path: Path, description: RunDescription, caplog: pytest.LogCaptureFixture
) -> None:
    """GDAL tags the fourth band of bytes as alpha by default."""
    array = noise(4)
    match_image(write(tmp_path, array), description, ImageOptions())
    assert "band 4 tagged as alpha" in caplog.text
    assert "neither transparent nor opaque" in caplog.text
    caplog.clear()
    array[3] = np.where(array[3] > 200, 255, 0)
    match_image(write(tmp_path, array), description, ImageOptions())
    assert "alpha" not in caplog.text


# Values


def test_values_of_another_unit_are_refused(tmp_path: Path, description: RunDescription) -> None:
    floats = trained_on(description, dtype="float32", range=(0.0, 1.0))
    bright = write(tmp_path, noise().astype(np.float32))
    assert "of the values outside 0 to 1 (they reach from 0 to 255)" in refusal(bright, floats)
    assert "?ot=Float32&scale=0,255,0,1'" in refusal(bright, floats)
    bytes_as_floats = trained_on(description, dtype="float32", range=(0.0, 255.0))
    match_image(bright, bytes_as_floats, ImageOptions())
    dim = write(tmp_path, noise() / np.float32(255))
    assert "found values from 0 to 1 only; expected values that make use of 0 to 255" in refusal(dim, bytes_as_floats)
    assert "?ot=Float32&scale=0,1,0,255'" in refusal(dim, bytes_as_floats)
    match_image(dim, floats, ImageOptions())


@pytest.mark.parametrize(
    ("array", "dtype", "limits", "command"),
    [
        (noise().astype(np.uint16) * 12, "uint8", (0.0, 255.0), "ot=Byte&scale=0,4095,0,255"),
        (noise(), "float32", (0.0, 1.0), "ot=Float32&scale=0,255,0,1"),
        (noise() / np.float32(255), "uint16", (0.0, 10_000.0), "ot=UInt16&scale=0,1,0,10000"),
        (noise().astype(np.uint16), "uint8", (0.0, 255.0), "ot=Byte&scale=0,255,0,255"),
        (noise() * 10.0, "float32", (0.0, 3000.0), "ot=Float32&scale=0,3000,0,3000"),
    ],
)
def test_another_dtype_is_refused_with_the_command_that_converts(
    tmp_path: Path, description: RunDescription, array: np.ndarray, dtype: str, limits: Any, command: str
) -> None:
    message = refusal(write(tmp_path, array), trained_on(description, dtype=dtype, range=limits))
    assert f"found dtype {array.dtype}; expected {dtype} with values from 0 to {limits[1]:g}" in message
    assert f"rio convert 'vrt://{tmp_path}/ortho.tif?{command}' {tmp_path}/ortho_new.tif" in message


def test_levels_far_from_the_training_are_logged_with_numbers(
    tmp_path: Path, description: RunDescription, caplog: pytest.LogCaptureFixture
) -> None:
    """Uniform bytes have mean 127.5 and deviation 73.9; a tenth of them, deviation 7.4."""
    run = trained_on(description, {"red": 1, "green": 2, "blue": 3})
    array = noise()
    match_image(write(tmp_path, array), run, ImageOptions())
    assert not caplog.records
    array[1] = array[1] // 10
    match_image(write(tmp_path, array), run, ImageOptions())
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "found mean and deviation of bands green 12" in caplog.text
    assert "about those of the training (green 127 ± 74)" in caplog.text


def test_the_sample_leaves_out_pixels_without_data(
    tmp_path: Path, description: RunDescription, caplog: pytest.LogCaptureFixture
) -> None:
    array = np.maximum(noise(), 1)
    array[:, 8:] = 0
    match_image(write(tmp_path, array, nodata=0), trained_on(description, {"r": 1, "g": 2, "b": 3}), ImageOptions())
    assert not caplog.records
