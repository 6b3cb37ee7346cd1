"""Labels without the borders of objects."""

from pathlib import Path

import numpy as np
import pytest
import rasterio

from mtlaerial.synthetic.erosion import RADIUS, at_border, erode_labels
from support import tiny

SIDES = 700, 40
"""More rows than are worked on at a time."""


def labels_of(bands: int) -> np.ndarray:
    """Return two rectangles, in the middle of the first block and across its end, on a background."""
    raw = np.full((bands, *SIDES), 255, np.uint8)
    raw[-1, 200:230, 10:30] = raw[-1, 500:560, 10:30] = 7
    return raw


@pytest.mark.parametrize("bands", [1, 3])
def test_borders_are_what_is_near_another_class(bands: int) -> None:
    raw = labels_of(bands)[:, 190:240]
    expected = np.zeros(raw.shape[1:], dtype=bool)
    for row, column in np.ndindex(expected.shape):
        others = np.argwhere((raw != raw[:, row, column][:, None, None]).any(axis=0))
        expected[row, column] = np.hypot(*(others - (row, column)).T).min() <= RADIUS
    assert expected.any()
    np.testing.assert_array_equal(at_border(raw), expected)


@pytest.mark.parametrize(("bands", "border"), [(1, 0), (3, (0, 0, 9))])
def test_blocks_leave_no_seam(bands: int, border: int | tuple[int, ...], tmp_path: Path) -> None:
    raw = labels_of(bands)
    whole, path = tiny.write_raster(tmp_path / "whole.tif", raw), tmp_path / "eroded.tif"
    with rasterio.open(whole) as source, rasterio.open(path, "w", **source.profile) as target:
        erode_labels(whole, target, border)
    with rasterio.open(path) as source:
        eroded = source.read()
    cut = at_border(raw)
    np.testing.assert_array_equal(eroded[:, ~cut], raw[:, ~cut])
    assert (border == eroded[:, cut].T).all()
