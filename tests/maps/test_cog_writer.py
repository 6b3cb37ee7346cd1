"""COGs made at once: pixels, overviews, order of the file, limits of the dtype, and failures."""

import logging
import re
import shutil
import subprocess
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import tifffile
from numpy.typing import NDArray

from mtlaerial.errors import DataError
from mtlaerial.maps import cog_writer, pyramid
from mtlaerial.maps.cog_layout import write_cog
from mtlaerial.maps.cog_writer import open_cog
from mtlaerial.maps.layer import RasterLayer
from support.layers import CODES, HEIGHTS, LERC, PROBABILITIES, blocks, codes, grid, heights, write_layer

HEIGHT, WIDTH = 1300, 1111
"""Two overviews, with odd ends in both directions."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cogs")
    write_layer(folder, HEIGHTS, heights(HEIGHT, WIDTH))
    write_layer(folder, CODES, codes(HEIGHT, WIDTH))
    write_layer(folder, PROBABILITIES, np.stack([codes(HEIGHT, WIDTH) // k for k in (1, 2, 3)]))
    return folder


def read(path: Path, **options: Any) -> NDArray[Any]:
    with rasterio.open(path, **options) as source:
        return source.read()


def means(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the means of two by two pixels with a value, at odd ends of one or two."""
    padded = np.pad(values, [(0, size % 2) for size in values.shape], constant_values=np.nan)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.nanmean(padded.reshape(len(padded) // 2, 2, -1, 2), axis=(1, 3))


def test_heights_are_whole_centimetres_not_below_zero(folder: Path) -> None:
    metres = heights(HEIGHT, WIDTH)
    with rasterio.open(folder / "height.tif") as source:
        stored = source.read(1, masked=True)
        assert (source.dtypes[0], source.scales, source.units) == ("int16", (0.01,), ("metre",))
        assert source.descriptions == ("height above ground",)
    np.testing.assert_array_equal(stored.mask, np.isnan(metres))
    np.testing.assert_allclose(0.01 * stored.filled(0), np.nan_to_num(metres.clip(0)), atol=0.00501)
    assert (metres < -1).any()


def test_overviews_of_heights_are_means_of_the_pixels_with_a_value(folder: Path) -> None:
    stored = read(folder / "height.tif")[0].astype(float)
    expected = np.where(stored == HEIGHTS.nodata, np.nan, stored)
    for level in range(2):
        expected = means(expected)
        overview = read(folder / "height.tif", overview_level=level)[0].astype(float)
        np.testing.assert_array_equal(overview == HEIGHTS.nodata, np.isnan(expected))
        values = np.where(overview == HEIGHTS.nodata, np.nan, overview)
        # Each level rounds the one before: half a step more at each.
        assert np.nanmax(abs(values - expected)) <= 0.5 * (level + 1)


def test_overviews_of_classes_are_classes_of_their_pixels(folder: Path) -> None:
    expected = codes(HEIGHT, WIDTH)
    for level in range(2):
        expected = expected[::2, ::2]
        np.testing.assert_array_equal(read(folder / "semantics.tif", overview_level=level)[0], expected)
    with rasterio.open(folder / "semantics.tif") as source:
        assert source.colormap(1)[1][:3] == (0, 200, 0)
        assert source.tags()["CLASS_1"] == "low vegetation"


def test_layers_of_several_bands_keep_them_and_their_names(folder: Path) -> None:
    with rasterio.open(folder / "probability.tif") as source:
        np.testing.assert_array_equal(source.read(), np.stack([codes(HEIGHT, WIDTH) // k for k in (1, 2, 3)]))
        assert source.descriptions == ("ground", "water", "tree")
        assert source.colorinterp[1] != rasterio.enums.ColorInterp.green


def test_lerc_is_float32_within_a_centimetre(tmp_path: Path) -> None:
    metres = heights(300, 200)
    write_layer(tmp_path, LERC, metres)
    stored = read(tmp_path / "lerc.tif")[0]
    assert stored.dtype == np.float32
    np.testing.assert_allclose(stored, metres, atol=0.0101)
    assert np.nanmax(abs(stored - metres)) > 0.001


def test_statistics_are_those_of_the_stored_values(folder: Path) -> None:
    stored = read(folder / "height.tif")[0]
    stored = stored[stored != HEIGHTS.nodata].astype(float)
    with rasterio.open(folder / "height.tif") as source:
        tags = source.tags(1)
    expected = {"MINIMUM": stored.min(), "MAXIMUM": stored.max(), "MEAN": stored.mean(), "STDDEV": stored.std()}
    for name, value in expected.items():
        assert float(tags[f"STATISTICS_{name}"]) == pytest.approx(value)


@pytest.mark.parametrize("name", ["height", "semantics", "probability"])
def test_a_cog_begins_with_its_directories_and_ends_with_full_resolution(folder: Path, name: str) -> None:
    data = (folder / f"{name}.tif").read_bytes()
    with tifffile.TiffFile(folder / f"{name}.tif") as tiff:
        pages = list(tiff.pages)
        assert [page.offset for page in pages] == sorted(page.offset for page in pages)
        offsets = [offset for page in reversed(pages) for offset in page.dataoffsets]
        sizes = [size for page in reversed(pages) for size in page.databytecounts]
    assert max(page.offset for page in pages) < offsets[0]
    assert offsets == sorted(offsets)
    for offset, size in zip(offsets, sizes, strict=True):
        assert int.from_bytes(data[offset - 4 : offset], "little") == size
        assert data[offset + size : offset + size + 4] == data[offset + size - 4 : offset + size]
    assert offsets[-1] + sizes[-1] + 4 == len(data)


@pytest.mark.parametrize("name", ["height", "semantics", "probability"])
def test_rio_cogeo_finds_nothing_to_remark(folder: Path, name: str) -> None:
    validate = pytest.importorskip("rio_cogeo.cogeo").cog_validate
    assert validate(folder / f"{name}.tif", strict=True) == (True, [], [])


@pytest.mark.skipif(shutil.which("gdalinfo") is None, reason="needs gdalinfo of the system")
def test_the_gdal_of_the_system_opens_a_cog(folder: Path) -> None:
    done = subprocess.run(["gdalinfo", folder / "height.tif"], capture_output=True, text=True, check=True)
    for line in ("LAYOUT=COG", "Overviews: 556x650, 278x325", "Unit Type: metre", "Scale:0.01"):
        assert line in done.stdout
    assert done.stderr == ""


def test_bigtiffs_have_the_same_pixels(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mtlaerial.maps.cog_layout._LARGEST_CLASSIC", 0)
    write_layer(tmp_path, HEIGHTS, heights(HEIGHT, WIDTH))
    with tifffile.TiffFile(tmp_path / "height.tif") as tiff:
        assert tiff.is_bigtiff
    for options in ({}, {"overview_level": 1}):
        np.testing.assert_array_equal(read(tmp_path / "height.tif", **options), read(folder / "height.tif", **options))


@pytest.mark.parametrize(("spare", "is_bigtiff"), [(0, False), (-1, True)])
def test_offsets_beyond_32_bits_make_a_bigtiff(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spare: int, is_bigtiff: bool
) -> None:
    largest = (folder / "height.tif").stat().st_size + spare
    monkeypatch.setattr("mtlaerial.maps.cog_layout._LARGEST_CLASSIC", largest)
    write_layer(tmp_path, HEIGHTS, heights(HEIGHT, WIDTH))
    with tifffile.TiffFile(tmp_path / "height.tif") as tiff:
        assert tiff.is_bigtiff == is_bigtiff


def test_a_file_depends_neither_on_the_blocks_nor_on_the_memory(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pyramid.Pyramid.__init__, "__defaults__", (1,))
    write_layer(tmp_path, HEIGHTS, heights(HEIGHT, WIDTH), rows=1301, columns=250)
    assert (tmp_path / "height.tif").read_bytes() == (folder / "height.tif").read_bytes()


def test_values_beyond_the_dtype_become_its_limits_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    values = np.full((20, 30), 1.0, np.float32)
    values[0, :3] = 400, 327.67, np.inf
    cog = write_layer(tmp_path, HEIGHTS, values)
    assert cog.beyond == 2
    np.testing.assert_array_equal(read(tmp_path / "height.tif")[0, 0, :4], [32767, 32767, 32767, 100])
    (message,) = caplog.messages
    assert re.search(r"height\.tif: 2 pixels are beyond .*-327\.67 to 327\.67 metre", message)


def test_exact_values_are_never_warned_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    layer = RasterLayer("height", ("height",), "float32", float("nan"))
    values = np.float32([[400, -3.125], [np.nan, np.inf]])
    cog = write_layer(tmp_path, layer, values)
    np.testing.assert_array_equal(read(tmp_path / "height.tif")[0], values)
    assert caplog.messages == []
    assert cog.statistics.bands[0]["maximum"] == 400, "JSON has no infinity"


def test_a_raster_without_a_crs_is_allowed(tmp_path: Path) -> None:
    write_layer(tmp_path, HEIGHTS, heights(40, 30), crs=None)
    with rasterio.open(tmp_path / "height.tif") as source:
        assert source.crs is None
        assert source.transform == grid(40, 30).transform


def test_blocks_that_leave_out_pixels_are_a_fault_and_no_file(tmp_path: Path) -> None:
    with (
        pytest.raises(RuntimeError, match="height: blocks leave out pixels"),
        open_cog(tmp_path / "height.tif", grid(600, 40), HEIGHTS, {}) as cog,
    ):
        cog.write(0, 0, heights(599, 40))
    assert list(tmp_path.iterdir()) == []


def write_overlapping(folder: Path) -> None:
    with open_cog(folder / "height.tif", grid(40, 40), HEIGHTS, {}) as cog:
        cog.write(0, 0, heights(25, 40))
        cog.write(15, 0, heights(25, 40))


def test_blocks_that_overlap_are_a_fault_and_no_file(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="height: blocks overlap"):
        write_overlapping(tmp_path)
    assert list(tmp_path.iterdir()) == []


def truncated(levels: list[Path], target: Path) -> None:
    """Write a COG as GDAL leaves a level on a full disk: without its last bytes, and without an error."""
    levels[0].write_bytes(levels[0].read_bytes()[:-100])
    write_cog(levels, target)


def full(levels: list[Path], target: Path) -> None:
    target.write_bytes(b"half")
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize(
    ("write", "reason"), [(truncated, "an incomplete file, as on a full disk"), (full, "no space left on device")]
)
def test_a_full_disk_is_one_sentence_and_no_half_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Any, reason: str
) -> None:
    monkeypatch.setattr(cog_writer, "write_cog", write)
    with pytest.raises(DataError, match=rf"height\.tif: found {reason}; expected a place to write to\. Free space"):
        write_layer(tmp_path, HEIGHTS, np.random.default_rng(0).random((700, 40), np.float32))
    assert list(tmp_path.iterdir()) == []


@contextmanager
def limited_files(size: int) -> Iterator[None]:
    """Limit the size of files that this process writes, as a full disk does."""
    import resource
    import signal

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_no_space_for_the_pixels_is_one_sentence_and_no_half_file(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).random((600, 600), np.float32) * 300
    with limited_files(200_000), pytest.raises(DataError, match=r"height\.tif: found .*Free space"):
        write_layer(tmp_path, HEIGHTS, noise)
    assert list(tmp_path.iterdir()) == []


def test_blocks_of_a_layer_are_those_of_the_engine() -> None:
    """The helper that the tests write with covers each pixel once."""
    total = np.zeros((700, 900), int)
    for top, left, block in blocks(np.ones((700, 900), int)):
        total[top : top + block.shape[0], left : left + block.shape[1]] += block
    assert (total == 1).all()
