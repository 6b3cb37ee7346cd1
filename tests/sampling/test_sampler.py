"""Patches: image, height and labels of a pose show the same ground at any rotation and zoom."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from affine import Affine
from torch import Tensor

from mtlaerial.config import IGNORED, Augmentation
from mtlaerial.rasters.geotiff import PREPARED, create_raster
from mtlaerial.rasters.grid import Grid
from mtlaerial.sampling import Batch, PatchSampler
from mtlaerial.sampling.poses import Poses
from mtlaerial.tiles.tile import ON_GRID, Tile, load_tiles
from support import tiny

PATCH = 32
NONE: dict[str, Any] = {"flip": False, "rotation": 0}
MIRRORS_AND_TURNS = [
    torch.tensor(matrix, dtype=torch.float32)
    for matrix in (
        [[1, 0], [0, 1]],
        [[-1, 0], [0, 1]],
        [[1, 0], [0, -1]],
        [[-1, 0], [0, -1]],
        [[0, 1], [1, 0]],
        [[0, -1], [1, 0]],
        [[0, 1], [-1, 0]],
        [[0, -1], [-1, 0]],
    )
]


def tile_of(
    image: Tensor,
    height: Tensor | None = None,
    labels: Tensor | None = None,
    ratio: float = 1.0,
    offset: tuple[float, float] = (0.0, 0.0),
) -> Tile:
    """Return a tile; height and labels have cells of ``ratio`` pixels, and begin ``offset`` cells further."""
    axis = ON_GRID if ratio == 1 and offset == (0, 0) else (1 / ratio, 1 / ratio, *offset)
    to_height = to_labels = axis
    to_one_cell = (1 / image.shape[1], 1 / image.shape[0], 0.0, 0.0)
    if height is None:
        height, to_height = torch.full((1, 1), math.nan), to_one_cell
    if labels is None:
        labels, to_labels = torch.full((1, 1), IGNORED, dtype=torch.uint8), to_one_cell
    return Tile("tile", image, height[..., None], labels[..., None], to_height, to_labels, grids={})


def random_tile(rows: int, columns: int, dtype: torch.dtype = torch.uint8) -> Tile:
    generator = torch.Generator().manual_seed(rows)
    image = (torch.rand(rows, columns, 3, generator=generator) * 200).to(dtype)
    height = torch.rand(rows, columns, generator=generator) * 20
    height[torch.rand(rows, columns, generator=generator) < 0.1] = math.nan
    labels = torch.randint(0, 6, (rows, columns), generator=generator, dtype=torch.uint8)
    return tile_of(image, height, labels)


def sampler(tiles: list[Tile], **options: Any) -> PatchSampler:
    return PatchSampler(tiles, PATCH, Augmentation.parse({**NONE, **options}, "augmentation"))


def at(drawer: PatchSampler, monkeypatch: pytest.MonkeyPatch, centres: Tensor, matrices: Tensor, exact: bool) -> Batch:
    """Return the batch of given poses of the first tile."""
    poses = Poses([0] * len(centres), centres, matrices, exact)
    monkeypatch.setattr(drawer, "poses", lambda batch, generator: poses)
    return drawer.draw(len(centres), torch.Generator())


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def assert_same(batch: Batch, expected: Batch) -> None:
    for name in ("image", "height", "labels"):
        a, b = getattr(batch, name), getattr(expected, name)
        assert a.dtype == b.dtype
        torch.testing.assert_close(a, b, rtol=0, atol=1e-3, equal_nan=True, msg=lambda text, n=name: f"{n}: {text}")


@pytest.mark.parametrize("dtype", [torch.uint8, torch.uint16, torch.float32])
@pytest.mark.parametrize("corner", [(5, 9), (-3, 2), (20, 40)])
def test_exact_crops_equal_the_general_warp(
    monkeypatch: pytest.MonkeyPatch, dtype: torch.dtype, corner: tuple[int, int]
) -> None:
    drawer = sampler([random_tile(50, 70, dtype)])
    matrices = torch.stack(MIRRORS_AND_TURNS)
    centres = (torch.tensor(corner[::-1]) + PATCH / 2).expand(len(matrices), 2)
    exact = at(drawer, monkeypatch, centres, matrices, exact=True)
    general = at(drawer, monkeypatch, centres, matrices, exact=False)
    assert exact.image.dtype == dtype
    assert exact.labels.dtype == torch.uint8
    assert_same(exact, general)
    assert len({image.numpy().tobytes() for image in exact.image}) == len(MIRRORS_AND_TURNS)


def test_an_exact_crop_is_a_slice(monkeypatch: pytest.MonkeyPatch) -> None:
    tile = random_tile(50, 70)
    centre = torch.tensor([[9.0, 5.0]]) + PATCH / 2
    batch = at(sampler([tile]), monkeypatch, centre, MIRRORS_AND_TURNS[0][None], exact=True)
    rows, columns = slice(5, 5 + PATCH), slice(9, 9 + PATCH)
    assert torch.equal(batch.image[0], tile.image[rows, columns].permute(2, 0, 1).float())
    assert torch.equal(batch.labels[0], tile.labels[rows, columns, 0])
    torch.testing.assert_close(batch.height[0], tile.height[rows, columns, 0], equal_nan=True)


@pytest.mark.parametrize(
    "options", [{}, {"flip": True}, {"quarter_turns": True}, {"flip": True, "quarter_turns": True}]
)
def test_poses_that_fall_on_pixels_only_mirror_and_turn(options: dict[str, bool]) -> None:
    poses = sampler([random_tile(50, 70)], **options).poses(400, generator())
    assert poses.exact
    matrices = {tuple(matrix.round().int().flatten().tolist()) for matrix in poses.matrices}
    assert len(matrices) == {0: 1, 1: 4, 2: 8}[len(options)]
    torch.testing.assert_close(poses.matrices, poses.matrices.round(), atol=1e-6, rtol=0)


def test_rotation_and_zoom_follow_their_settings() -> None:
    poses = sampler([random_tile(50, 70)], rotation=2.0, zoom=0.25).poses(4000, generator())
    assert not poses.exact
    scale = torch.linalg.det(poses.matrices).sqrt()
    angle = torch.rad2deg(torch.atan2(poses.matrices[:, 1, 0], poses.matrices[:, 0, 0]))
    assert scale.min() >= 1 / 1.25 - 1e-4
    assert scale.max() <= 1.25 + 1e-4
    assert scale.log().mean().abs() < 0.01
    assert angle.std() == pytest.approx(2.0, rel=0.05)
    assert angle.abs().max() <= 6.0 + 1e-3


def coordinates(rows: int, columns: int, ratio: float = 1.0, offset: tuple[float, float] = (0.0, 0.0)) -> Tensor:
    """Return 100 * row + column, in image pixels, at the centres of cells: linear, so that interpolation is exact."""
    y = (torch.arange(rows) + 0.5 - offset[1]) * ratio
    x = (torch.arange(columns) + 0.5 - offset[0]) * ratio
    return 100 * y[:, None] + x[None, :]


@pytest.mark.parametrize(
    ("ratio", "offset"),
    [
        (1.0, (0.0, 0.0)),
        (2.0, (0.0, 0.0)),
        (10.0, (0.0, 0.0)),
        (1.7, (0.3, 0.2)),
        (0.5, (0.0, 0.0)),
        (2.0, (0.5, -0.25)),
    ],
)
def test_all_layers_of_a_turned_and_zoomed_patch_show_the_same_ground(
    ratio: float, offset: tuple[float, float]
) -> None:
    side = 160
    cells = math.ceil(side / ratio + max(map(abs, offset))) + 2
    coarse = coordinates(cells, cells, ratio, offset)
    # A label is a column of blocks as wide as a cell, so that it is told by a coordinate too.
    labels = (torch.arange(cells) % 200).to(torch.uint8).expand(cells, cells)
    image = torch.stack([coordinates(side, side), coordinates(side, side).T], dim=-1)
    tile = tile_of(image, coarse, labels.contiguous(), ratio, offset)
    drawer = sampler([tile], flip=True, quarter_turns=True, rotation=8.0, zoom=0.2, image_resampling="bilinear")
    batch = drawer.draw(24, generator(3))
    valid = torch.isfinite(batch.height) & (batch.labels != IGNORED)
    assert valid.float().mean() > 0.8
    # Bilinear sampling of a linear ramp gives the coordinate itself, away from the repeated edge.
    x = (100 * batch.image[:, 1] - batch.image[:, 0]) / 9999
    y = (batch.image[:, 0] - x) / 100
    margin = max(ratio, 1.0)
    inner = valid & (torch.minimum(x, y) > margin) & (torch.maximum(x, y) < side - margin)
    assert inner.float().mean() > 0.5
    torch.testing.assert_close(batch.height[inner], (100 * y + x)[inner], atol=0.5, rtol=0)
    cell = torch.floor(x / ratio + offset[0])
    nearest = (x / ratio + offset[0] - cell - 0.5).abs() < 0.49  # not on the border of two cells
    assert torch.equal(batch.labels[inner & nearest], (cell % 200).to(torch.uint8)[inner & nearest])


@pytest.mark.parametrize("ratio", [2.0, 10.0, 1.7])
def test_height_on_a_coarser_grid_is_bilinear_among_valid_cells(monkeypatch: pytest.MonkeyPatch, ratio: float) -> None:
    cells = math.ceil(64 / ratio)
    height = torch.rand(cells, cells, generator=generator()) * 30
    height[cells // 2, cells // 2] = math.nan
    tile = tile_of(torch.zeros(64, 64, 3, dtype=torch.uint8), height, ratio=ratio)
    corner = 16
    centre = torch.full((1, 2), corner + PATCH / 2)
    sampled = at(sampler([tile]), monkeypatch, centre, MIRRORS_AND_TURNS[0][None], exact=True).height[0]
    for row, column in [(0, 0), (3, 7), (15, 15), (16, 17), (31, 31), (20, 11)]:
        y, x = (corner + row + 0.5) / ratio - 0.5, (corner + column + 0.5) / ratio - 0.5
        total = weight = 0.0
        for i in (math.floor(y), math.floor(y) + 1):
            for j in (math.floor(x), math.floor(x) + 1):
                share = (1 - abs(y - i)) * (1 - abs(x - j))
                value = float(height[min(max(i, 0), cells - 1), min(max(j, 0), cells - 1)])
                if not math.isnan(value):
                    total, weight = total + share * value, weight + share
        if weight < 0.5 - 1e-4:
            assert math.isnan(sampled[row, column])
        elif weight > 0.5 + 1e-4:
            assert sampled[row, column] == pytest.approx(total / weight, abs=1e-2)
    assert torch.isnan(sampled).any()


def test_a_tile_smaller_than_the_patch_is_padded_with_the_unknown() -> None:
    tile = random_tile(20, 25)
    batch = sampler([tile]).draw(3, generator())
    inside = batch.labels != IGNORED
    assert inside.sum(dim=(1, 2)).tolist() == [20 * 25] * 3
    rows, columns = inside[0].any(dim=1).nonzero()[:, 0], inside[0].any(dim=0).nonzero()[:, 0]
    part = slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
    assert torch.equal(batch.image[0][:, *part], tile.image.permute(2, 0, 1).float())
    assert torch.isnan(batch.height[0][~inside[0]]).all()
    assert torch.isfinite(batch.image).all()


def test_ground_outside_a_turned_patch_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    tile = tile_of(*(torch.ones(64, 64, 3), torch.ones(64, 64), torch.ones(64, 64, dtype=torch.uint8)))
    angle = math.radians(45)
    matrix = torch.tensor([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])[None]
    batch = at(sampler([tile]), monkeypatch, torch.full((1, 2), PATCH / 2), matrix, exact=False)
    offsets = torch.arange(PATCH) + 0.5 - PATCH / 2
    rows, columns = torch.meshgrid(offsets, offsets, indexing="ij")
    x = PATCH / 2 + (columns - rows) * math.cos(angle)
    y = PATCH / 2 + (columns + rows) * math.cos(angle)
    inside = (x > 0) & (y > 0)
    assert torch.equal(torch.isfinite(batch.height[0]), inside)
    assert torch.equal(batch.labels[0] == IGNORED, ~inside)


def test_truth_that_covers_a_part_of_its_tile_is_unknown_in_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    image = torch.zeros(PATCH, PATCH, 3, dtype=torch.uint8)
    tile = tile_of(image, torch.ones(8, 12), torch.ones(8, 12, dtype=torch.uint8), ratio=2.0)
    centre = torch.full((1, 2), PATCH / 2)
    batch = at(sampler([tile]), monkeypatch, centre, MIRRORS_AND_TURNS[0][None], exact=True)
    expected = torch.zeros(PATCH, PATCH, dtype=torch.bool)
    expected[:16, :24] = True
    assert torch.equal(torch.isfinite(batch.height[0]), expected)
    assert torch.equal(batch.labels[0] != IGNORED, expected)


def test_patches_are_uniform_over_the_area_of_the_tiles() -> None:
    tiles = [random_tile(64, 64), random_tile(96, 128)]
    poses = sampler(tiles).poses(20_000, generator())
    chosen = torch.tensor(poses.tiles)
    share = 96 * 128 / (96 * 128 + 64 * 64)
    assert (chosen == 1).float().mean() == pytest.approx(share, abs=0.01)
    corners = poses.centres[chosen == 1] - PATCH / 2
    for axis, free in ((0, 128 - PATCH), (1, 96 - PATCH)):
        assert (corners[:, axis].min(), corners[:, axis].max()) == (0, free)
        counts = torch.bincount(corners[:, axis].long(), minlength=free + 1).float()
        assert (counts / counts.mean() - 1).abs().max() < 0.4
        assert torch.equal(corners, corners.round())


def test_the_generator_decides_everything() -> None:
    drawer = sampler([random_tile(50, 70), random_tile(64, 64)], flip=True, rotation=5, zoom=0.1)
    assert_same(drawer.draw(6, generator(1)), drawer.draw(6, generator(1)))
    torch.manual_seed(5)
    assert_same(drawer.draw(6, generator(1)), drawer.draw(6, generator(1)))
    assert not torch.equal(drawer.draw(6, generator(1)).image, drawer.draw(6, generator(2)).image)


@pytest.mark.parametrize("options", [{}, {"rotation": 5.0, "flip": True}, {"mirror_along_sun": 30.0}])
def test_mapped_tiles_give_the_batches_of_loaded_ones(tiles: dict[str, list[Path]], options: dict[str, Any]) -> None:
    loaded = load_tiles(tiles["train"], torch.device("cpu"), budget_mb=100)
    mapped = load_tiles(tiles["train"], torch.device("cpu"), budget_mb=0)
    assert loaded[0].to_height == (0.5, 0.5, 0.0, 0.0)
    assert loaded[0].to_labels == ON_GRID
    batches = [sampler(chosen, **options).draw(5, generator()) for chosen in (loaded, mapped)]
    assert_same(*batches)
    assert (batches[0].labels != IGNORED).any()


def test_mapping_tiles_warns_of_nothing(tiles: dict[str, list[Path]], recwarn: pytest.WarningsRecorder) -> None:
    sampler(load_tiles(tiles["train"], torch.device("cpu"), budget_mb=0)).draw(5, generator())
    assert [str(warning.message) for warning in recwarn.list] == []


@pytest.mark.parametrize("dtype", [np.uint16, np.int16, np.float32])
def test_images_of_other_types_are_mapped_and_sampled(tmp_path: Path, dtype: type) -> None:
    where = Grid(tiny.UTM, Affine(0.5, 0, 0, 0, -0.5, 0), 40, 24)
    image = np.random.default_rng(0).integers(0, 3000, (40, 24, 4)).astype(dtype)
    layers = {
        "image": (np.moveaxis(image, -1, 0), np.dtype(dtype).name),
        "height": (np.zeros((1, 40, 24), np.float32), "float32"),
        "labels": (np.zeros((1, 40, 24), np.uint8), "uint8"),
    }
    for layer, (array, name) in layers.items():
        with create_raster(tmp_path / f"{layer}.tif", where, count=len(array), dtype=name, **PREPARED) as out:
            out.write(array)
    for budget in (0, 100):
        drawn = sampler(load_tiles([tmp_path], torch.device("cpu"), budget)).draw(2, generator())
        for row, column in [(0, 4), (20, 20), (31, 27)]:
            pixel = drawn.image[0, :, row, column]
            assert (torch.from_numpy(image.astype(np.float32)) == pixel).all(dim=-1).any()
