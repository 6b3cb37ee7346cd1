"""Validity of pixels: every way in which a file, or its specification, says what is image."""

import logging
import re
from pathlib import Path

import numpy as np
import pytest
import rasterio
from click.testing import CliRunner
from rasterio.rio.main import main_group
from rasterio.windows import Window

from mtlaerial.errors import DataError
from mtlaerial.rasters.geotiff import open_raster
from mtlaerial.rasters.sparse import absent_pixels
from mtlaerial.rasters.validity import MaskedBands, fill_value
from support import tiny
from support.masks import NODATA, WAYS, Way, write_damaged_jpeg, write_masked

ROWS, COLUMNS = 24, 40


def image(dtype: type = np.uint8) -> np.ndarray:
    return np.random.default_rng(0).integers(4, 90, (3, ROWS, COLUMNS)).astype(dtype)


def mask() -> np.ndarray:
    valid = np.ones((ROWS, COLUMNS), bool)
    valid[5:9, 30:] = valid[20:, :3] = False
    return valid


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_a_pixel_is_invalid_however_the_file_says_so(tmp_path: Path, way: Way, dtype: type) -> None:
    path = write_masked(tmp_path / "a.tif", image(dtype), mask(), way)
    with open_raster(path) as source:
        values, invalid = MaskedBands(source, [3, 1]).read(Window(25, 2, 15, 10))
        whole = MaskedBands(source, [1, 2, 3]).read().invalid
        clean = MaskedBands(source, [1]).read(Window(0, 10, 40, 5)).invalid
    assert invalid is not None
    np.testing.assert_array_equal(invalid, ~mask()[2:12, 25:])
    np.testing.assert_array_equal(values[:, ~invalid], image(dtype)[[2, 0], 2:12, 25:][:, ~invalid])
    np.testing.assert_array_equal(whole, ~mask())
    assert clean is None


@pytest.mark.parametrize("way", ["mask", ".msk"])
def test_a_no_data_tag_counts_beside_a_mask(tmp_path: Path, way: Way) -> None:
    """GDAL itself leaves the tag out of account there."""
    values = image()
    values[:, 0, 0] = values[:2, 0, 1] = NODATA
    path = write_masked(tmp_path / "a.tif", values, mask(), way)
    with rasterio.open(path, "r+") as target:
        target.nodata = NODATA
    with open_raster(path) as source:
        invalid = MaskedBands(source, [1, 2, 3]).read().invalid
    expected = ~mask()
    expected[0, 0] = True
    np.testing.assert_array_equal(invalid, expected)


def test_a_chosen_alpha_band_is_image(tmp_path: Path) -> None:
    """GDAL calls the fourth band of any file of four bytes alpha, also near infrared."""
    path = write_masked(tmp_path / "a.tif", image(), mask(), "alpha")
    with open_raster(path) as source:
        assert MaskedBands(source, [4, 1, 2]).read().invalid is None


def test_a_fourth_band_need_not_be_alpha(tmp_path: Path) -> None:
    """By the command that docs/own-data.md names."""
    path = write_masked(tmp_path / "a.tif", image(), mask(), "alpha")
    command = ["edit-info", "--colorinterp", "red,green,blue,nir", str(path)]
    assert CliRunner().invoke(main_group, command).exit_code == 0
    with open_raster(path) as source:
        assert MaskedBands(source, [1, 2, 3]).read().invalid is None


def test_a_value_is_no_data_only_in_all_chosen_bands(tmp_path: Path) -> None:
    values = image()
    values[:, 0, 0] = values[:2, 0, 1] = NODATA
    path = tiny.write_raster(tmp_path / "a.tif", values)
    with open_raster(path) as source:
        for bands, expected in (((1, 2, 3), 1), ((1, 2), 2), ((3,), 1)):
            invalid = MaskedBands(source, bands, nodata=NODATA).read().invalid
            assert invalid is not None
            assert np.count_nonzero(invalid) == expected


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_not_finite_in_any_band_is_no_data(tmp_path: Path, value: float) -> None:
    values = image(np.float32)
    values[1, 7, 9] = value
    with open_raster(tiny.write_raster(tmp_path / "a.tif", values)) as source:
        invalid = MaskedBands(source, [1, 2, 3]).read().invalid
        assert MaskedBands(source, [1, 3]).read().invalid is None
    assert invalid is not None
    assert np.argwhere(invalid).tolist() == [[7, 9]]


def test_no_data_values_beyond_the_dtype_are_no_pixel(tmp_path: Path) -> None:
    values = image()
    values[:] = 0
    with open_raster(tiny.write_raster(tmp_path / "a.tif", values)) as source:
        for nodata in (-9999, 256, 0.5, np.nan):
            assert MaskedBands(source, [1, 2, 3], nodata).read().invalid is None


def test_a_raster_without_any_of_this_is_read_as_it_is(tmp_path: Path) -> None:
    with open_raster(tiny.write_raster(tmp_path / "a.tif", image())) as source:
        values, invalid = MaskedBands(source, [1, 2, 3]).read()
    np.testing.assert_array_equal(values, image())
    assert invalid is None


def test_fill_values_are_the_middle_of_the_range() -> None:
    assert fill_value("uint8", (0, 255)) == 127
    assert fill_value("uint8", (0, 3000)) == 255  # the largest that there is
    assert fill_value("int16", (-100, 50)) == -25
    assert np.isnan(fill_value(np.dtype(np.float32), (0, 1)))


def test_pixels_that_a_decoder_warns_of_are_an_error(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write_damaged_jpeg(tmp_path / "a.tif")
    with open_raster(path) as source, pytest.raises(DataError, match=r"a\.tif: found damaged pixels \(JPEGLib:Corrupt"):
        MaskedBands(source, [1, 2, 3]).read()
    assert caplog.text == ""  # one sentence, not GDAL's besides


def test_pixels_that_a_decoder_warns_of_are_an_error_where_rasterio_is_silenced(tmp_path: Path) -> None:
    path = write_damaged_jpeg(tmp_path / "a.tif")
    logger = logging.getLogger("rasterio")
    logger.setLevel(logging.CRITICAL)
    logging.disable(logging.WARNING)
    try:
        with open_raster(path) as source, pytest.raises(DataError, match="found damaged pixels"):
            MaskedBands(source, [1, 2, 3]).read()
        assert not logging.getLogger("rasterio._env").isEnabledFor(logging.WARNING)
    finally:
        logging.disable(logging.NOTSET)
        logger.setLevel(logging.NOTSET)


@pytest.mark.parametrize("layout", [{"tiled": True, "blockxsize": 16, "blockysize": 16}, {}])
def test_blocks_that_a_file_lacks_are_counted(tmp_path: Path, layout: dict[str, object]) -> None:
    values = np.ones((3, 64, 64), np.uint8)
    values[:, 16:48, :32] = 0
    values[:, :, 50:] = 0
    options = {"sparse_ok": True, **layout}
    whole = Window(0, 0, 64, 64)
    with open_raster(tiny.write_raster(tmp_path / "a.tif", values, **options)) as source:
        bands = MaskedBands(source, [1, 2, 3])
        if layout:
            assert absent_pixels(bands, whole) == 32 * 32
            assert absent_pixels(bands, Window(10, 20, 10, 10)) == 100
        assert absent_pixels(bands, Window(33, 0, 31, 64)) == 0
    tiny.write_raster(tmp_path / "b.tif", values, nodata=0, **options)
    with open_raster(tmp_path / "b.tif") as source:
        assert absent_pixels(MaskedBands(source, [1, 2, 3]), whole) == 0
    with open_raster(tmp_path / "a.tif") as source:
        assert absent_pixels(MaskedBands(source, [1, 2, 3], nodata=0), whole) == 0


def write_mosaic(folder: Path, places: list[tuple[float, float, int, int]], options: str = "") -> Path:
    """Write a VRT of 60 rows and 80 columns, of files at (row, column, height, width)."""
    for index, (_, _, height, width) in enumerate(places):
        tiny.write_raster(folder / f"{index}.tif", np.full((height, width), 50 + index, np.uint8))
    return write_vrt(folder, (60, 80), places, options)


def write_vrt(
    folder: Path, shape: tuple[int, int], places: list[tuple[float, float, int, int]], options: str = ""
) -> Path:
    sources = []
    for index, (row, column, height, width) in enumerate(places):
        size = f'xSize="{width}" ySize="{height}"'
        sources.append(
            f'<SimpleSource><SourceFilename relativeToVRT="1">{index}.tif</SourceFilename><SourceBand>1</SourceBand>'
            f'<SrcRect xOff="0" yOff="0" {size}/><DstRect xOff="{column}" yOff="{row}" {size}/></SimpleSource>'
        )
    band = f'<VRTRasterBand dataType="Byte" band="1">{options}{"".join(sources)}</VRTRasterBand>'
    path = folder / "mosaic.vrt"
    path.write_text(f'<VRTDataset rasterXSize="{shape[1]}" rasterYSize="{shape[0]}">{band}</VRTDataset>')
    return path


def test_gaps_of_a_mosaic_are_counted(tmp_path: Path) -> None:
    """They are where the mosaic reads as 0, though no file has a 0."""
    places = [(0, 0, 30, 40), (5, 35, 20, 45), (28, 0, 32, 33), (50.0, 60.0, 10, 20)]
    path = write_mosaic(tmp_path, places)
    with open_raster(path) as source:
        bands, gaps = MaskedBands(source, [1]), source.read(1) == 0
        assert gaps.any()
        assert not gaps.all()
        for window in (Window(0, 0, 80, 60), Window(30, 20, 40, 35), Window(0, 0, 30, 30), Window(79, 59, 1, 1)):
            row, column = window.row_off, window.col_off
            part = gaps[row : row + window.height, column : column + window.width]
            assert absent_pixels(bands, window) == np.count_nonzero(part)
        assert absent_pixels(MaskedBands(source, [1], nodata=0), Window(0, 0, 80, 60)) == 0
    path = write_mosaic(tmp_path, places, "<NoDataValue>3</NoDataValue>")
    with open_raster(path) as source:
        invalid = MaskedBands(source, [1]).read().invalid
        np.testing.assert_array_equal(invalid, gaps)
        assert absent_pixels(MaskedBands(source, [1]), Window(0, 0, 80, 60)) == 0


def test_gaps_between_thousands_of_files_are_counted(tmp_path: Path) -> None:
    number = 5_100  # more than 10^8 cells between their edges
    path = write_vrt(tmp_path, (2 * number, 2 * number), [(2 * index, 2 * index, 1, 1) for index in range(number)])
    with rasterio.open(path) as source:  # the files themselves do not exist
        assert absent_pixels(MaskedBands(source, [1]), Window(0, 0, 2 * number, 2 * number)) == 4 * number**2 - number


def test_blocks_that_a_file_of_a_mosaic_lacks_are_counted(tmp_path: Path) -> None:
    """Unless another file lies over them; in a mosaic of mosaics, too."""
    path = write_mosaic(tmp_path, [(0, 0, 60, 80), (30, 40, 30, 30)])
    values = np.zeros((60, 80), np.uint8)
    values[:16], values[16:32, :64] = 1, 1
    options = {"sparse_ok": True, "tiled": True, "blockxsize": 16, "blockysize": 16}
    tiny.write_raster(tmp_path / "0.tif", values, **options)
    part = '<SrcRect xOff="20" yOff="10" xSize="40" ySize="50"/><DstRect xOff="5" yOff="0" xSize="20" ySize="25"/>'
    band = "<SourceFilename relativeToVRT='1'>mosaic.vrt</SourceFilename><SourceBand>1</SourceBand>"
    outer = tmp_path / "outer.vrt"
    outer.write_text(
        '<VRTDataset rasterXSize="30" rasterYSize="25"><VRTRasterBand dataType="Byte" band="1">'
        f"<SimpleSource>{band}{part}</SimpleSource></VRTRasterBand></VRTDataset>"
    )
    for file in (path, outer):
        with open_raster(file) as source:
            zeros = np.count_nonzero(source.read(1) == 0)
            assert absent_pixels(MaskedBands(source, [1]), Window(0, 0, source.width, source.height)) == zeros
            assert absent_pixels(MaskedBands(source, [1]), Window(5, 0, 10, 8)) == 0
    tiny.write_raster(tmp_path / "0.tif", values, nodata=3, **options)
    with open_raster(path) as source:
        assert absent_pixels(MaskedBands(source, [1]), Window(0, 0, 80, 60)) == 0


def test_a_file_without_a_place_covers_the_mosaic(tmp_path: Path) -> None:
    path = write_mosaic(tmp_path, [(0, 0, 60, 80), (30, 40, 30, 30)])
    path.write_text(re.sub(r"<SrcRect [^>]*/><DstRect [^>]*/>", "", path.read_text(), count=1))
    with open_raster(path) as source:
        assert absent_pixels(MaskedBands(source, [1]), Window(0, 0, 80, 60)) == 0
