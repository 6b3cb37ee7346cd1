"""The seam ratio: about 1 for a pointwise network, higher where windows differ at their borders."""

import json
import math
from pathlib import Path

import pytest
import torch
from torch import Tensor

from mtlaerial.errors import DataError
from mtlaerial.prediction.blending.blender import Blender
from mtlaerial.prediction.blending.strips import Strip
from mtlaerial.prediction.blending.windows import Layout, even, original
from mtlaerial.prediction.seam_meter import SeamMeter, lines
from mtlaerial.reporting.tables.collect import collect
from mtlaerial.scoring.seams import load_seams, seam_ratio
from support.sample_scores import run, tile

DEVICE = torch.device("cpu")
ROWS, COLUMNS = 300, 260
CHANNELS = {"semantics": slice(0, 2), "height": slice(2, 3)}


def measured(network, layout: Layout, image: Tensor, nodata: float | None = None) -> SeamMeter:  # type: ignore[no-untyped-def]
    down, across = layout(image.shape[1]), layout(image.shape[2])
    meter = SeamMeter(down, across, CHANNELS)
    blender = Blender(network, 3, layout, 2, DEVICE)
    _, rows, columns = image.shape

    def read(row: int, column: int, height: int, width: int) -> Strip:
        strip = image[:, row : row + height, column : column + width]
        return Strip(strip, None if nodata is None else (strip == nodata).all(dim=0))

    list(blender.run(read, rows, columns, [], meter))
    return meter


def slopes() -> Tensor:
    """Return an image that rises by 3 per row and 2 per column."""
    return (3.0 * torch.arange(ROWS)[:, None] + 2.0 * torch.arange(COLUMNS)[None, :])[None]


def pointwise(windows: Tensor) -> Tensor:
    share = windows / 2000
    return torch.cat([share, 1 - share, windows], dim=1)


def restless(windows: Tensor) -> Tensor:
    """Return heights with an error of 50 m in some windows, which their first pixel decides."""
    off = (windows[:, :1, :1, :1] * 7).sin().sign() * 25 + 25
    return torch.cat([windows * 0, windows * 0, windows + off], dim=1)


@pytest.mark.parametrize("layout", [original(64, 48), even(64, 16, 4)], ids=["original", "even"])
def test_a_pointwise_network_has_a_seam_ratio_of_one(layout: Layout) -> None:
    sums = measured(pointwise, layout, slopes()).sums
    down, across = layout(ROWS), layout(COLUMNS)
    number = len(down.borders) * COLUMNS + len(across.borders) * ROWS
    total = 3.0 * len(down.borders) * COLUMNS + 2.0 * len(across.borders) * ROWS
    assert sums["height"]["border"] == (pytest.approx(total), number)
    assert sums["semantics"]["border"] == (pytest.approx(total / 2000, rel=1e-4), number)
    rows, columns = (lines(axis.borders, axis.length)["inside"] for axis in (down, across))
    assert sums["height"]["inside"][1] == len(rows) * COLUMNS + len(columns) * ROWS
    step = (3 * len(rows) * COLUMNS + 2 * len(columns) * ROWS) / sums["height"]["inside"][1]
    assert seam_ratio([sums], "height") == pytest.approx(total / number / step, rel=1e-6)
    assert seam_ratio([sums], "height") == pytest.approx(1, abs=0.05)


def test_hard_edges_are_found_and_fading_hides_them() -> None:
    hard = seam_ratio([measured(restless, even(64, 0, 4), slopes()).sums], "height")
    faded = seam_ratio([measured(restless, even(64, 16, 4), slopes()).sums], "height")
    assert hard is not None
    assert faded is not None
    assert hard > 5
    assert faded < 1.5


def test_pixels_without_data_do_not_count() -> None:
    image = slopes()
    image[:, 100:180] = -1
    meter = measured(pointwise, even(64, 16, 4), image, nodata=-1)
    whole = measured(pointwise, even(64, 16, 4), slopes())
    assert meter.sums["height"]["border"][1] < whole.sums["height"]["border"][1]
    assert math.isfinite(meter.sums["height"]["border"][0])
    assert seam_ratio([meter.sums], "height") == pytest.approx(1, abs=0.1)


def test_one_window_has_no_borders(tmp_path: Path) -> None:
    meter = measured(pointwise, even(512, 64, 32), slopes())
    assert meter.sums["height"] == {"border": (0.0, 0), "inside": (0.0, 0)}
    meter.save(tmp_path)
    assert load_seams(tmp_path) == meter.sums
    assert seam_ratio([meter.sums], "height") is None


def test_the_lines_inside_lie_midway() -> None:
    assert lines([10, 20], 100) == {"border": [10, 20], "inside": [5, 15, 60]}
    assert lines([10, 12], 100)["inside"] == [5, 56]


@pytest.mark.parametrize("content", ["{", json.dumps({"height": {"border": [1.0]}}), json.dumps({"depth": {}})])
def test_a_damaged_file_is_named(tmp_path: Path, content: str) -> None:
    assert load_seams(tmp_path) == {}
    (tmp_path / "seams.json").write_text(content)
    with pytest.raises(DataError, match=r"seams\.json: found .*; expected .*Predict again"):
        load_seams(tmp_path)


def test_scores_add_seams_up_over_tiles() -> None:
    one = tile([[5, 1, 0], [1, 5, 0]], [1.0, 4.0], [1.0, 3.0])
    seams = [{"height": {"border": (6.0, 2), "inside": (1.0, 1)}}, {"height": {"border": (0.0, 1), "inside": (3.0, 1)}}]
    table = collect([run("joint", 1, [one.model_copy(update={"seams": each}) for each in seams])])
    by_pooling = table[(table.score == "seam height") & (table.method == "joint")].set_index("pooling")["value"]
    assert by_pooling["pooled"] == pytest.approx((6 / 3) / (4 / 2))
    assert by_pooling["tile mean"] == pytest.approx((3 + 0) / 2)
    assert "seam semantics" not in set(table.score)
