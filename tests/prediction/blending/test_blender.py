"""The streaming blender: no seams, no shift, each window once, and memory that follows the window."""

import itertools
import math
import threading
from pathlib import Path

import pytest
import torch
from torch import Tensor

from mtlaerial.prediction.blending import blender as blending
from mtlaerial.prediction.blending.blender import Blender
from mtlaerial.prediction.blending.column_blocks import column_blocks
from mtlaerial.prediction.blending.regrid import Cells
from mtlaerial.prediction.blending.strips import Strip, padded
from mtlaerial.prediction.blending.targets import Finished, Target
from mtlaerial.prediction.blending.windows import Layout, even, original
from support.blending import DEVICE, EVEN, LAYOUTS, ORIGINAL, blend, picture, pointwise, reader


@pytest.mark.usefixtures("blocks")
@LAYOUTS
@pytest.mark.parametrize(
    ("rows", "columns"),
    [(32, 32), (10, 7), (5, 200), (200, 5), (31, 33), (57, 80), (64, 192), (100, 301), (33, 129), (1, 1)],
)
def test_pointwise_outputs_have_no_seam(rows: int, columns: int, layout: Layout) -> None:
    """Bit for bit: blending adds no rounding error."""
    image = picture(rows, columns)
    assert torch.equal(blend(image, layout=layout)[0], pointwise(image[None])[0])


@pytest.mark.parametrize(("window", "stride"), [(32, 32), (32, 5), (64, 48), (96, 1)])
@pytest.mark.parametrize("kind", ["original", "even"])
def test_any_stride_up_to_the_window(window: int, stride: int, kind: str) -> None:
    image = picture(70, 101)
    layout = original(window, stride) if kind == "original" else even(window, window - stride, 32)
    assert torch.equal(blend(image, layout=layout, batch=7)[0], pointwise(image[None])[0])


def directional(windows: Tensor) -> Tensor:
    """Return a channel that depends on a pixel's position in its window, and on the window's first pixel."""
    rows, columns = windows.shape[2:]
    place = torch.arange(rows)[:, None] * 3.0 + torch.arange(columns)[None, :] ** 2
    return (place + 100 * windows[:, :1, :1, :1]).expand(len(windows), 1, rows, columns)


@pytest.mark.usefixtures("blocks")
@LAYOUTS
@pytest.mark.parametrize(("rows", "columns"), [(83, 150), (32, 33), (20, 90)])
def test_windows_are_averaged_by_weight(rows: int, columns: int, layout: Layout) -> None:
    image = picture(rows, columns)
    down, across = layout(rows), layout(columns)
    total, weight = torch.zeros(rows, columns, dtype=torch.float64), torch.zeros(rows, columns, dtype=torch.float64)
    for (i, top), (j, left) in itertools.product(enumerate(down.starts), enumerate(across.starts)):
        place = slice(top, down.stop(i)), slice(left, across.stop(j))
        crop = padded(image[:, *place], down.window, across.window)
        product = (down.weights[:, None] * across.weights[None, :])[: down.stop(i) - top, : across.stop(j) - left]
        total[place] += directional(crop[None])[0, 0, : product.shape[0], : product.shape[1]] * product
        weight[place] += product
    blended = blend(image, layout=layout, network=directional)[0]
    covered = weight > 0  # what one window alone shows may lie where that has no weight
    torch.testing.assert_close(blended[0][covered], (total / weight)[covered].float(), rtol=1e-5, atol=1e-3)
    assert float(covered.float().mean()) > 0.8


def test_no_window_is_run_twice_and_no_row_of_a_block_read_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blending, "BLOCK_BYTES", 4 * 3 * 32 * 70)
    image, run, rows = picture(120, 200), [], []

    def network(windows: Tensor) -> Tensor:
        run.extend(windows[:, 0, 0, 0].tolist())
        return pointwise(windows)

    def read(y: int, x: int, height: int, width: int) -> Strip:
        rows.append((x, y, y + height))
        assert width <= 70
        return reader(image)(y, x, height, width)

    list(Blender(network, 3, ORIGINAL, 2, DEVICE).run(read, 120, 200, []))
    expected = [float(image[0, y, x]) for y, x in itertools.product(ORIGINAL(120).starts, ORIGINAL(200).starts)]
    assert sorted(run) == sorted(expected)
    blocks = {x for x, _, _ in rows}
    assert len(blocks) > 2
    for x in blocks:
        parts = [part for left, *part in rows if left == x]
        assert parts[0][0] == 0
        assert parts[-1][1] == 120
        assert all(before[1] == after[0] for before, after in itertools.pairwise(parts))


def test_windows_without_data_are_not_run() -> None:
    image, run = picture(100, 100), []
    image[:, :70] = 0

    def network(windows: Tensor) -> Tensor:
        run.append(len(windows))
        return pointwise(windows)

    blended = blend(image, nodata=0, network=network)[0]
    axis = EVEN(100)
    run.remove(1)  # to learn the number of channels
    assert sum(run) == len(axis.starts) * sum(axis.stop(i) > 70 for i in range(len(axis.starts)))
    assert torch.isnan(blended[:, :70]).all()
    assert torch.equal(blended[:, 70:], pointwise(image[None])[0][:, 70:])


@pytest.mark.parametrize("part", ["read", "network", "write"])
def test_errors_of_any_thread_are_raised(part: str) -> None:
    image, threads = picture(200, 40), threading.active_count()

    def failing(name: str, count: list[int], at: int = 3) -> None:
        count.append(1)
        if name == part and len(count) >= at:
            raise OSError("no space left")

    reads, runs, writes = [], [], []  # type: ignore[var-annotated]  # lists of calls

    def read(y: int, x: int, height: int, width: int) -> Strip:
        failing("read", reads)
        return reader(image)(y, x, height, width)

    def network(windows: Tensor) -> Tensor:
        failing("network", runs)
        return pointwise(windows)

    target = Target(slice(0, 3), Cells.of(1, 0, 200, 200), Cells.of(1, 0, 40, 40), lambda *_: failing("write", writes))
    with pytest.raises(OSError, match="no space left"):
        list(Blender(network, 3, EVEN, 1, DEVICE).run(read, 200, 40, [target]))
    assert threading.active_count() == threads


def test_errors_of_the_last_write_are_raised() -> None:
    def write(row: int, column: int, values: Tensor) -> None:
        raise OSError("no space left")

    target = Target(slice(0, 3), Cells.of(1, 0, 20, 20), Cells.of(1, 0, 20, 20), write)
    with pytest.raises(OSError, match="no space left"):
        list(Blender(pointwise, 3, EVEN, 1, DEVICE).run(reader(picture(20, 20)), 20, 20, [target]))


def test_the_image_s_type_is_kept_for_the_network() -> None:
    dtypes = set()

    def network(windows: Tensor) -> Tensor:
        dtypes.add(windows.dtype)
        return windows.float()

    for dtype in (torch.uint8, torch.uint16, torch.int16):
        image = (picture(10, 40) * 10).to(dtype)
        blended = torch.zeros(1, 10, 40)

        def write(y: int, x: int, values: Tensor, out: Tensor = blended) -> None:
            out[:, y : y + values.shape[1], x : x + values.shape[2]] = values

        target = Target(slice(0, 1), Cells.of(1, 0, 10, 10), Cells.of(1, 0, 40, 40), write)
        blender = Blender(network, 1, original(32, 24), 2, DEVICE)
        list(blender.run(reader(image, 3), 10, 40, [target]))
        expected = image.float()
        torch.testing.assert_close(blended, expected.masked_fill(expected == 3, math.nan), equal_nan=True)
    assert dtypes == {torch.uint8, torch.uint16, torch.int16}


def test_memory_does_not_grow_with_the_raster(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(blending, "BLOCK_BYTES", 2**20)
    layout, sizes = even(64, 8, 4), {}
    for rows, columns in ((200, 3000), (2000, 3000), (200, 12_000)):
        block_bytes: list[int] = []
        image = picture(1, 1).expand(1, rows, columns)
        blender = Blender(pointwise, 3, layout, 8, DEVICE)
        down, across = (Cells.of(0.1, 0, n, n // 10) for n in (rows, columns))
        target = Target(slice(0, 3), down, across, lambda *_: None)

        def watch(finished: Finished, block_bytes: list[int] = block_bytes) -> None:
            block_bytes.append(finished.values.untyped_storage().nbytes())

        list(blender.run(reader(image), rows, columns, [target], watch, tmp_path))
        sizes[rows, columns] = max(block_bytes)
    assert max(sizes.values()) <= 1.2 * 2**20  # ten rows more, for cells that straddle
    assert sizes[2000, 3000] <= sizes[200, 3000] * 1.1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("blocks")
@LAYOUTS
@pytest.mark.parametrize(("rows", "columns"), [(83, 150), (20, 90)])
def test_windows_come_with_their_surroundings(rows: int, columns: int, layout: Layout, tmp_path: Path) -> None:
    # On a ramp the mean of a window's surroundings is that of the window, wherever it lies.
    image = (torch.arange(rows)[:, None] * 1000.0 + torch.arange(columns))[None]
    differences = []

    def network(windows: Tensor) -> Tensor:
        assert windows.shape[1] == 1 + 2
        top, left = (length // 2 - 2 for length in windows.shape[2:])
        for scale in (1, 2):
            middle = windows[:, scale : scale + 1, top : top + 4, left : left + 4]
            known = middle.isfinite().flatten(1).all(dim=1)
            centres = windows[known, :1].mean(dim=(2, 3)) - middle[known].mean(dim=(2, 3))
            differences.extend(centres.flatten().tolist())
        # The wider ones have steps twice as large.
        steps = [windows[:, scale].diff(dim=2).nanmedian() for scale in (1, 2)]
        assert steps == [2, 4]
        return windows[:, :1]

    blender = Blender(network, 1, layout, 3, DEVICE, context_scales=(2, 4))
    list(blender.run(reader(image), rows, columns, [], scratch=tmp_path))
    if rows > 32:  # else windows are filled up by mirroring
        assert len(differences) > 6
        assert max(map(abs, differences)) < 0.1
    assert list(tmp_path.iterdir()) == []


def test_finished_values_are_seen_once_with_a_row_and_a_column_before_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blending, "BLOCK_BYTES", 1)
    image, count = picture(83, 150), torch.zeros(83, 150)

    def watch(finished: Finished) -> None:
        (top, bottom), (left, right) = finished.rows, finished.columns
        count[top:bottom, left:right] += 1
        assert finished.top <= max(top - 1, 0)
        assert finished.left <= max(left - 1, 0)
        expected = pointwise(image[None, :, finished.top : bottom, finished.left : right])[0]
        assert torch.equal(finished.values, expected)

    list(Blender(pointwise, 3, EVEN, 2, DEVICE).run(reader(image), 83, 150, [], watch))
    assert (count == 1).all()


def test_a_wider_context_changes_no_block_but_its_first_columns() -> None:
    across = even(64, 16, 4)(900)
    narrow, wide = column_blocks(across, [], 200), column_blocks(across, [], 200, context=128)
    assert len(narrow) > 3
    assert [(block.windows, block.right, block.columns) for block in narrow] == [
        (block.windows, block.right, block.columns) for block in wide
    ]
    assert [block.left for block in wide] == [max(block.columns[0] - 128, 0) for block in wide]
