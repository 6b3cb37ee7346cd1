"""GeoTIFFs: grids, errors of reading, atomic writes, and memory mapping."""

import math
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine

from mtlaerial.errors import DataError
from mtlaerial.rasters.geotiff import (
    PREPARED,
    create_raster,
    map_raster,
    open_raster,
    reading,
    row_blocks,
)
from mtlaerial.rasters.grid import Grid
from mtlaerial.system.files import writing
from support import tiny


def grid(pixel: float, west: float, north: float, height: int, width: int) -> Grid:
    return Grid(tiny.UTM, Affine(pixel, 0, west, 0, -pixel, north), height, width)


def test_bounds_and_pixel_size() -> None:
    one = grid(0.5, 100, 200, 20, 40)
    assert one.bounds == (100, 190, 120, 200)
    assert one.pixel_size == (0.5, 0.5)
    assert one.georeferenced
    assert not Grid(None, Affine.identity(), 2, 2).georeferenced


def test_a_window_is_where_its_pixels_are() -> None:
    part = grid(0.5, 100, 200, 20, 40).window(4, 6, 2, 3)
    assert part.bounds == (103, 197, 104.5, 198)


def test_one_grid_maps_to_another() -> None:
    image, height = grid(0.5, 100, 200, 20, 40), grid(2.0, 98, 202, 20, 20)
    column, row = image.to(height) @ (3, 5)
    assert (98 + column * 2, 202 - row * 2) == (100 + 3 * 0.5, 200 - 5 * 0.5)


@pytest.mark.parametrize(
    ("target", "window"),
    [
        (grid(0.5, 100, 200, 20, 40), (0, 0, 10, 20)),
        (grid(0.5, 100.25, 199.75, 20, 40), (0, 0, 11, 21)),
        (grid(0.5, 99, 203, 2, 2), (-3, -1, 1, 1)),
        (grid(0.5, 100.0004, 199.9996, 20, 40), (0, 0, 10, 20)),
        (grid(0.5, 103.2, 197.8, 1, 1), (2, 3, 1, 1)),
    ],
)
def test_the_least_window_that_covers_another_grid(target: Grid, window: tuple[int, int, int, int]) -> None:
    assert grid(1.0, 100, 200, 10, 20).covering(target) == window


def test_paths_that_cannot_be_opened_are_named(tmp_path: Path) -> None:
    text = tmp_path / "text.tif"
    text.write_text("no raster")
    for path, words in ((tmp_path, "a directory"), (tmp_path / "absent.tif", "no file"), (text, "text.tif")):
        with pytest.raises(DataError) as caught, open_raster(path):
            pass
        assert str(caught.value).startswith(f"{path}: found ")
        assert words in str(caught.value)


def truncated(tmp_path: Path) -> Path:
    noise = np.random.default_rng(0).integers(0, 255, (512, 512), np.uint8)
    path = tiny.write_raster(tmp_path / "image.tif", noise, compress="deflate", blockysize=16)
    path.write_bytes(path.read_bytes()[:150_000])
    return path


def test_a_truncated_file_is_damaged(tmp_path: Path) -> None:
    path = truncated(tmp_path)
    with pytest.raises(DataError, match=r"image\.tif: .*truncated or damaged"), open_raster(path) as source:
        source.read()


def test_a_damaged_input_is_not_blamed_on_the_output(tmp_path: Path) -> None:
    path = truncated(tmp_path)

    def copy() -> None:
        out = tmp_path / "out.tif"
        with open_raster(path) as source, create_raster(out, Grid.of(source), count=1, dtype="uint8"), reading(path):
            source.read()

    with pytest.raises(DataError, match=r"image\.tif: .*truncated or damaged"):
        copy()
    assert not (tmp_path / "out.tif").exists()


def test_a_file_appears_only_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.txt"
    with writing(path) as partial:
        partial.write_text("half")
        assert not path.exists()
        assert partial.parent == path.parent
        assert partial.suffix == ".txt"
    assert path.read_text() == "half"

    def fail() -> None:
        with writing(path) as partial:
            partial.write_text("other")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert path.read_text() == "half"
    assert list(path.parent.iterdir()) == [path]


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(DataError, match="expected a place to write to"),
        writing(tmp_path / "file" / "a.txt") as partial,
    ):
        partial.write_text("")


def test_a_raster_keeps_its_place_and_values(tmp_path: Path) -> None:
    where = grid(0.5, 100, 200, 6, 4)
    values = np.arange(24, dtype=np.float32).reshape(1, 6, 4)
    with create_raster(tmp_path / "a.tif", where, count=1, dtype="float32", nodata=math.nan) as out:
        out.write(values)
    with open_raster(tmp_path / "a.tif") as source:
        assert Grid.of(source) == where
        assert math.isnan(source.nodata)
        np.testing.assert_array_equal(source.read(), values)


@pytest.mark.parametrize("bands", [1, 3])
def test_a_prepared_raster_is_mapped_without_being_read(tmp_path: Path, bands: int) -> None:
    values = np.random.default_rng(0).integers(0, 2**16, (bands, 700, 33), np.uint16)
    with create_raster(tmp_path / "a.tif", grid(1, 0, 0, 700, 33), count=bands, dtype="uint16", **PREPARED) as out:
        for top, rows in row_blocks(700, 128):
            out.write(values[:, top : top + rows], window=((top, top + rows), (0, 33)))
    mapped = map_raster(tmp_path / "a.tif")
    assert isinstance(mapped.base, np.memmap)
    assert not mapped.flags.writeable
    np.testing.assert_array_equal(mapped, np.moveaxis(values, 0, -1) if bands > 1 else values[0])


@pytest.mark.parametrize(("value", "nodata"), [(0, None), (0, 0), (255, 255)])
def test_a_prepared_raster_with_empty_rows_is_mapped(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, value: int, nodata: int | None
) -> None:
    values = np.random.default_rng(0).integers(1, 255, (1, 900, 300), np.uint8)
    values[:, 200:500] = value
    where = grid(1, 0, 0, 900, 300)
    with create_raster(tmp_path / "a.tif", where, count=1, dtype="uint8", nodata=nodata, **PREPARED) as out:
        for top, rows in row_blocks(900, 128):
            out.write(values[:, top : top + rows], window=((top, top + rows), (0, 300)))
    np.testing.assert_array_equal(map_raster(tmp_path / "a.tif"), values[0])
    assert caplog.text == ""


def test_a_raster_in_another_layout_is_not_mapped(tmp_path: Path) -> None:
    path = tiny.write_raster(tmp_path / "a.tif", np.zeros((64, 64), np.uint8), compress="deflate")
    with pytest.raises(DataError, match="Prepare the tile again"):
        map_raster(path)


def test_row_blocks_cover_every_row_once() -> None:
    assert list(row_blocks(10, 4)) == [(0, 4), (4, 4), (8, 2)]


def test_a_raster_without_georeference_stays_without(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    path = tiny.write_raster(tmp_path / "a.png", np.zeros((8, 8), np.uint8), pixel=0, driver="PNG")
    recwarn.clear()
    with open_raster(path) as source, create_raster(tmp_path / "b.tif", Grid.of(source), count=1, dtype="uint8") as out:
        out.write(source.read())
    assert not recwarn.list
    with open_raster(tmp_path / "b.tif") as source:
        assert not Grid.of(source).georeferenced
    assert rasterio.open(path).crs is None
