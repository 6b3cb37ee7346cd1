"""VRTs whose files are missing are refused when they are opened, before any pixel is read."""

from pathlib import Path

import numpy as np
import pytest

from mtlaerial.errors import DataError
from mtlaerial.rasters.geotiff import open_raster
from support import tiny
from support.bad_rasters import virtual


def test_a_vrt_without_its_file_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "a.vrt"
    path.write_text(virtual("gone.tif", "Byte", "Byte"))
    with pytest.raises(DataError, match=r"a\.vrt: found no file .*/gone\.tif, which it reads"), open_raster(path):
        pass


def test_a_vrt_with_its_file_is_opened(tmp_path: Path) -> None:
    tiny.write_raster(tmp_path / "here.tif", np.zeros((1, 16, 16), np.uint8))
    path = tmp_path / "a.vrt"
    path.write_text(virtual("here.tif", "Byte"))
    with open_raster(path) as source:
        assert source.count == 1
