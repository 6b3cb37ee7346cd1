"""The value of cells that a reprojected layer leaves empty."""

from typing import Any

import numpy as np
import pytest

from mtlaerial.config import Layer
from mtlaerial.datasets.check.empty_cells import empty_cells
from mtlaerial.datasets.check.image_gate.header import RasterHeader
from support.town import Town

RGB: dict[str, Any] = {
    "encoding": "rgb",
    "ignore": [],
    "classes": [
        {"name": "road", "values": ["#ffffff"], "colour": "#ffffff"},
        {"name": "dark", "values": ["#000000"], "colour": "#000000"},
    ],
}


@pytest.mark.parametrize(
    ("layer", "dtype", "sections", "option"),
    [
        ("height", np.float32, {}, "--src-nodata -9999"),
        ("height", np.float32, {"height": {"nodata": None}}, "--src-nodata nan"),
        ("height", np.int16, {"height": {"nodata": None}}, "--src-nodata -32768"),
        ("height", np.uint16, {}, "--src-nodata 65535"),
        ("labels", np.uint8, {}, "--src-nodata 9"),
        ("labels", np.uint8, {"labels": {"ignore": []}}, "--src-nodata 255"),
        ("labels", np.uint8, {"labels": RGB}, "--src-nodata 1"),
        ("labels", np.uint8, {"labels": RGB | {"ignore": ["#808080"]}}, "--src-nodata 128"),
    ],
)
def test_empty_cells_are_no_class_and_no_height(
    town: Town, layer: Layer, dtype: type, sections: dict[str, Any], option: str
) -> None:
    town.change(**sections)
    path = town.write(layer, "a", np.zeros((4, 4), dtype))
    assert empty_cells(town.dataset.spec, layer, RasterHeader.read(path)) == option


def test_a_file_with_a_tag_marks_empty_cells_itself(town: Town) -> None:
    path = town.write("height", "a", town.heights(), nodata=-1)
    assert empty_cells(town.dataset.spec, "height", RasterHeader.read(path)) == ""
