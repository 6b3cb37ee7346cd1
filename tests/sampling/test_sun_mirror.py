"""Mirroring along the sun: shadows keep their direction, and image and truth stay together."""

import math
import re
from contextlib import redirect_stdout
from io import StringIO
from typing import Any

import pytest
import torch
from torch import Tensor

from mtlaerial.config import IGNORED, Augmentation
from mtlaerial.errors import ConfigError
from mtlaerial.sampling import PatchSampler
from mtlaerial.sampling.poses import mirror_across
from mtlaerial.tiles.tile import ON_GRID, Tile
from support.paths import ROOT

PATCH = 64
NUMBER = 64
COMPASS = {0: (0, -1), 45: (0.5**0.5, -(0.5**0.5)), 90: (1, 0), 180: (0, 1), 210: (-0.5, 0.75**0.5), 270: (-1, 0)}
"""Unit vectors (column, row) to azimuths, clockwise from the upper edge."""


def augmentation(azimuth: float | None, **options: Any) -> Augmentation:
    keys = {"flip": False, "rotation": 0, "mirror_along_sun": azimuth, **options}
    return Augmentation.parse({key: value for key, value in keys.items() if value is not None}, "augmentation")


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def strip(towards: Tensor) -> Tensor:
    """Return a mask, shape (PATCH, PATCH), of a strip of 20 pixels from the middle in a direction (column, row)."""
    offsets = torch.arange(PATCH) + 0.5 - PATCH / 2
    rows, columns = torch.meshgrid(offsets, offsets, indexing="ij")
    along = columns * towards[0] + rows * towards[1]
    aside = columns * towards[1] - rows * towards[0]
    return (along > 0) & (along < 20) & (aside.abs() < 3)


def direction(mask: Tensor) -> Tensor:
    """Return the unit vector (column, row) from the middle of a patch to the centroid of a mask."""
    rows, columns = mask.nonzero(as_tuple=True)
    centroid = torch.stack([columns.double().mean(), rows.double().mean()]) + 0.5 - PATCH / 2
    return centroid / centroid.norm()


@pytest.mark.parametrize("azimuth", COMPASS)
def test_the_direction_of_the_sun_stays_and_what_is_across_it_is_reversed(azimuth: int) -> None:
    matrix, sun = mirror_across(azimuth), torch.tensor(COMPASS[azimuth], dtype=torch.float32)
    across = torch.stack([-sun[1], sun[0]])
    torch.testing.assert_close(matrix @ sun, sun)
    torch.testing.assert_close(matrix @ across, -across)


@pytest.mark.parametrize("azimuth", [0, 30, 135, 210])
def test_shadows_keep_their_direction_and_what_lies_beside_them_changes_sides(azimuth: int) -> None:
    """A shadow falls away from the sun, and something of a class and a height stands to the right of it."""
    sun = torch.tensor([math.sin(math.radians(azimuth)), -math.cos(math.radians(azimuth))])
    beside = torch.stack([-sun[1], sun[0]])
    shadow, thing = strip(-sun), strip(beside)
    tile = Tile(
        "tile", torch.stack([shadow, thing], dim=-1).float(), thing[..., None] * 10.0, thing[..., None].to(torch.uint8),
        ON_GRID, ON_GRID, {},
    )  # fmt: skip
    batch = PatchSampler([tile], PATCH, augmentation(azimuth)).draw(NUMBER, generator())
    mirrored = 0
    for image, labels, height in zip(batch.image, batch.labels, batch.height, strict=True):
        assert direction(image[0] > 0.5) @ -sun.double() > 0.99
        side = direction(image[1] > 0.5) @ beside.double()
        assert abs(side) > 0.99
        mirrored += int(side < 0)
        valid = labels != IGNORED
        assert torch.equal(labels[valid] == 1, image[1][valid] > 0.5)
        assert torch.equal(valid, height.isfinite())
        assert ((height[valid] - 10 * image[1][valid]).abs() < 5).float().mean() > 0.98
    assert 20 <= mirrored <= 44  # 4 standard deviations about the half of 64 would be 16 to 48


def test_a_mirror_along_an_axis_copies_pixels() -> None:
    image = torch.rand(PATCH, PATCH, 3, generator=generator())
    absent = torch.full((1, 1, 1), math.nan), torch.full((1, 1, 1), IGNORED, dtype=torch.uint8)
    tile = Tile("tile", image, *absent, (1 / PATCH, 1 / PATCH, 0, 0), (1 / PATCH, 1 / PATCH, 0, 0), {})
    expected = {0: image.flip(1), 90: image.flip(0), 135: image.transpose(0, 1), 45: image.transpose(0, 1).flip(0, 1)}
    for azimuth, mirror in expected.items():
        sampler = PatchSampler([tile], PATCH, augmentation(azimuth))
        assert sampler.poses(8, generator()).exact
        patches = sampler.draw(8, generator()).image.permute(0, 2, 3, 1)
        as_they_are = [bool(torch.equal(patch, image)) for patch in patches]
        assert [bool(torch.equal(patch, mirror)) for patch in patches] == [not same for same in as_they_are]
        assert 0 < sum(as_they_are) < 8


def test_the_mirror_moves_no_patch_and_turns_no_other() -> None:
    tile = Tile("tile", torch.zeros(200, 300, 1), torch.zeros(1, 1, 1), torch.zeros(1, 1, 1), ON_GRID, ON_GRID, {})
    options = {"rotation": 5, "zoom": 0.2}
    with_mirror, without = (
        PatchSampler([tile], PATCH, augmentation(azimuth, **options)).poses(NUMBER, generator())
        for azimuth in (30, None)
    )
    assert torch.equal(with_mirror.centres, without.centres)
    mirrored = torch.linalg.det(with_mirror.matrices) < 0
    assert 0 < mirrored.sum() < NUMBER
    assert torch.equal(with_mirror.matrices[~mirrored], without.matrices[~mirrored])
    torch.testing.assert_close(with_mirror.matrices[mirrored] @ mirror_across(30), without.matrices[mirrored])


@pytest.mark.parametrize("azimuth", [0, 30, 150, 225, 300])
def test_the_page_on_training_gives_the_azimuth_of_a_shadow(azimuth: int) -> None:
    (command,) = re.findall(r'python -c "(.*)"', (ROOT / "docs" / "training.md").read_text(encoding="utf-8"))
    angle = math.radians(azimuth)
    tip = {"TIP_COLUMN": 500 - 40 * math.sin(angle), "TIP_ROW": 300 + 40 * math.cos(angle)}  # away from the sun
    for name, value in {"FOOT_COLUMN": 500.0, "FOOT_ROW": 300.0, **tip}.items():
        command = command.replace(name, repr(value))
    with redirect_stdout(StringIO()) as printed:
        exec(command, {})
    assert float(printed.getvalue()) == pytest.approx(azimuth, abs=1e-3)


@pytest.mark.parametrize("turn", ["flip", "quarter_turns"])
def test_turns_that_move_the_sun_are_refused_beside_it(turn: str) -> None:
    with pytest.raises(
        ConfigError, match=rf"key {turn}: found true; expected false beside mirror_along_sun.*{turn}: false"
    ):
        augmentation(30, **{turn: True})
