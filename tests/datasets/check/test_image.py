"""The pixels of images: each fault gives just its finding."""

import numpy as np
import pytest

from support.town import SIZE, Town, only


def test_bands(town: Town) -> None:
    only("error", town.write("image", "a", town.image()[:2]), town.check(), "2 bands", "3 bands (red, green, blue)")


def test_complex_image(town: Town) -> None:
    only("error", town.write("image", "a", town.image().astype(np.complex64)), town.check(), "complex64")


def test_image_range(town: Town) -> None:
    image = town.image().astype(np.uint16)
    image[:, :16] = 1000
    only("warning", town.write("image", "a", image), town.check(), "25 % of the values outside 0 to 255", "1000")


def test_values_that_are_not_finite_are_no_image(town: Town) -> None:
    image = town.image().astype(np.float32)
    image[0, 0, :2] = np.nan, np.inf
    image[:, 1] = np.nan  # in all bands, as usual for no data
    report = town.write("image", "a", image), town.check()
    only("warning", *report, "0.0488 % of the pixels", "infinite values, or NaN in some bands", "count as no image")
    assert report[1].image
    assert report[1].image.nodata == (2 + SIZE) / SIZE**2


def test_constant_image(town: Town) -> None:
    path = town.write("image", "a", np.full((3, SIZE, SIZE), 7, dtype=np.uint8))
    only("warning", path, town.check(), "the value 7 in every pixel")


def test_reflectances_taken_for_bytes(town: Town) -> None:
    path = town.write("image", "a", town.image() / np.float32(255))
    only("error", path, town.check(), "values from 0 to 1 only", "0 to 255")


@pytest.mark.parametrize("nodata", [0, np.nan])
def test_image_nodata(town: Town, nodata: float) -> None:
    image = town.image().astype(np.float32) + 0.5
    image[:, :16] = nodata
    town.change(image={"range": [0.5, 256]})
    town.write("image", "a", image, nodata=nodata)
    report = town.check()
    assert report.findings == ()
    assert report.image
    assert report.image.nodata == 0.25
    image[:] = nodata
    only("error", town.write("image", "a", image, nodata=nodata), town.check(), "no pixel with data")
