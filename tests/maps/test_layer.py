"""Layers that cannot be written are refused in one sentence."""

from typing import Any

import pytest

from mtlaerial.errors import ConfigError
from mtlaerial.maps.layer import RasterLayer
from support.layers import CODES, HEIGHTS, LERC


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"codec": "jpeg"}, "found the codec 'jpeg'; expected one of zstd, deflate, lerc"),
        ({"dtype": "uint16"}, "found the dtype 'uint16'; expected one of uint8, int16, float32"),
        ({"resampling": "mode"}, "found the resampling 'mode'; expected one of nearest, average"),
        ({"bands": ()}, "found no bands"),
        ({"scale": 0.0}, "found the scale 0; expected a positive one"),
        ({"precision": 0.01}, "found a precision with the codec zstd, which is exact"),
        ({"nodata": -40000}, "found the no-data value -40000; expected a value of int16"),
        ({"nodata": float("nan")}, "found the no-data value nan; expected a value of int16"),
        ({"dtype": "float32"}, "found float32 with the scale 1 and no-data -32768; expected 1 and NaN"),
        ({"style": CODES.style}, "found a palette with the dtype int16; expected uint8"),
    ],
)
def test_a_layer_that_cannot_be_written_is_refused(options: dict[str, Any], message: str) -> None:
    valid: dict[str, Any] = {"name": "height", "bands": ("height",), "dtype": "int16", "nodata": -32768}
    RasterLayer(**valid)
    with pytest.raises(ConfigError) as caught:
        RasterLayer(**{**valid, **options})
    assert str(caught.value).startswith(f"layer height: {message}")


def test_codes_are_compressed_without_a_predictor_and_values_with_one() -> None:
    assert [layer.profile.get("predictor") for layer in (CODES, HEIGHTS, LERC)] == [1, 2, None]
    assert LERC.profile["max_z_error"] == 0.01
