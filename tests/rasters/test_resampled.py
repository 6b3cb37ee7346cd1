"""Images on another grid: places to a fraction of a pixel, means, no-data, and windows that do not matter."""

import math
from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from pyproj import Transformer
from rasterio.crs import CRS
from rasterio.enums import Resampling
from rasterio.windows import Window

from mtlaerial.rasters import resampled
from mtlaerial.rasters.geotiff import open_raster
from mtlaerial.rasters.grid import Grid
from mtlaerial.rasters.ground_size import ground_pixel_size
from mtlaerial.rasters.resampled import ResampledImage
from mtlaerial.rasters.resampled_grid import grid_at_gsd
from mtlaerial.rasters.validity import MaskedBands, Pixels
from support import tiny

WEST, NORTH = tiny.WEST, tiny.NORTH
GRIDS = {
    "finer": Grid(tiny.UTM, Affine(0.2, 0, WEST, 0, -0.2, NORTH), 120, 150),
    "coarser": Grid(tiny.UTM, Affine(0.8, 0, WEST, 0, -0.8, NORTH), 60, 70),
    "rotated": Grid(tiny.UTM, Affine.translation(WEST, NORTH) @ Affine.rotation(30) @ Affine.scale(0.5, -0.5), 80, 60),
    "south up": Grid(tiny.UTM, Affine(0.5, 0, WEST, 0, 0.5, NORTH), 60, 60),
    "degrees": Grid(CRS.from_epsg(4326), Affine(6e-6, 0, 3.4, 0, -4.5e-6, 45.1), 80, 80),
    "no CRS": Grid(None, Affine(0.25, 0, 100, 0, -0.25, 200), 80, 80),
}


def places(grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """Return x and y of the centres of a grid's pixels."""
    rows, columns = np.mgrid[: grid.height, : grid.width] + 0.5
    a, b, c, d, e, f = tuple(grid.transform)[:6]
    return a * columns + b * rows + c, d * columns + e * rows + f


def write(path: Path, values: np.ndarray, grid: Grid, **profile: object) -> Path:
    return tiny.write_raster(path, values, crs=grid.crs, transform=grid.transform, **profile)


def read(path: Path, source: Grid, grid: Grid, resampling: Resampling, window: Window | None = None) -> Pixels:
    with open_raster(path) as opened:
        image = ResampledImage(MaskedBands(opened, opened.indexes), source, grid, resampling)
        return image.read(window or Window(0, 0, grid.width, grid.height))


@pytest.mark.parametrize("name", GRIDS)
def test_pixels_keep_their_place_to_hundredths_of_a_pixel(name: str, tmp_path: Path) -> None:
    """The image's values are its coordinates, so that a pixel says where GDAL took it from."""
    source = GRIDS[name]
    grid = grid_at_gsd(source, 0.5)
    x, y = places(source)
    origin = x.mean(), y.mean()
    path = write(tmp_path / "x.tif", np.stack([x - origin[0], y - origin[1]]), source)
    resampling = Resampling.average if name == "finer" else Resampling.bilinear
    values, invalid = read(path, source, grid, resampling)
    expected = places(grid)
    if source.crs and source.crs != grid.crs:
        expected = Transformer.from_crs(grid.crs, source.crs, always_xy=True).transform(*expected)
    inside = np.ones(values.shape[1:], bool) if invalid is None else ~invalid
    # Away from the image's border, where a kernel lacks half of its pixels.
    inside[:3] = inside[-3:] = inside[:, :3] = inside[:, -3:] = False
    padded = np.pad(~inside, 3)
    for row in range(7):
        for column in range(7):
            inside &= ~padded[row : row + inside.shape[0], column : column + inside.shape[1]]
    assert inside.sum() > 300
    # GDAL weighs pixels on the border of a mean by their share with an error of some hundredths.
    tolerance = 0.5 * (0.03 if name == "finer" else 0.001)
    tolerance /= 78_000 if name == "degrees" else 1  # metres of a degree of longitude there
    np.testing.assert_allclose(values[0][inside] + origin[0], expected[0][inside], rtol=0, atol=tolerance)
    np.testing.assert_allclose(values[1][inside] + origin[1], expected[1][inside], rtol=0, atol=tolerance)


@pytest.mark.parametrize("name", GRIDS)
def test_the_new_grid_has_the_pixel_size_and_covers_the_image(name: str) -> None:
    grid = grid_at_gsd(GRIDS[name], 0.5)
    assert ground_pixel_size(grid) == pytest.approx((0.5, 0.5), rel=0.002)
    area = abs(GRIDS[name].transform.determinant) * GRIDS[name].height * GRIDS[name].width
    if name == "degrees":  # metres of a degree at that latitude, on a sphere
        area *= 111_195**2 * math.cos(math.radians(45.1))
    assert grid.height * grid.width * 0.25 >= 0.98 * area


def test_an_image_without_georeference_is_resampled_by_its_stated_gsd(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 255, (3, 30, 20), np.uint8)
    source = Grid(None, Affine.identity(), 60, 40)
    grid = grid_at_gsd(source, 0.5, 0.25)
    assert (grid.height, grid.width) == (30, 20)
    path = tiny.write_raster(tmp_path / "a.tif", values.repeat(2, 1).repeat(2, 2), pixel=0)
    np.testing.assert_array_equal(read(path, source, grid, Resampling.average).values, values)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32", "float64"])
def test_the_mean_of_equal_pixels_is_their_value(tmp_path: Path, dtype: str) -> None:
    values = np.random.default_rng(0).integers(0, 255, (3, 30, 20)).astype(dtype)
    source = Grid(tiny.UTM, Affine(0.25, 0, WEST, 0, -0.25, NORTH), 60, 40)
    path = write(tmp_path / "a.tif", values.repeat(2, 1).repeat(2, 2), source)
    pixels = read(path, source, grid_at_gsd(source, 0.5), Resampling.average)
    np.testing.assert_array_equal(pixels.values, values)
    assert pixels.values.dtype == dtype
    assert pixels.invalid is None


@pytest.mark.parametrize("nodata", [0, float("nan")])
def test_pixels_without_data_have_no_weight(tmp_path: Path, nodata: float) -> None:
    values = np.full((1, 40, 40), 100.0, np.float32)
    values[:, :13] = nodata
    source = Grid(tiny.UTM, Affine(0.25, 0, WEST, 0, -0.25, NORTH), 40, 40)
    path = write(tmp_path / "a.tif", values, source, nodata=nodata)
    pixels = read(path, source, grid_at_gsd(source, 0.5), Resampling.average)
    assert pixels.invalid is not None
    # Row 6 of the means has one row of the image with data.
    np.testing.assert_array_equal(pixels.invalid[:, 0], np.arange(20) < 6)
    np.testing.assert_array_equal(pixels.values[0][~pixels.invalid], 100)


def test_a_band_that_is_tagged_as_alpha_but_read_is_no_opacity(tmp_path: Path) -> None:
    """GDAL tags the fourth band of bytes as alpha, near infrared too."""
    values = np.random.default_rng(0).integers(1, 255, (4, 20, 20), np.uint8)
    source = Grid(tiny.UTM, Affine(0.25, 0, WEST, 0, -0.25, NORTH), 40, 40)
    path = write(tmp_path / "a.tif", values.repeat(2, 1).repeat(2, 2), source, photometric="RGB", alpha="yes")
    np.testing.assert_array_equal(read(path, source, grid_at_gsd(source, 0.5), Resampling.average).values, values)


@pytest.mark.parametrize("name", ["finer", "degrees"])
def test_what_is_read_does_not_depend_on_the_window(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = GRIDS[name]
    values = np.random.default_rng(0).integers(0, 60_000, (2, source.height, source.width)).astype(np.uint16)
    path = write(tmp_path / "a.tif", values, source)
    grid = grid_at_gsd(source, 0.5)
    whole = read(path, source, grid, Resampling.cubic)
    part = read(path, source, grid, Resampling.cubic, Window(5, 7, 20, 11))
    monkeypatch.setattr(resampled, "LARGEST_PART", 3000)
    parts = read(path, source, grid, Resampling.cubic)
    # Of 65,535 steps some may differ where places in degrees are rounded; of bytes none.
    np.testing.assert_allclose(part.values, whole.values[:, 7:18, 5:25].astype(float), atol=5)
    np.testing.assert_allclose(parts.values, whole.values.astype(float), atol=5)


def test_memory_is_bounded_by_the_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resampled, "LARGEST_PART", 5000)
    source = GRIDS["finer"]
    grid = grid_at_gsd(source, 0.5)
    with open_raster(write(tmp_path / "a.tif", np.ones((1, source.height, source.width), np.uint8), source)) as opened:
        bands = MaskedBands(opened, [1])
        sizes: list[float] = []
        original = bands.read

        def counting(window: Window | None = None) -> Pixels:
            assert window is not None
            sizes.append(window.width * window.height)
            return original(window)

        monkeypatch.setattr(bands, "read", counting)
        ResampledImage(bands, source, grid, Resampling.average).read(Window(0, 0, grid.width, grid.height))
    assert max(sizes) <= 5000
    assert len(sizes) >= 4
