"""Blended values on the cells of other grids: means over pixels, whatever the blocks, without pixels of no data."""

import math

import pytest
import torch

from mtlaerial.prediction.blending import blender as blending
from support.blending import blend, cell_means, picture, pointwise

ROWS, COLUMNS = 83, 150
PLACES = {
    "coarser": ((0.5, 0, 42), (0.5, 0, 75)),
    "ten times coarser": ((0.1, 0, 9), (0.1, 0, 15)),
    "coarser than a window": ((1 / 50, 0, 2), (1 / 70, 0, 3)),
    "one cell": ((1 / ROWS, 0, 1), (1 / COLUMNS, 0, 1)),
    "not a whole multiple": ((1 / 1.7, 0, 49), (1 / 2.3, 0, 66)),
    "shifted": ((1, 0.3, 84), (0.5, 0.5, 76)),
    "finer": ((2, 0, 2 * ROWS), (1.5, 0, 225)),
    "reaching outside": ((0.5, 6, 60), (1, 7, 170)),
    "far outside": ((1, 90, 200), (0.25, 30, 90)),
    "the south-east part": ((1, -60, 23), (1, -100, 50)),
    "the north-west part": ((1, 0, 9), (0.5, 0, 11)),
    "a part within": ((0.5, -12.25, 7), (1, -37.4, 20)),
    "beside the image": ((1, 0, ROWS), (1, -160, 10)),
}


@pytest.mark.quick_cases(3, "a prediction a case")
@pytest.mark.usefixtures("blocks")
@pytest.mark.parametrize("name", PLACES)
def test_cells_are_the_means_of_their_pixels(name: str) -> None:
    image = picture(ROWS, COLUMNS)
    blended = blend(image, [PLACES[name]])[0]
    expected = cell_means(pointwise(image[None])[0], *PLACES[name])
    torch.testing.assert_close(blended, expected, rtol=1e-5, atol=1e-5, equal_nan=True)


@pytest.mark.full("one target at a time is in the quick tier")
def test_several_targets_are_filled_in_one_pass() -> None:
    image = picture(ROWS, COLUMNS)
    places = list(PLACES.values())
    for blended, place in zip(blend(image, places), places, strict=True):
        expected = cell_means(pointwise(image[None])[0], *place)
        torch.testing.assert_close(blended, expected, rtol=1e-5, atol=1e-5, equal_nan=True)


@pytest.mark.parametrize("name", PLACES)
def test_the_number_of_blocks_changes_nothing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    image = picture(ROWS, COLUMNS, bands=2)
    whole = blend(image, [PLACES[name]])[0]
    for size in (1, 100_000, 200_000):
        monkeypatch.setattr(blending, "BLOCK_BYTES", size)
        torch.testing.assert_close(blend(image, [PLACES[name]])[0], whole, rtol=1e-6, atol=1e-6, equal_nan=True)


@pytest.mark.quick_cases(4, "a prediction a case")
@pytest.mark.usefixtures("blocks")
@pytest.mark.parametrize("name", ["coarser", "not a whole multiple", "finer", "shifted", "a part within"])
@pytest.mark.parametrize("nodata", [0.0, math.nan])
def test_pixels_without_data_do_not_count(name: str, nodata: float) -> None:
    image = picture(ROWS, COLUMNS, bands=2)
    image[:, 20:45, 30:71] = nodata
    image[0, 60, 60] = nodata if nodata == 0 else 5.0  # one block alone is not no-data
    values = pointwise(image[None])[0]
    values[:, 20:45, 30:71] = math.nan
    blended = blend(image, [PLACES[name]], nodata=nodata)[0]
    expected = cell_means(values, *PLACES[name])
    assert torch.isnan(expected).any()
    torch.testing.assert_close(blended, expected, rtol=1e-4, atol=1e-4, equal_nan=True)
