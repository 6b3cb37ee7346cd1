"""Limits of what a raster declares: a small file takes little memory and little time."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from rasterio.windows import Window

from mtlaerial.errors import DataError
from mtlaerial.rasters.geotiff import open_raster
from mtlaerial.rasters.validity import MaskedBands
from support import doors, tiny
from support.paths import ROOT

TILED = {"tiled": True, "blockxsize": 16_384, "blockysize": 16_384, "compress": "deflate"}


def sparse(path: Path, height: int, width: int, count: int = 1, **profile: Any) -> Path:
    """Write a GeoTIFF whose pixels are absent."""
    options = {"driver": "GTiff", "dtype": "uint8", "sparse_ok": True, **profile}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rasterio.open(path, "w", height=height, width=width, count=count, **options).close()
    return path


def refusal(path: Path) -> str:
    with pytest.raises(DataError) as caught, open_raster(path):
        pass
    return str(caught.value)


def test_a_small_file_that_declares_a_continent_is_refused(tmp_path: Path) -> None:
    path = sparse(tmp_path / "a.tif", 1_000_000, 1_000_000, **TILED)
    assert path.stat().st_size < 200_000
    message = refusal(path)
    assert "a.tif: found 1,000,000 x 1,000,000 pixels of 1 band in " in message
    assert "bytes; expected at most 1,000,000,000 values, or a file of at least 1/2,000 of their size." in message


def test_a_small_jpeg_2000_that_declares_many_blocks_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.jp2"
    path.write_bytes((ROOT / "tests/fuzz/kept/rasters/tall_jpeg2000.raster").read_bytes())
    assert "found 2,097,216 x 64 pixels of 3 bands in 4,936 bytes; expected at most 100,000,000 values" in refusal(path)


def test_a_vrt_that_enlarges_a_small_file_is_refused(tmp_path: Path) -> None:
    tiny.write_raster(tmp_path / "a.tif", np.zeros((16, 16), np.uint8))
    path = tmp_path / "a.vrt"
    path.write_text(doors.vrt(doors.source("a.tif", relative=1), size=1_000_000))
    assert "found 1,000,000 x 1,000,000 pixels" in refusal(path)


def test_a_sparse_raster_is_read(tmp_path: Path) -> None:
    with open_raster(sparse(tmp_path / "a.tif", 30_000, 30_000, **TILED)) as source:
        assert source.shape == (30_000, 30_000)


@pytest.mark.parametrize("layout", [{"blockysize": 12_000}, {**TILED, "blockxsize": 65_536, "blockysize": 65_536}])
def test_blocks_that_need_much_memory_are_refused(tmp_path: Path, layout: dict[str, Any]) -> None:
    path = sparse(tmp_path / "a.tif", 100_000, 99_000, **{"compress": "deflate", **layout})
    assert "GB each; expected blocks of at most 1 GB." in refusal(path)


def test_bands_of_one_pixel_count_for_its_block(tmp_path: Path) -> None:
    layout = {**TILED, "blockxsize": 8_192, "blockysize": 8_192, "dtype": "float64"}
    path = sparse(tmp_path / "a.tif", 8_192, 8_192, count=3, interleave="pixel", **layout)
    assert "1.5 GB each" in refusal(path)
    with open_raster(sparse(tmp_path / "b.tif", 8_192, 8_192, count=3, interleave="band", **layout)) as source:
        assert source.count == 3


def test_thousands_of_bands_are_refused(tmp_path: Path) -> None:
    path = sparse(tmp_path / "a.tif", 1, 1, count=1_001, interleave="pixel")
    assert "found 1,001 bands; expected at most 1,000." in refusal(path)


def test_blocks_of_a_wide_raster_take_bounded_memory(tmp_path: Path) -> None:
    with open_raster(sparse(tmp_path / "a.tif", 64, 4_000_000, compress="deflate")) as source:
        blocks = MaskedBands(source, [1]).blocks(Window(0, 0, source.width, source.height))
        assert next(blocks).values.nbytes <= 128 * 2**20
