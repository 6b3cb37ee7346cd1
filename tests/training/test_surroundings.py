"""Batches of networks with a context: surroundings stand behind the image, with its colours."""

from pathlib import Path

import numpy as np
import pytest
import torch

from mtlaerial.system.signals import Stop
from mtlaerial.tiles.overview import tile_overview
from mtlaerial.tiles.statistics import Statistics
from mtlaerial.training.trainer import Trainer
from support import networks, tiny
from support.tiny import Folders


def test_validation_shows_the_network_the_surroundings(statistics: Statistics, tiles: Folders) -> None:
    trainer = Trainer(tiny.job(networks.plan("context"), statistics, tiles["train"], tiles["val"]))
    channels = set()
    trainer.network.register_forward_pre_hook(lambda _, images: channels.add(images[0].shape[1]))
    assert "score" in trainer.evaluation.validate(1, Stop())
    assert channels == {6}


def batch(statistics: Statistics, tiles: list[Path], name: str, **augmentation: object) -> torch.Tensor:
    plan = networks.plan(name, augmentation=augmentation)
    trainer = Trainer(tiny.job(plan, statistics, tiles))
    (share,) = trainer.update.batches.draw(0)
    assert share.patches.surroundings is None
    return share.patches.image


def test_the_network_gets_the_surroundings_behind_the_bands(statistics: Statistics, tiles: Folders) -> None:
    image = batch(statistics, tiles["train"], "context", flip=False, colour=0)
    plain = batch(statistics, tiles["train"], "fusion", flip=False, colour=0)
    assert torch.equal(image[:, :3], plain)
    around = image[:, 3:]
    assert around.shape == plain.shape
    # The patch's middle quarter of the area is that of the tile, of 96 pixels: beyond it nothing is known.
    known = around.abs().sum(dim=1) > 0
    assert known.flatten(1).sum(dim=1).tolist() == [24 * 24] * len(image)
    assert around.abs().max() <= 1


def test_surroundings_change_their_colours_with_the_image(statistics: Statistics, tiles: Folders) -> None:
    before, after = (batch(statistics, tiles["train"], "context", flip=False, colour=colour) for colour in (0, 0.3))
    for patch, changed in zip(before, after, strict=True):
        for band in range(3):
            pixels, others = patch[band].flatten(), changed[band].flatten()
            contrast, brightness = np.polyfit(pixels.numpy(), others.numpy(), 1)
            around = patch[3 + band].flatten()
            expected = torch.where(around == 0, 0.0, around * contrast + brightness)  # nothing is known at 0
            torch.testing.assert_close(changed[3 + band].flatten(), expected, rtol=0, atol=1e-4)
            assert abs(contrast - 1) + abs(brightness) > 1e-3


def test_noise_of_the_surroundings_is_that_of_means_of_the_image_s_pixels(
    statistics: Statistics, tiles: Folders
) -> None:
    before, after = (batch(statistics, tiles["train"], "context", flip=False, noise=noise) for noise in (0, 0.1))
    for patch, changed in zip(before, after, strict=True):
        known = patch[3:].abs().sum(dim=0) > 0
        around, image = (changed - patch)[3:, known], (changed - patch)[:3]
        assert around.std() / image.std() == pytest.approx(1 / 4, rel=0.1)


def test_a_blur_takes_nothing_from_beyond_the_tile(
    statistics: Statistics, tiles: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    def uniform(image: torch.Tensor, scale: int) -> torch.Tensor:
        return torch.full_like(tile_overview(image, scale), 204.0)

    monkeypatch.setattr("mtlaerial.sampling.surroundings.tile_overview", uniform)
    around = batch(statistics, tiles["train"], "context", flip=False, blur=3)[:, 3:]
    known = around != 0
    assert known.flatten(1).sum(dim=1).tolist() == [3 * 24 * 24] * len(around)
    torch.testing.assert_close(around[known], torch.full_like(around[known], 0.6), rtol=0, atol=1e-5)
