"""Patches compared with a reference that samples one pixel at a time."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from mtlaerial.config import IGNORED, Augmentation
from mtlaerial.sampling import Batch, PatchSampler
from mtlaerial.sampling.poses import Poses
from mtlaerial.tiles.tile import AxisMap, Tile

PATCH = 32
TIE = 2e-3
"""Pixels this near to a border, in cells, are not compared: rounding may put them on either side."""


def layer_of(rows: int, columns: int, axis: AxisMap, seed: int) -> tuple[Tensor, Tensor]:
    """Return height, with holes of all sizes, and labels of as many cells as cover an image's size."""
    generator = torch.Generator().manual_seed(seed)
    shape = math.ceil(rows * axis[1]), math.ceil(columns * axis[0])
    height = torch.rand(*shape, 1, generator=generator) * 20
    height[torch.rand(*shape, 1, generator=generator) < 0.15] = math.nan
    height[: shape[0] // 3, : shape[1] // 3] = math.nan
    return height, torch.randint(0, 6, (*shape, 1), generator=generator, dtype=torch.uint8)


def tile_of(rows: int, columns: int, axis: AxisMap) -> Tile:
    image = torch.randint(0, 255, (rows, columns, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(rows))
    height, labels = layer_of(rows, columns, axis, columns)
    return Tile("tile", image, height, labels, axis, axis, {})


def cell(layer: Tensor, row: float, column: float) -> list[float]:
    """Return the nearest cell's values; beyond the edge those at the edge."""
    rows, columns = layer.shape[:2]
    values: list[float] = layer[min(max(int(row), 0), rows - 1), min(max(int(column), 0), columns - 1)].tolist()
    return values


def known_height(layer: Tensor, x: float, y: float) -> tuple[float, float]:
    """Return the mean of the valid among the four cells about a position, and their weight."""
    left, top = math.floor(x - 0.5), math.floor(y - 0.5)
    total = weight = 0.0
    for row in (top, top + 1):
        for column in (left, left + 1):
            share = (1 - abs(y - 0.5 - row)) * (1 - abs(x - 0.5 - column))
            (value,) = cell(layer, row, column)
            if not math.isnan(value):
                total, weight = total + share * value, weight + share
    return (total / weight if weight else math.nan), weight


def near_a_border(*positions: float) -> bool:
    return any(abs(position - round(position)) < TIE for position in positions)


def check_pixel(tile: Tile, batch: Batch, patch: int, row: int, column: int, x: float, y: float) -> None:
    """Compare one pixel of a patch, which lies at column ``x`` and row ``y`` of the image."""
    scale_x, scale_y, offset_x, offset_y = tile.to_height
    u, v = x * scale_x + offset_x, y * scale_y + offset_y
    if near_a_border(x, y, u, v):
        return
    assert batch.image[patch, :, row, column].tolist() == cell(tile.image, math.floor(y), math.floor(x))
    rows, columns = tile.height.shape[:2]
    inside = 0 <= x < tile.columns and 0 <= y < tile.rows and 0 <= u < columns and 0 <= v < rows
    expected = cell(tile.labels, math.floor(v), math.floor(u))[0] if inside else IGNORED
    assert batch.labels[patch, row, column] == expected
    mean, weight = known_height(tile.height, u, v)
    height = float(batch.height[patch, row, column])
    if not inside or weight < 0.5 - TIE:
        assert math.isnan(height)
    elif weight > 0.5 + TIE:
        assert height == pytest.approx(mean, abs=0.02)


AXES = [
    (1.0, 1.0, 0.0, 0.0),
    (0.5, 0.5, 0.0, 0.0),
    (0.333333, 0.2, 0.0, 0.0),  # a pixel's centre in the middle of a cell
    (0.25, 0.1, 0.37, -0.81),
    (0.37, 0.61, 0.4, -0.3),
    (2.0, 2.0, 1.0, 0.0),
]


@pytest.mark.quick_cases(5, "every pixel is computed by hand")
@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize("options", [{"rotation": 0, "quarter_turns": True}, {"rotation": 20, "zoom": 0.4}])
@pytest.mark.parametrize("size", [(70, 90), (25, 50)])
def test_every_pixel_is_what_its_pose_says(axis: AxisMap, options: dict[str, Any], size: tuple[int, int]) -> None:
    tile = tile_of(*size, axis)
    sampler = PatchSampler([tile], PATCH, Augmentation.parse(options, "augmentation"))
    poses = sampler.poses(5, torch.Generator().manual_seed(4))
    batch = sampler.draw(5, torch.Generator().manual_seed(4))
    for patch in range(5):
        centre, matrix = poses.centres[patch].double(), poses.matrices[patch].double()
        for row in range(PATCH):
            for column in range(row % 3, PATCH, 3):
                offset = torch.tensor([column, row], dtype=torch.float64) + 0.5 - PATCH / 2
                x, y = (centre + matrix @ offset).tolist()
                check_pixel(tile, batch, patch, row, column, x, y)


@pytest.mark.parametrize("centre", [(-200.0, 40.0), (300.0, 40.0), (40.0, -200.0), (40.0, 300.0)])
@pytest.mark.parametrize("exact", [True, False])
def test_a_patch_beside_its_tile_is_unknown(monkeypatch: pytest.MonkeyPatch, centre: Any, exact: bool) -> None:
    sampler = PatchSampler([tile_of(70, 90, (0.5, 0.5, 0.0, 0.0))], PATCH, Augmentation())
    poses = Poses([0], torch.tensor([centre]), torch.eye(2)[None], exact)
    monkeypatch.setattr(sampler, "poses", lambda batch, generator: poses)
    batch = sampler.draw(1, torch.Generator())
    assert bool(batch.height.isnan().all())
    assert bool((batch.labels == IGNORED).all())


@pytest.mark.parametrize("options", [{"rotation": 0, "quarter_turns": True}, {"rotation": 20, "zoom": 0.4}])
def test_a_batch_is_the_same_with_more_threads_and_in_shares(options: dict[str, Any]) -> None:
    tiles = [tile_of(70, 90, (0.5, 0.5, 0.0, 0.0)), tile_of(40, 200, (1.0, 1.0, 0.0, 0.0))]
    before = torch.get_num_threads()
    drawn = []
    for threads in (1, 3):
        torch.set_num_threads(threads)
        sampler = PatchSampler(tiles, PATCH, Augmentation.parse(options, "augmentation"))
        drawn.append(sampler.draw(7, torch.Generator().manual_seed(0)))
        assert torch.get_num_threads() == threads
    torch.set_num_threads(before)
    share = sampler.draw(7, torch.Generator().manual_seed(0), slice(3, 6))
    for name in ("image", "height", "labels"):
        with_one_thread, with_three = (getattr(batch, name) for batch in drawn)
        torch.testing.assert_close(with_one_thread, with_three, rtol=0, atol=0, equal_nan=True)
        torch.testing.assert_close(getattr(share, name), with_one_thread[3:6], rtol=0, atol=1e-3, equal_nan=True)


def test_images_are_channels_last() -> None:
    batch = PatchSampler([tile_of(70, 90, (1.0, 1.0, 0.0, 0.0))], PATCH, Augmentation()).draw(3, torch.Generator())
    assert batch.image.is_contiguous(memory_format=torch.channels_last)
