"""Surroundings of training patches lie where the patches do, whatever the pose."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from mtlaerial.config import IGNORED, Augmentation
from mtlaerial.prediction.blending.strips import Strip
from mtlaerial.prediction.blending.surroundings import Surroundings
from mtlaerial.prediction.blending.windows import even
from mtlaerial.sampling import Batch, PatchSampler
from mtlaerial.sampling.poses import Poses
from mtlaerial.tiles.tile import Tile

PATCH = 32
CPU = torch.device("cpu")


def tile_of(image: Tensor) -> Tile:
    """Return a tile without truth of an image of shape (rows, columns, bands)."""
    one_cell = (1 / image.shape[1], 1 / image.shape[0], 0.0, 0.0)
    height, labels = torch.full((1, 1, 1), torch.nan), torch.full((1, 1, 1), IGNORED, dtype=torch.uint8)
    return Tile("tile", image, height, labels, one_cell, one_cell, grids={})


def ramp(rows: int, columns: int) -> Tensor:
    """Return an image whose bands are the column and the row of each pixel's centre."""
    down, across = torch.meshgrid(torch.arange(rows) + 0.5, torch.arange(columns) + 0.5, indexing="ij")
    return torch.stack([across, down], dim=2)


def drawn(image: Tensor, scale: int | None, seed: int = 0, **augmentation: Any) -> tuple[PatchSampler, Batch]:
    options = {"image_resampling": "bilinear", **augmentation}
    sampler = PatchSampler([tile_of(image)], PATCH, Augmentation.parse(options, "augmentation"), context_scale=scale)
    return sampler, sampler.draw(6, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("scale", [2, 4, 8])
@pytest.mark.parametrize(
    "augmentation",
    [
        {"flip": False, "rotation": 0},
        {"flip": True, "quarter_turns": True, "rotation": 0},
        {"flip": True, "rotation": 40, "zoom": 0.3},
        {"flip": False, "rotation": 5, "mirror_along_sun": 30},
    ],
)
def test_surroundings_have_the_pose_of_their_patch(scale: int, augmentation: dict[str, Any]) -> None:
    # On a ramp every value tells its place: the surroundings' offsets from the centre are `scale` times the patch's.
    _, batch = drawn(ramp(900, 1100), scale, **augmentation)
    assert batch.surroundings is not None
    assert batch.surroundings.shape == batch.image.shape
    middle = slice(PATCH // 2 - 4, PATCH // 2 + 4)
    patch = batch.image[..., middle, middle].double()
    centres = patch.mean(dim=(2, 3), keepdim=True)
    around = batch.surroundings[..., middle, middle].double()
    known = around.isfinite()
    assert known.float().mean() > 0.8
    expected = centres + scale * (patch - centres)
    # Half an averaged square at the border of the tile, rounding elsewhere.
    torch.testing.assert_close(around[known], expected[known], rtol=0, atol=scale / 2)
    inside = (around[known] > 2 * scale) & (around[known] < 900 - 2 * scale)
    torch.testing.assert_close(around[known][inside], expected[known][inside], rtol=0, atol=0.01)


def test_patches_do_not_depend_on_their_surroundings() -> None:
    image = (torch.rand(80, 90, 3, generator=torch.Generator().manual_seed(0)) * 255).to(torch.uint8)
    _, alone = drawn(image, None, rotation=30)
    _, batch = drawn(image, 4, rotation=30)
    assert alone.surroundings is None
    assert torch.equal(alone.image, batch.image)


def test_a_share_of_a_batch_has_its_own_surroundings() -> None:
    sampler, batch = drawn(ramp(300, 300), 4, rotation=20)
    share = sampler.draw(6, torch.Generator().manual_seed(0), slice(2, 4))
    assert batch.surroundings is not None
    assert share.surroundings is not None
    assert torch.equal(share.surroundings.nan_to_num(-1), batch.surroundings[2:4].nan_to_num(-1))
    assert torch.equal(batch[2:4].surroundings.nan_to_num(-1), share.surroundings.nan_to_num(-1))


def test_a_prediction_sees_what_a_training_sees(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mtlaerial.prediction.blending.surroundings.ROWS", 16)
    monkeypatch.setattr("mtlaerial.prediction.blending.surroundings.COLUMNS", 24)
    image = (torch.rand(70, 90, 3, generator=torch.Generator().manual_seed(0)) * 255).to(torch.uint8)
    sampler, _ = drawn(image, 4, flip=False, rotation=0)

    def read(row: int, column: int, rows: int, columns: int) -> Strip:
        return Strip(image[row : row + rows, column : column + columns].permute(2, 0, 1), None)

    down, across = (even(PATCH, 8, 32)(length) for length in (70, 90))
    surroundings = Surroundings(read, 70, 90, 4, CPU)
    for index, row in enumerate(down.starts):
        around = surroundings.of_row(down, index, across)
        corners = torch.tensor([[column, row] for column in across.starts], dtype=torch.float32)
        turned = torch.eye(2).expand(len(corners), 2, 2)
        poses = Poses([0] * len(corners), corners + PATCH / 2, turned, exact=True)
        monkeypatch.setattr(sampler, "poses", lambda batch, generator, poses=poses: poses)
        expected = sampler.draw(len(corners), torch.Generator()).surroundings
        windows = torch.stack([around(column) for column in across.starts])
        np.testing.assert_allclose(windows, expected, rtol=0, atol=1e-4)
