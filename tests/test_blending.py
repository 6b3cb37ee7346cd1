"""The streaming engine: no seams, no shift, means over cells, and memory that follows the window."""

import itertools
import math
from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch import Tensor

from mtlaerial import blending
from mtlaerial.blending import Blender, Target, kernel, starts
from mtlaerial.cells import Cells

WINDOW, STRIDE = 32, 24
DEVICE = torch.device("cpu")


def pointwise(windows: Tensor) -> Tensor:
    """Return three channels that depend on nothing but their own pixel."""
    value = windows.float()
    return torch.cat([value * 2 + 1, value.sin(), value[:, :1] ** 2], dim=1)[:, :3]


def picture(rows: int, columns: int, bands: int = 1) -> Tensor:
    return torch.rand(bands, rows, columns, generator=torch.Generator().manual_seed(rows * 1000 + columns)) * 9 + 1


def blend(
    image: Tensor,
    places: Sequence[tuple[tuple[float, float, int], tuple[float, float, int]]] = (),
    nodata: float | None = None,
    window: int = WINDOW,
    stride: int = STRIDE,
    batch: int = 3,
) -> list[Tensor]:
    """Blend onto grids given per axis as cells per pixel, offset, number of cells; by default the image's own."""
    rows, columns = image.shape[1:]
    channels = pointwise(image[None])[0].shape[0]
    maps, targets = [], []
    for row, column in places or [((1, 0, rows), (1, 0, columns))]:
        written = torch.full((channels, row[2], column[2]), math.inf)
        maps.append(written)

        def write(y: int, x: int, values: Tensor, out: Tensor = written) -> None:
            part = out[:, y : y + values.shape[1], x : x + values.shape[2]]
            assert part.shape == values.shape
            assert torch.isinf(part).all(), "every cell is written once"
            part.copy_(values)

        cells = (Cells.of(row[0], row[1], rows, row[2]), Cells.of(column[0], column[1], columns, column[2]))
        targets.append(Target(slice(0, channels), *cells, write))

    def read(y: int, x: int, height: int, width: int) -> Tensor:
        assert min(y, x) >= 0
        assert y + height <= rows
        assert x + width <= columns
        return image[:, y : y + height, x : x + width]

    blender = Blender(pointwise, channels, window, stride, batch, DEVICE)
    done = sum(blender.run(read, rows, columns, targets, nodata))
    assert done == blender.windows(rows, columns, targets)
    return maps


def cell_means(values: Tensor, row: tuple[float, float, int], column: tuple[float, float, int]) -> Tensor:
    """Return what a grid should hold, cell by cell; NaN pixels are left out."""
    rows = Cells.of(row[0], row[1], values.shape[1], row[2])
    columns = Cells.of(column[0], column[1], values.shape[2], column[2])
    found = torch.full((values.shape[0], row[2], column[2]), math.nan)
    for i, j in itertools.product(range(row[2]), range(column[2])):
        held = values[:, int(rows.first[i]) : int(rows.last[i]), int(columns.first[j]) : int(columns.last[j])]
        found[:, i, j] = held.flatten(1).nanmean(dim=1)
    return found


@pytest.fixture(params=["one band", "many bands"])
def bands(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "many bands":
        monkeypatch.setattr(blending, "BAND_BYTES", 1)


@pytest.mark.usefixtures("bands")
@pytest.mark.parametrize(
    ("rows", "columns"),
    [(32, 32), (10, 7), (5, 200), (200, 5), (31, 33), (57, 80), (64, 192), (100, 301), (33, 129), (1, 1)],
)
def test_what_depends_on_nothing_but_its_pixel_is_unchanged(rows: int, columns: int) -> None:
    image = picture(rows, columns)
    torch.testing.assert_close(blend(image)[0], pointwise(image[None])[0], rtol=2e-6, atol=2e-6)


@pytest.mark.parametrize(("window", "stride"), [(32, 32), (32, 5), (64, 48), (96, 1)])
def test_any_stride_up_to_the_window(window: int, stride: int) -> None:
    image = picture(70, 101)
    found = blend(image, window=window, stride=stride, batch=7)[0]
    torch.testing.assert_close(found, pointwise(image[None])[0], rtol=2e-6, atol=2e-6)


def test_windows_cover_an_axis_and_end_with_it() -> None:
    for length, stride in itertools.product(range(1, 140), (1, 5, 24, 32)):
        edges = starts(length, 32, stride)
        assert edges[0] == 0
        assert edges[-1] == max(length - 32, 0)
        steps = np.diff(edges)
        assert ((steps > 0) & (steps <= stride)).all()


def test_windows_are_weighted_towards_their_middle() -> None:
    weights = kernel(65)
    assert weights[32, 32] == 1
    y, x = 10, 50
    distance = (y / 32 - 1) ** 2 + (x / 32 - 1) ** 2
    assert float(weights[y, x]) == pytest.approx(math.exp(-distance / (2 * 0.2**2)), rel=1e-4)


def test_overlapping_windows_are_averaged_by_weight() -> None:
    image = torch.zeros(1, 32, 56)
    numbers = itertools.count(1)

    def counting(windows: Tensor) -> Tensor:
        return torch.stack([torch.full((1, 32, 32), float(next(numbers))) for _ in windows])

    found = torch.zeros(32, 56)

    def write(y: int, x: int, values: Tensor) -> None:
        found[y : y + values.shape[1], x : x + values.shape[2]] = values[0]

    target = Target(slice(0, 1), Cells.of(1, 0, 32, 32), Cells.of(1, 0, 56, 56), write)
    list(
        Blender(counting, 1, 32, 24, 1, DEVICE).run(
            lambda y, x, h, w: image[:, y : y + h, x : x + w], 32, 56, [target], None
        )
    )
    one, two = kernel(32)[:, 24:], kernel(32)[:, :8]
    torch.testing.assert_close(found[:, 24:32], (one + 2 * two) / (one + two))
    assert (found[:, :24] == 1).all()
    assert (found[:, 32:] == 2).all()


ROWS, COLUMNS = 83, 150
PLACES = {
    "coarser": ((0.5, 0, 42), (0.5, 0, 75)),
    "ten times coarser": ((0.1, 0, 9), (0.1, 0, 15)),
    "coarser than a window": ((1 / 50, 0, 2), (1 / 70, 0, 3)),
    "one cell": ((1 / ROWS, 0, 1), (1 / COLUMNS, 0, 1)),
    "not a whole multiple": ((1 / 1.7, 0, 49), (1 / 2.3, 0, 66)),
    "shifted": ((1, 0.3, 84), (0.5, 0.5, 76)),
    "finer": ((2, 0, 2 * ROWS), (1.5, 0, 225)),
    "reaching outside": ((0.5, 6, 60), (1, 7, 170)),
    "far outside": ((1, 90, 200), (0.25, 30, 90)),
    "the south-east part": ((1, -60, 23), (1, -100, 50)),
    "the north-west part": ((1, 0, 9), (0.5, 0, 11)),
    "a part within": ((0.5, -12.25, 7), (1, -37.4, 20)),
    "beside the image": ((1, 0, ROWS), (1, -160, 10)),
}


@pytest.mark.usefixtures("bands")
@pytest.mark.parametrize("name", PLACES)
def test_cells_are_the_means_of_their_pixels(name: str) -> None:
    image = picture(ROWS, COLUMNS)
    found = blend(image, [PLACES[name]])[0]
    expected = cell_means(pointwise(image[None])[0], *PLACES[name])
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5, equal_nan=True)


def test_several_targets_are_filled_in_one_pass() -> None:
    image = picture(ROWS, COLUMNS)
    places = list(PLACES.values())
    for found, place in zip(blend(image, places), places, strict=True):
        expected = cell_means(pointwise(image[None])[0], *place)
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5, equal_nan=True)


@pytest.mark.parametrize("name", PLACES)
def test_the_number_of_bands_changes_nothing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    image = picture(ROWS, COLUMNS, bands=2)
    whole = blend(image, [PLACES[name]])[0]
    for size in (1, 100_000, 200_000):
        monkeypatch.setattr(blending, "BAND_BYTES", size)
        torch.testing.assert_close(blend(image, [PLACES[name]])[0], whole, rtol=1e-6, atol=1e-6, equal_nan=True)


@pytest.mark.usefixtures("bands")
@pytest.mark.parametrize("name", ["coarser", "not a whole multiple", "finer", "shifted", "a part within"])
@pytest.mark.parametrize("nodata", [0.0, math.nan])
def test_pixels_without_data_do_not_count(name: str, nodata: float) -> None:
    image = picture(ROWS, COLUMNS, bands=2)
    image[:, 20:45, 30:71] = nodata
    image[0, 60, 60] = nodata if nodata == 0 else 5.0  # one band alone is not no-data
    values = pointwise(image[None])[0]
    values[:, 20:45, 30:71] = math.nan
    found = blend(image, [PLACES[name]], nodata=nodata)[0]
    expected = cell_means(values, *PLACES[name])
    assert torch.isnan(expected).any()
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4, equal_nan=True)


def test_the_image_s_type_is_kept_for_the_network() -> None:
    seen = set()

    def network(windows: Tensor) -> Tensor:
        seen.add(windows.dtype)
        return windows.float()

    for dtype in (torch.uint8, torch.uint16, torch.int16):
        image = (picture(10, 40) * 10).to(dtype)
        found = torch.zeros(1, 10, 40)

        def write(y: int, x: int, values: Tensor, out: Tensor = found) -> None:
            out[:, y : y + values.shape[1], x : x + values.shape[2]] = values

        target = Target(slice(0, 1), Cells.of(1, 0, 10, 10), Cells.of(1, 0, 40, 40), write)
        blender = Blender(network, 1, 32, 24, 2, DEVICE)
        list(blender.run(lambda y, x, h, w, i=image: i[:, y : y + h, x : x + w], 10, 40, [target], nodata=3))
        expected = image.float()
        torch.testing.assert_close(found, expected.masked_fill(expected == 3, math.nan), equal_nan=True)
    assert seen == {torch.uint8, torch.uint16, torch.int16}


def test_sums_do_not_grow_with_the_raster(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = {}
    for rows, columns in ((200, 3000), (2000, 3000), (200, 12_000)):
        made = []

        class Sums(blending._Sums):
            def __init__(self, *args: object) -> None:
                super().__init__(*args)  # type: ignore[arg-type]  # passed on as they came
                made.append(self._sums.numel())  # noqa: B023  # the loop ends before the next list is made

        monkeypatch.setattr(blending, "_Sums", Sums)
        monkeypatch.setattr(blending, "BAND_BYTES", 2**20)
        blend(picture(rows, columns), [((0.1, 0, rows // 10), (0.1, 0, columns // 10))], window=64, stride=64)
        sizes[rows, columns] = max(made)
    assert sizes[200, 3000] == sizes[2000, 3000]
    assert max(sizes.values()) * 4 <= 2**20


def test_no_more_than_a_strip_is_read_at_once() -> None:
    reads = []
    image = picture(300, 90)

    def read(y: int, x: int, height: int, width: int) -> Tensor:
        reads.append((y, height))
        return image[:, y : y + height, x : x + width]

    target = Target(slice(0, 3), Cells.of(1, 0, 300, 300), Cells.of(1, 0, 90, 90), lambda y, x, values: None)
    list(Blender(pointwise, 3, WINDOW, STRIDE, 1, DEVICE).run(read, 300, 90, [target], None))
    assert max(height for _, height in reads) == WINDOW
    assert [y for y, _ in reads] == starts(300, WINDOW, STRIDE)
