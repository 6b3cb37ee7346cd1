"""Decoding of raw heights and labels."""

import numpy as np
import pytest

from mtlaerial.config import HeightSpec, LabelsSpec
from mtlaerial.datasets.decode import RawHeights, decode_height, decode_labels, unknown_labels

CODES = {
    "files": "x",
    "ignore": [9],
    "classes": [
        {"name": "road", "values": [0], "colour": "#ffffff"},
        {"name": "house", "values": [1], "colour": "#0000ff"},
        {"name": "grass", "values": [2, 3], "colour": "#00ff00"},
    ],
}


def test_decode_height() -> None:
    spec = HeightSpec.parse({"files": "x", "scale": 0.1, "offset": 1, "nodata": -1, "nodata_above": 9000}, "x")
    raw = np.array([[0, 50, -1, 9000, 7, 6000]], dtype=np.int16)
    expected = np.array([[1, 6, np.nan, np.nan, np.nan, np.nan]], dtype=np.float32)
    decoded = decode_height(spec, RawHeights(raw, raw == 7))
    assert decoded.dtype == np.float32
    np.testing.assert_allclose(decoded, expected)


def test_decode_height_of_a_pair() -> None:
    spec = HeightSpec.parse({"surface": "x", "ground": "y"}, "x")
    surface = np.array([[2_000_010, 5, 0, 3]], dtype=np.uint32)
    ground = np.array([[2_000_000, 7, 3, 255]], dtype=np.uint32)
    decoded = decode_height(spec, RawHeights(surface, surface == 0), RawHeights(ground, ground == 255))
    np.testing.assert_array_equal(decoded, np.array([[10, -2, np.nan, np.nan]], dtype=np.float32))


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int32, np.int64])
def test_decode_codes(dtype: type) -> None:
    spec = LabelsSpec.parse(CODES, "x")
    raw = np.array([[0, 1, 2, 3, 9, 4, 100, 6]], dtype=dtype)
    assert decode_labels(spec, raw, raw == 6).tolist() == [[0, 1, 2, 2, 255, 255, 255, 255]]
    assert unknown_labels(spec, raw, raw == 6) == {4: 1, 100: 1}


def test_decode_colours() -> None:
    classes = [{"name": str(c), "values": [c], "colour": "#000000"} for c in ((0, 0, 0), (255, 255, 255), (1, 0, 2))]
    spec = LabelsSpec.parse({"files": "x", "encoding": "rgb", "classes": classes}, "x")
    raw = np.array([[0, 0, 0], [255, 255, 255], [1, 0, 2], [2, 0, 1], [2, 0, 1]], dtype=np.uint8).T[:, None]
    assert decode_labels(spec, raw).tolist() == [[0, 1, 2, 255, 255]]
    assert unknown_labels(spec, raw) == {(2, 0, 1): 2}
