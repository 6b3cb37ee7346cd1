import tracemalloc

import numpy as np
import pytest
from PIL import Image

from mtlaerial.figures.maps import VERDICTS
from mtlaerial.reporting.report.tiles import draw
from mtlaerial.reporting.report.tiles.datasets import DatasetMaps, PredictedMaps, draw_tiles
from mtlaerial.reporting.report.tiles.draw import MethodMaps, draw_tile
from mtlaerial.reporting.report.tiles.uncertainty import uncertainty_map
from mtlaerial.tasks import HEIGHT, SEMANTICS
from support.report_place import METHODS, described, predicted_maps, prepared_tile, write_raster

SIDE = 40
RIGHT, WRONG = (tuple(bytes.fromhex(colour[1:])) for _, colour in VERDICTS)
CLASS_COLOURS = ((90, 90, 90), (200, 0, 0))


@pytest.fixture
def drawn(tmp_path):
    """Draw a tile with two methods, whose heights are 2 m and 1 m too high."""
    tile = prepared_tile(tmp_path / "t0", SIDE)
    methods = []
    for number, method in enumerate(METHODS):
        maps = predicted_maps(tmp_path / method, 2.0 - number, SIDE)
        methods.append(MethodMaps(method, described(method), maps, "mIoU 50.0 %"))
    return draw_tile(tile, methods, tmp_path / "out", 16)


def pixels(picture) -> np.ndarray:
    with Image.open(picture.full) as image:
        return np.asarray(image.convert("RGBA"))


def picture(sheet, kind, task, method=""):
    (found,) = [each for each in sheet.pictures if (each.kind, each.task, each.method) == (kind, task, method)]
    return found


def test_a_tile_has_image_truth_and_three_pictures_of_each_task_of_each_method(drawn):
    kinds = [(each.kind, each.task, each.method) for each in drawn.pictures]
    of_tasks = [(kind, task) for task in ("semantics", "height") for kind in ("prediction", "error", "uncertainty")]
    expected = [("image", "", ""), ("truth", "semantics", ""), ("truth", "height", "")]
    assert kinds == expected + [(kind, task, method) for method in METHODS for kind, task in of_tasks]
    assert drawn.size == "40 × 40 pixels, 20 × 20 m"
    assert drawn.aspect == 1
    assert all(each.full.is_file() and each.preview.is_file() for each in drawn.pictures)


def test_classes_have_their_colours_and_errors_are_where_classes_differ(drawn):
    predicted, error = (
        pixels(picture(drawn, "prediction", "semantics", "uw")),
        pixels(picture(drawn, "error", "semantics", "uw")),
    )
    assert tuple(predicted[25, 5, :3]) == CLASS_COLOURS[1]
    assert tuple(predicted[35, 5, :3]) == CLASS_COLOURS[0]
    # Lossy: colours are near, the verdict is clear.
    assert np.abs(error[25, 5, :3].astype(int) - WRONG).max() < 40
    assert np.abs(error[5, 5, :3].astype(int) - RIGHT).max() < 40


def test_no_data_is_transparent(drawn):
    error = pixels(picture(drawn, "error", "height", "joint"))
    assert error.shape[:2] == (20, 20)
    assert error[0, 0, 3] == 0
    assert error[5, 5, 3] == 255


def test_methods_share_a_scale_so_that_a_larger_error_has_a_stronger_colour(drawn):
    redness = {}
    for method in METHODS:
        colour = pixels(picture(drawn, "error", "height", method))[15, 15, :3].astype(int)
        redness[method] = colour[0] - colour[2]
    assert redness["joint"] > redness["uw"] > 0
    (key,) = [key for key in drawn.keys if key.title.startswith("height error")]
    # The median of both methods' 98th percentiles, which are 10 m and 9 m where the house is too long.
    assert key.ticks == ["≤ −9.5", "−4.75", "0", "4.75", "≥ 9.5"]


def test_previews_are_small_and_keep_the_colours_of_classes(drawn):
    for each in drawn.pictures:
        assert max(each.preview_size) <= 16
    with Image.open(picture(drawn, "prediction", "semantics", "uw").preview) as image:
        colours = {colour[:3] for _, colour in image.convert("RGBA").getcolors()}
    assert colours == set(CLASS_COLOURS)


def test_a_layer_that_is_smaller_than_the_tile_lies_at_its_place(tmp_path):
    tile = prepared_tile(tmp_path / "t0", SIDE)
    height = np.full((10, 5), 3, np.float32)  # the north-west quarter, less half its width
    write_raster(tile / "height.tif", height, pixel=1.0, nodata=np.nan)
    maps = predicted_maps(tmp_path / "joint", 2.0, SIDE)
    sheet = draw_tile(tile, [MethodMaps("joint", described("joint"), maps)], tmp_path / "out", 16)
    assert picture(sheet, "truth", "height").place == (0, 0, 0.25, 0.5)
    assert picture(sheet, "truth", "height").size == (5, 10)


def test_large_layers_are_reduced(tmp_path, monkeypatch):
    monkeypatch.setattr(draw, "SIDE", 24)
    tile = prepared_tile(tmp_path / "t0", SIDE)
    maps = predicted_maps(tmp_path / "joint", 2.0, SIDE)
    sheet = draw_tile(tile, [MethodMaps("joint", described("joint"), maps)], tmp_path / "out", 16)
    assert max(max(each.size) for each in sheet.pictures) == 24
    assert picture(sheet, "image", "").place == (0, 0, 1, 1)


def test_without_truth_there_are_no_errors(tmp_path):
    tile = prepared_tile(tmp_path / "t0", SIDE)
    write_raster(tile / "height.tif", np.full((1, 1), np.nan, np.float32), pixel=20.0, nodata=np.nan)
    maps = predicted_maps(tmp_path / "joint", 2.0, SIDE)
    sheet = draw_tile(tile, [MethodMaps("joint", described("joint"), maps)], tmp_path / "out", 16)
    of_height = [each.kind for each in sheet.pictures if each.task == "height"]
    assert of_height == ["prediction", "uncertainty"]
    assert not [key for key in sheet.keys if key.title.startswith("height error")]


def test_methods_of_one_task_have_the_pictures_of_that_task(tmp_path):
    tile = prepared_tile(tmp_path / "t0", SIDE)
    maps = predicted_maps(tmp_path / "maps", 2.0, SIDE)
    methods = [MethodMaps(task, described(task, tasks=(task,)), maps) for task in ("semantics", "height")]
    sheet = draw_tile(tile, methods, tmp_path / "out", 16)
    assert {each.task for each in sheet.rows[0].pictures} == {"semantics"}
    assert {each.task for each in sheet.rows[1].pictures} == {"height"}
    assert [each.task for each in sheet.shared] == ["", "semantics", "height"]


def test_uncertainty_of_classes_is_their_entropy_or_else_what_the_class_lacks_to_certainty(tmp_path):
    maps = predicted_maps(tmp_path, 0.0, SIDE)
    assert uncertainty_map(maps, SEMANTICS).of_probabilities
    write_raster(maps / "semantics_entropy.tif", np.ones((SIDE, SIDE), np.float32), nodata=np.nan)
    assert uncertainty_map(maps, SEMANTICS).label == "entropy (bits)"
    assert uncertainty_map(maps, HEIGHT).path.name == "height_std.tif"
    (maps / "height_std.tif").unlink()
    assert uncertainty_map(maps, HEIGHT) is None


@pytest.mark.full("draws some twenty tiles")
def test_memory_follows_a_tile_and_not_their_number_nor_that_of_methods(tmp_path):
    def peak(tiles, methods):
        folders = [prepared_tile(tmp_path / "tiles" / f"t{number}", 400) for number in range(tiles)]
        maps = {}
        for number in range(methods):
            of_method = tmp_path / f"m{number}"
            for folder in folders:
                predicted_maps(of_method / folder.name, 1.0, 400)
            maps[of_method.name] = [PredictedMaps(of_method, described(of_method.name))]
        tracemalloc.start()
        for _ in draw_tiles(DatasetMaps(folders, maps), tmp_path / "out", 64):
            pass
        largest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return largest

    peak(1, 1)  # imports and caches
    assert peak(3, 4) < 1.2 * peak(1, 1)
