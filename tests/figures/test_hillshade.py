"""Hillshades: Lambert's law, every cell of a detail, and the detail with the most roofs."""

import math
from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from matplotlib.figure import Figure
from numpy.typing import NDArray

from mtlaerial.figures import hillshade_figure, read_caption
from mtlaerial.figures.hillshade import hillshade
from mtlaerial.figures.tile_layers import Extent, Frame, Layer, read_grid, read_part
from mtlaerial.rasters.geotiff import create_raster
from mtlaerial.rasters.grid import Grid
from support.sample_figures import description, texts

WEST, NORTH = 500_000.0, 4_000_000.0


def write(path: Path, values: NDArray[np.generic], pixel: float, south_first: bool = False) -> None:
    bands = values if values.ndim == 3 else values[None]
    rows, columns = bands.shape[1:]
    place = Affine(pixel, 0, WEST, 0, -pixel, NORTH)
    if south_first:
        bands, place = bands[:, ::-1], Affine(pixel, 0, WEST, 0, pixel, NORTH - rows * pixel)
    path.parent.mkdir(parents=True, exist_ok=True)
    with create_raster(path, Grid("EPSG:32615", place, rows, columns), count=len(bands), dtype=bands.dtype) as out:
        out.write(bands)


def plane(to_east: float, to_north: float) -> Layer:
    """Return heights of 20 x 30 cells of 0.5 m that rise by metres per metre."""
    x, y = 0.5 * np.arange(30), -0.5 * np.arange(20)
    return Layer(np.ma.asarray(to_east * x[None, None] + to_north * y[None, :, None]), (0, 15, -10, 0))


def test_flat_ground_reflects_the_sine_of_the_altitude() -> None:
    np.testing.assert_allclose(hillshade(plane(0, 0)), math.sin(math.radians(45)))


def test_a_slope_reflects_the_cosine_between_its_normal_and_the_light() -> None:
    light = np.array([-0.5, 0.5, math.sqrt(0.5)])  # east, north, up: from the north-west, at 45 degrees
    for to_east, to_north in ((0.3, 0.0), (0.0, 0.7), (0.4, -0.2), (-0.1, 0.5)):
        normal = np.array([-to_east, -to_north, 1]) / math.sqrt(1 + to_east**2 + to_north**2)
        np.testing.assert_allclose(hillshade(plane(to_east, to_north)), normal @ light)
    # Rises towards the south-east, so that it faces the light.
    assert hillshade(plane(0.5, -0.5)).min() > 0.95
    assert hillshade(plane(-1.5, 1.5)).max() == 0


def test_cells_beside_no_data_have_no_shade() -> None:
    layer = plane(0, 0)
    layer.values[0, 5, 5] = np.ma.masked
    mask = np.ma.getmaskarray(hillshade(layer))
    assert mask[5, 4] & mask[4, 5] & ~mask[0, 0]


@pytest.mark.parametrize("south_first", [False, True])
def test_a_part_has_every_cell_that_it_touches(tmp_path: Path, south_first: bool) -> None:
    values = np.arange(1000 * 1200, dtype=np.float32).reshape(1000, 1200)
    write(tmp_path / "height.tif", values, 0.5, south_first)
    frame = Frame.of(read_grid(tmp_path / "height.tif"), 0.5)
    extent: Extent = (100.0, 130.2, -75.0, -60.0)
    layer = read_part(tmp_path / "height.tif", frame, extent)
    np.testing.assert_array_equal(layer.band, values[120:150, 200:261])
    assert layer.extent == (100.0, 130.5, -75.0, -60.0)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a tile of 400 m with a roof in the south-east, and maps in which stripes lie on it."""
    folder = tmp_path_factory.mktemp("town")
    image = np.random.default_rng(0).integers(0, 255, (3, 800, 800), np.uint8)
    height = np.zeros((400, 400), np.float32)
    height[300:390, 290:380] = 9
    predicted = np.kron(height, np.ones((2, 2), np.float32))
    predicted += (predicted > 2) * 0.2 * np.cos(np.pi / 2 * np.arange(800, dtype=np.float32))
    write(folder / "t1" / "image.tif", image, 0.5)
    write(folder / "t1" / "height.tif", height, 1.0)
    write(folder / "maps" / "height.tif", height, 1.0)
    write(folder / "maps" / "image_height.tif", predicted, 0.5)
    return folder


@pytest.fixture(scope="module")
def figure(town: Path) -> Figure:
    return hillshade_figure(town / "t1", {"joint": town / "maps"}, description(generated=True), town / "t1.png")


def test_the_detail_holds_the_roof_at_the_resolution_of_the_finest_map(figure: Figure) -> None:
    image, true, predicted = figure.axes
    assert predicted.images[0].get_array().shape == (256, 256)
    assert true.images[0].get_array().shape == (128, 128)
    left, right = predicted.get_xlim()
    bottom, top = predicted.get_ylim()
    assert left < 290
    assert right > 380
    assert bottom < -390
    assert top > -300
    assert image.get_xlim() == true.get_xlim() == (left, right)
    roof = predicted.images[0].get_array()[100:120, 100:120]
    assert np.ptp(roof) > 0.2
    assert np.ptp(true.images[0].get_array()[50:60, 50:60]) == 0


def test_the_figure_names_light_cells_and_heights(town: Path, figure: Figure) -> None:
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == ["image, pixels of 0.5 m", "true height, cells of 1 m", "joint, cells of 0.5 m"]
    for words in ("light from 315° (north-west), 45° above", "Small town (generated data): t1", "20 m"):
        assert words in texts(figure)
    assert "0.0 to 9.2 m above ground" in texts(figure)
    assert "joint" in read_caption(town / "t1.png").description


def test_a_tile_without_heights_shows_the_map_alone(town: Path, tmp_path: Path) -> None:
    tile, maps = tmp_path / "t1", tmp_path / "maps"
    write(tile / "height.tif", np.full((1, 1), np.nan, np.float32), 400.0)
    for name in ("t1/image.tif", "maps/height.tif"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).hardlink_to(town / name)
    figure = hillshade_figure(tile, {"joint": maps}, description(), tmp_path / "t1.png")
    assert "no height" in texts(figure)
    assert figure.axes[2].get_title() == "joint, cells of 1 m"
    left, right = figure.axes[2].get_xlim()
    assert left < 290
    assert right > 380
