"""Sample patches of the dashboard: their choice, the place of the truth in them, and the legend."""

import base64
import io

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from PIL import Image

from mtlaerial.config import IGNORED
from mtlaerial.dashboard.curves import POINTS, Curves, panels
from mtlaerial.dashboard.picture import draw, picture_window
from mtlaerial.dashboard.samples import Patch, choose
from mtlaerial.rasters.grid import Grid
from mtlaerial.tiles.statistics import Statistics
from mtlaerial.tiles.tile import Tile, load_tiles
from support.tiny import Folders, training_spec

BOTH = ("semantics", "height")
ROWS, COLUMNS = 64, 96


def tile(name: str = "one", cells: int = 2) -> Tile:
    """Return a tile without truth, whose heights and labels have cells of so many pixels."""
    scale = 1 / cells
    grids: dict[str, Grid] = {}
    return Tile(
        name,
        torch.arange(ROWS * COLUMNS * 3, dtype=torch.int32).reshape(ROWS, COLUMNS, 3) % 251,
        torch.full((ROWS // cells, COLUMNS // cells, 1), torch.nan),
        torch.full((ROWS // cells, COLUMNS // cells, 1), IGNORED, dtype=torch.uint8),
        (scale, scale, 0.0, 0.0),
        (scale, scale, 0.0, 0.0),
        grids,  # type: ignore[arg-type]  # empty: nothing here asks for a grid
    )


def test_the_truth_keeps_its_cells_and_its_place() -> None:
    one = tile(cells=4)
    one.labels[:] = torch.arange(16 * 24).reshape(16, 24, 1) % 7
    patch = Patch.cut(one, row=10, column=32, side=32, tasks=("semantics",))
    assert torch.equal(patch.image, one.image[10:42, 32:64].permute(2, 0, 1))
    # Rows 10 to 42 touch the cells 2 to 10; the first begins two pixels above the patch, the last ends two below.
    assert np.array_equal(patch.truth["semantics"], one.labels[2:11, 8:16, 0].numpy())
    assert patch.extents["semantics"] == (0, 32, -34, 2)


def test_patches_of_the_most_interest_are_chosen() -> None:
    one = tile()
    one.labels[16:, 32:] = 1  # the lower right third is known
    one.height[16:, 32:] = 3.0
    one.labels[20, 40], one.height[20, 40] = 2, 30.0
    [best, *others] = choose([one], BOTH, 3, 32, 32)
    assert torch.equal(best.image, one.image[32:, 64:].permute(2, 0, 1))
    assert all(patch.interest > 0 for patch in others)


def test_every_tile_has_its_turn_and_none_without_truth() -> None:
    tiles = [tile(name) for name in ("empty", "first", "second")]
    for one in tiles[1:]:
        one.labels[:], one.height[:] = 1, 2.0
    chosen = choose(tiles, BOTH, 3, 32, 32)
    assert [patch.tile for patch in chosen] == ["first", "second", "first"]
    assert choose(tiles[:1], BOTH, 3, 32, 32) == []


def test_a_task_without_truth_makes_a_patch_useless() -> None:
    one = tile()
    one.labels[:] = 1
    assert choose([one], BOTH, 3, 32, 32) == []
    assert len(choose([one], ("semantics",), 3, 32, 32)) == 3


@pytest.mark.parametrize(("side", "expected"), [(32, 32), (96, 64), (320, 64)])
def test_tiles_smaller_than_a_patch_give_smaller_ones(side: int, expected: int) -> None:
    one = tile()
    one.labels[:] = 1
    assert {patch.image.shape[1:] for patch in choose([one], ("semantics",), 8, side, 32)} == {(expected, expected)}
    assert choose([one], ("semantics",), 8, 320, 128) == []


def test_patches_have_their_surroundings_for_a_network_with_a_context() -> None:
    one = tile()
    one.labels[:] = 1
    for patch in choose([one], ("semantics",), 3, 32, 32, context_scale=2):
        row, column = patch.corner
        assert torch.equal(patch.network_input[:3], patch.image.float())
        # The patch lies in the middle half of its surroundings, at half of the resolution.
        middle = patch.network_input[3:, 8:24, 8:24]
        pixels = one.image[row : row + 32, column : column + 32].permute(2, 0, 1).float()
        torch.testing.assert_close(middle, pixels.unfold(1, 2, 2).unfold(2, 2, 2).mean(dim=(3, 4)), rtol=0, atol=1e-3)
    assert choose([one], ("semantics",), 1, 32, 32)[0].network_input.shape == (3, 32, 32)


@pytest.fixture
def figure(tiles: Folders, statistics: Statistics) -> Figure:
    patches = choose(load_tiles(tiles["val"], torch.device("cpu"), 0), BOTH, 2, 32, 32)
    maps = [{"semantics": np.zeros((32, 32), np.uint8), "height": np.full((32, 32), 4.0, np.float32)}] * len(patches)
    return draw(patches, maps, statistics, "patches after epoch 3")


def test_a_picture_names_what_it_shows(figure: Figure, statistics: Statistics) -> None:
    titles = [axes.get_title() for axes in figure.axes if axes.get_title()]
    assert titles == ["image", "true classes", "predicted classes", "true height", "predicted height"]
    assert figure.get_suptitle() == f"{statistics.title} (generated data): patches after epoch 3"
    [legend] = figure.legends
    names = [entry.name for entry in statistics.classes]
    assert [text.get_text() for text in legend.get_texts()] == [*names, "no data"]
    assert "height above ground (m)" in [axes.get_ylabel() for axes in figure.axes]
    maps = [axes for axes in figure.axes if axes.images]
    limits = {(axes.get_xlim(), axes.get_ylim()) for axes in maps[:10]}
    assert limits == {((0, 32), (-32, 0))}
    assert len({maps[column].images[0].norm.vmax for column in (3, 4, 8, 9)}) == 1


def test_nothing_in_a_picture_lies_on_another_thing(figure: Figure) -> None:
    figure.draw_without_rendering()
    boxes = [axes.get_tightbbox() for axes in figure.axes] + [figure.legends[0].get_window_extent()]
    boxes.append(figure._suptitle.get_window_extent())  # type: ignore[attr-defined]  # matplotlib has no getter
    inner = [box.padded(-1) for box in boxes if box]
    assert not [(a, b) for i, a in enumerate(inner) for b in inner[:i] if a.overlaps(b)]
    assert all(figure.bbox.padded(1).fully_contains(*corner) for box in inner for corner in (box.p0, box.p1))


def test_a_picture_is_a_small_image_of_the_window_s_size(figure: Figure) -> None:
    window = picture_window(figure, "patches")
    kind, _, data = window["data"][0]["content"]["src"].partition(",")
    assert kind == "data:image/webp;base64"
    assert len(data) < 400_000
    image = Image.open(io.BytesIO(base64.b64decode(data)))
    assert abs(image.width - window["opts"]["width"]) <= 1


def test_a_row_that_is_completed_is_one_point() -> None:
    curves, row = Curves(), {"step": 3, "epoch": 1.0, "loss_height": 2.0}
    curves.add(row)
    curves.add({**row, "val_MAE": 4.0})
    curves.add({"step": 6, "epoch": 2.0, "loss_height": 1.0})
    assert curves.thinned("loss_height") == ([1.0, 2.0], [2.0, 1.0])
    assert curves.thinned("val_MAE") == ([1.0], [4.0])
    assert curves.thinned("unknown") == ([], [])


def test_long_curves_are_thinned_to_points_of_their_own_and_gaps_are_left_out() -> None:
    curves = Curves()
    for step in range(7001):
        curves.add({"epoch": float(step), "loss_height": np.nan if step == 0 else step / 7})
    epochs, values = curves.thinned("loss_height")
    assert len(epochs) == POINTS - 1
    assert epochs[-1] == 7000
    assert values == [epoch / 7 for epoch in epochs]
    assert max(np.diff(epochs)) < 16


def test_scores_are_told_with_their_units() -> None:
    curves, shown = Curves(), panels(training_spec(), BOTH, True)
    assert curves.scores(shown.values()) == ""
    curves.add({"epoch": 1.0, "val_OA": 0.5, "val_mIoU": 0.25, "val_MAE": 2.0, "val_RMSE": 3.25})
    assert curves.scores(shown.values()) == "validation: OA 50 %, mIoU 25 %, MAE 2 m, RMSE 3.25 m"
