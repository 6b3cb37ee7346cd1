from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from matplotlib.figure import Figure
from PIL import Image

from mtlaerial.config import DatasetSpec
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.figures import confusion_figure, layout_figure, map_figure, read_caption
from mtlaerial.figures.confusion import short
from mtlaerial.figures.style import round_length
from mtlaerial.figures.tile_layers import Frame, read_grid, read_layer
from mtlaerial.rasters.geotiff import create_raster
from mtlaerial.rasters.grid import Grid
from support.sample_figures import description, texts
from support.sample_scores import run, tile

WEST, NORTH = 500_000.0, 4_000_000.0
CRS = "EPSG:32615"


def write(path: Path, values, pixel=0.5, placed=True, west=WEST, **profile):
    values = np.asarray(values)
    values = values[None] if values.ndim == 2 else values
    transform = Affine(pixel, 0, west, 0, -pixel, NORTH) if placed else Affine.identity()
    grid = Grid(CRS if placed else None, transform, *values.shape[1:])
    path.parent.mkdir(parents=True, exist_ok=True)
    with create_raster(path, grid, count=len(values), dtype=values.dtype, **profile) as out:
        out.write(values)


@pytest.fixture
def prepared(tmp_path):
    """Make a tile of 40 m x 30 m whose heights have cells of 1 m, and its maps: heights 2 m too high."""
    rng = np.random.default_rng(0)
    labels = np.zeros((60, 80), np.uint8)
    labels[:30, :40] = 1
    height = np.where(labels[::2, ::2] == 1, 8, 0).astype(np.float32)
    height[0, 0] = np.nan
    write(tmp_path / "t1" / "image.tif", rng.integers(0, 255, (3, 60, 80), np.uint8))
    write(tmp_path / "t1" / "labels.tif", labels, nodata=255)
    write(tmp_path / "t1" / "height.tif", height, pixel=1.0, nodata=np.nan)
    predicted = labels.copy()
    predicted[30:, :] = 1
    write(tmp_path / "maps" / "semantics.tif", predicted, nodata=255)
    write(tmp_path / "maps" / "height.tif", np.nan_to_num(height, nan=8.0) + 2, pixel=1.0, nodata=np.nan)
    return tmp_path


def titled(figure: Figure, title: str):
    return next(axes for axes in figure.axes if axes.get_title() == title)


def shown(figure: Figure, title: str):
    return titled(figure, title).images[0]


def test_map_figure_has_names_units_and_one_scale(prepared):
    figure = map_figure(prepared / "t1", prepared / "maps", description(generated=True), prepared / "map.png")
    text = texts(figure)
    for words in ("Small town (generated data)", "t1", "joint, seed 3", "road", "house", "no data",
                   "height above ground (m)", "predicted minus true height (m)", "10 m"):  # fmt: skip
        assert words in text
    assert shown(figure, "true height").get_clim() == shown(figure, "predicted height").get_clim()
    low, high = shown(figure, "height error").get_clim()
    assert low == -high


def test_map_figure_errors_and_extents(prepared):
    figure = map_figure(prepared / "t1", prepared / "maps", description(), prepared / "map.png")
    error = shown(figure, "height error").get_array()
    assert error.mask[0, 0]
    np.testing.assert_allclose(error.compressed(), 2.0)
    wrong = shown(figure, "wrong classes").get_array()
    assert wrong[30:].all()
    assert not wrong[:30].any()
    assert shown(figure, "true height").get_extent() == [0, 40, -30, 0] == shown(figure, "image").get_extent()


def test_error_lies_right_where_the_map_has_another_grid(prepared):
    fine = np.repeat(np.repeat(read_layer(prepared / "maps/height.tif", Frame(WEST, NORTH, 1)).band, 4, 0), 4, 1)
    write(prepared / "maps" / "height.tif", fine, pixel=0.25, nodata=np.nan)
    figure = map_figure(prepared / "t1", prepared / "maps", description(), prepared / "map.png")
    np.testing.assert_allclose(shown(figure, "height error").get_array().compressed(), 2.0)


@pytest.mark.parametrize("task", ["semantics", "height"])
def test_map_figure_of_one_task(prepared, task):
    other_task = {"semantics": "height", "height": "semantics"}[task]
    (prepared / "maps" / f"{other_task}.tif").unlink()
    figure = map_figure(prepared / "t1", prepared / "maps", description(tasks=(task,)), prepared / "map.png")
    maps = [axes.get_title() for axes in figure.axes if axes.images and axes.get_title()]
    noun = {"semantics": "classes", "height": "height"}[task]
    assert maps[:3] == ["image", f"true {noun}", f"predicted {noun}"]


def test_map_figure_without_truth_says_so(prepared):
    write(prepared / "t1" / "height.tif", np.full((1, 1), np.nan, np.float32), pixel=40.0, nodata=np.nan)
    figure = map_figure(prepared / "t1", prepared / "maps", description(), prepared / "map.png")
    assert "no ground truth" in [text.get_text() for text in titled(figure, "true height").texts]
    assert not titled(figure, "predicted height").texts


def test_map_figure_shows_uncertainty_beside_the_absolute_error(prepared):
    std = np.linspace(0, 3, 1200, dtype=np.float32).reshape(30, 40)
    write(prepared / "maps" / "height_std.tif", std, pixel=1.0, nodata=np.nan)
    figure = map_figure(prepared / "t1", prepared / "maps", description(), prepared / "map.png")
    np.testing.assert_array_equal(shown(figure, "height uncertainty").get_array(), std)
    error = shown(figure, "absolute height error")
    assert error.get_array().mask[0, 0]
    np.testing.assert_allclose(error.get_array().compressed(), 2.0)
    assert shown(figure, "height uncertainty").get_clim() == pytest.approx((0, 2.94), abs=0.01)
    for words in ("standard deviation (m)", "absolute difference to true height (m)"):
        assert words in texts(figure)
    assert "uncertainty beside the absolute height error" in read_caption(prepared / "map.png").description


def test_large_rasters_are_read_decimated(tmp_path):
    values = np.arange(2000 * 3000, dtype=np.float32).reshape(2000, 3000)
    write(tmp_path / "big.tif", values)
    layer = read_layer(tmp_path / "big.tif", Frame.of(read_grid(tmp_path / "big.tif"), 0.5))
    assert layer.values.shape == (1, 533, 800)
    assert layer.extent == (0, 1500, -1000, 0)


def test_metres_follow_from_the_ground_sampling_distance(tmp_path):
    write(tmp_path / "plain.tif", np.zeros((10, 20), np.uint8), placed=False)
    grid = read_grid(tmp_path / "plain.tif")
    assert Frame.of(grid, 0.1).extent(grid) == pytest.approx((0, 2, -1, 0))


@pytest.mark.parametrize(("crs", "metres"), [("EPSG:32631", 0.5), ("EPSG:2263", 0.5 * 1200 / 3937)])
def test_a_tile_with_other_pixels_than_the_first_one_has_its_own_size(crs: str, metres: float) -> None:
    grid = Grid(rasterio.CRS.from_string(crs), Affine(0.5, 0, 980000, 0, -0.5, 200000), 10, 20)
    assert Frame.of(grid, 0.2).extent(grid) == pytest.approx((0, 20 * metres, -10 * metres, 0))


@pytest.mark.parametrize("placed", [True, False])
def test_layout_says_where_the_tiles_lie(tmp_path, placed):
    for number, name in enumerate(("a", "b", "c")):
        values = np.full((3, 10, 10), 80 * number, np.uint8)
        write(tmp_path / name / "image.tif", values, placed=placed, west=WEST + 100 * number)
    spec = DatasetSpec.parse(
        {
            "title": "Small town", "licence": "CC0", "obtain": "", "gsd": 0.5, "image": {"files": "{tile}.tif"},
            "height": {"files": "{tile}.tif"}, "splits": {"train": ["a", "b"], "test": ["c"]},
        },
        "test",
    )  # fmt: skip
    tiles = {name: tmp_path / name for name in ("a", "b", "c")}
    figure = layout_figure(tiles, Dataset("town", spec, tmp_path), tmp_path / "layout.png")
    text = texts(figure)
    assert "training (2)" in text
    assert "test (1)" in text
    assert "validation" not in text
    assert ("EPSG:32615" in text) == placed
    assert ("no common georeference" in text) != placed
    extents = [tuple(image.get_extent()) for image in figure.axes[0].images]
    assert all(right - left == pytest.approx(5) for left, right, _, _ in extents)
    assert len(set(extents)) == 3
    if placed:
        assert [left for left, *_ in extents] == [0, 100, 200]


def spread_out(folder: Path, places) -> Figure:
    """Draw tiles of 5 m at places in metres east of the first."""
    for number, east in enumerate(places):
        write(folder / f"t{number}" / "image.tif", np.full((3, 10, 10), 90, np.uint8), west=WEST + east)
    tiles = {f"t{number}": folder / f"t{number}" for number in range(len(places))}
    data = {
        "title": "Small town", "licence": "CC0", "obtain": "", "gsd": 0.5, "image": {"files": "{tile}.tif"},
        "height": {"files": "{tile}.tif"}, "splits": {"train": list(tiles)},
    }  # fmt: skip
    return layout_figure(tiles, Dataset("town", DatasetSpec.parse(data, "test"), folder), folder / "layout.png")


def test_tiles_far_apart_are_arranged_and_the_figure_says_so(tmp_path):
    figure = spread_out(tmp_path, [0, 22_000, 50_000])
    extents = [image.get_extent() for image in figure.axes[0].images]
    assert max(right for _, right, _, _ in extents) < 20
    assert all(right - left == pytest.approx(5) for left, right, _, _ in extents)
    place = "EPSG:32615, up to 50 km apart: arranged in rows, to scale, without the distances"
    assert place in texts(figure)
    assert place in read_caption(tmp_path / "layout.png").description


def test_many_small_tiles_side_by_side_stay_at_their_places(tmp_path):
    figure = spread_out(tmp_path, range(0, 200, 5))
    assert [image.get_extent()[0] for image in figure.axes[0].images] == pytest.approx(list(range(0, 200, 5)))
    assert "arranged" not in texts(figure)


def test_confusion_is_summed_over_seeds_and_normalised_by_row(tmp_path):
    runs = [run("joint", 0, [tile([[3, 1, 0], [0, 8, 0]])]), run("joint", 1, [tile([[1, 3, 0], [0, 6, 2]])])]
    figure = confusion_figure(runs, tmp_path / "c.png")
    axes = figure.axes[0]
    assert np.asarray(axes.images[0].get_array()).tolist() == [[50, 50, 0], [0, 87.5, 12.5]]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["road", "house", "not predicted"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["road\n8 px", "house\n16 px"]
    assert "87.5\n14" in texts(figure)
    assert "2 seeds" in axes.get_title()


def test_confusion_without_semantics_says_so(tmp_path):
    figure = confusion_figure([run("height", 0, [tile((), [1.0], [1.0])])], tmp_path / "c.png")
    assert "no classes learned" in texts(figure)


def test_same_figure_same_bytes_and_no_date(prepared):
    first, second = prepared / "1.png", prepared / "2.png"
    for path in (first, second):
        map_figure(prepared / "t1", prepared / "maps", description(), path)
    assert first.read_bytes() == second.read_bytes()
    with Image.open(first) as image:
        assert set(image.info) == {"Dataset", "Title", "Description", "dpi"}


def test_a_figure_says_what_it_shows(prepared):
    map_figure(prepared / "t1", prepared / "maps", description(), prepared / "map.png")
    caption = read_caption(prepared / "map.png")
    assert (caption.dataset, caption.title) == ("town", "Small town: t1")
    assert "joint, seed 3" in caption.description


def test_round_numbers():
    assert [round_length(limit) for limit in (0.3, 7, 19.9, 20, 650)] == pytest.approx([0.2, 5, 10, 20, 500])
    assert [short(count) for count in (7, 999, 1000, 12_340, 999_900, 2_040_000)] == [
        "7", "999", "1.00 k", "12.3 k", "1.00 M", "2.04 M"]  # fmt: skip
