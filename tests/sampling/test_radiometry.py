"""Radiometric augmentation: the laws of each change, its bounds, shares of a batch, and pixels without image."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate

from mtlaerial.config import Augmentation
from mtlaerial.models.normalisation import Normalisation
from mtlaerial.sampling.colour import change_colours, change_gamma, change_saturation
from mtlaerial.sampling.radiometry import Radiometry, fill_of
from mtlaerial.sampling.sharpness import add_noise, blur
from mtlaerial.tiles.tile import ON_GRID, Tile

NUMBER = 40
ALL = {"colour": 0.2, "gamma": 0.5, "saturation": 0.4, "noise": 0.1, "blur": 1.5}


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def images(number: int = NUMBER, bands: int = 3) -> Tensor:
    return torch.rand(number, bands, 24, 20, generator=generator(7)) * 1.8 - 0.9


def radiometry(fill: float | None = None, **options: float) -> Radiometry:
    return Radiometry(Augmentation.parse(options, "augmentation"), fill)


def test_gamma_is_a_power_of_the_share_of_the_range() -> None:
    image = images()
    shares = (image + 1) / 2
    powers = ((change_gamma(image, 0.5, generator()) + 1) / 2).log() / shares.log()
    each = powers.mean(dim=(1, 2, 3))
    assert ((powers - each[:, None, None, None]).abs() < 1e-2).all()
    assert each.log().abs().max() <= np.log(1.5) + 1e-3
    assert (each.min(), each.max()) == (pytest.approx(1 / 1.5, rel=0.1), pytest.approx(1.5, rel=0.1))
    ends = torch.tensor([-1.0, 1.0]).expand(1, 1, 1, 2)
    torch.testing.assert_close(change_gamma(ends, 0.9, generator()), ends)
    below = torch.full((1, 1, 1, 1), -1.2)
    assert change_gamma(below, 0.9, generator()) < -1


def test_saturation_scales_distances_from_the_mean_of_the_bands() -> None:
    image = images()
    changed = change_saturation(image, 0.4, generator())
    mean = image.mean(dim=1, keepdim=True)
    torch.testing.assert_close(changed.mean(dim=1, keepdim=True), mean, atol=1e-5, rtol=0)
    factors = ((changed - mean) * (image - mean)).sum(dim=(1, 2, 3)) / (image - mean).square().sum(dim=(1, 2, 3))
    torch.testing.assert_close(changed - mean, (image - mean) * factors[:, None, None, None], atol=1e-5, rtol=0)
    assert (factors.min(), factors.max()) == (pytest.approx(0.6, abs=0.06), pytest.approx(1.4, abs=0.06))
    assert factors.min() >= 0.6
    assert factors.max() <= 1.4


def test_noise_is_gaussian_and_of_up_to_a_share_of_the_range() -> None:
    image = images()
    noise = add_noise(image, 0.1, generator()) - image
    deviations = noise.std(dim=(1, 2, 3)) / 2
    assert deviations.max() == pytest.approx(0.1, rel=0.1)
    assert deviations.mean() == pytest.approx(0.05, rel=0.3)
    standard = (noise / noise.std(dim=(1, 2, 3), keepdim=True)).flatten()
    assert (standard.abs() < 1).float().mean() == pytest.approx(0.683, abs=0.01)
    loudest = noise[deviations.argmax()].flatten(1)
    assert torch.corrcoef(loudest).fill_diagonal_(0).abs().max() < 0.2  # bands are apart
    assert abs(np.corrcoef(noise[0].flatten(), noise[1].flatten())[0, 1]) < 0.2  # and so are patches


def test_a_blur_is_scipy_s() -> None:
    image = images(6)
    deviations = 1.5 * torch.rand(6, generator=generator())
    for blurred, patch, deviation in zip(blur(image, 1.5, generator()), image, deviations.tolist(), strict=True):
        for band, values in zip(blurred, patch, strict=True):
            expected = gaussian_filter(values.numpy(), deviation, mode="mirror", radius=5)
            torch.testing.assert_close(band, torch.from_numpy(expected), atol=1e-5, rtol=0)
    sharp = blur(image, 1e-4, generator())
    torch.testing.assert_close(sharp, image)


@pytest.mark.parametrize("options", [{name: value} for name, value in ALL.items()] + [ALL], ids=[*ALL, "all"])
def test_a_share_of_a_batch_is_changed_as_in_the_whole_batch(options: dict[str, float]) -> None:
    image, share = images(6), slice(2, 5)
    whole = radiometry(**options)(image, image, generator(), 6, slice(None))
    assert ((whole - image).flatten(1).abs().amax(dim=1) > 1e-4).sum() >= 4  # a narrow blur changes nothing
    part = radiometry(**options)(image[share], image[share], generator(), 6, share)
    torch.testing.assert_close(part, whole[share], atol=1e-6, rtol=0)
    assert not torch.equal(radiometry(**options)(image, image, generator(1), 6, slice(None)), whole)


def test_contrast_and_brightness_alone_draw_as_ever() -> None:
    image = images()
    changed = radiometry(colour=0.3)(image, image, generator(), NUMBER, slice(None))
    assert torch.equal(changed, change_colours(image, 0.3, generator()))


def test_without_options_nothing_is_drawn_or_copied() -> None:
    image, numbers = images(), generator()
    assert radiometry(fill=127.0)(image, image, numbers, NUMBER, slice(None)) is image
    assert torch.equal(numbers.get_state(), generator().get_state())


@pytest.mark.parametrize(("dtype", "fill"), [(torch.uint8, 100), (torch.int16, 100), (torch.float32, np.nan)])
def test_the_fill_value_of_tiles_is_that_of_their_preparation(dtype: Any, fill: float) -> None:
    absent = torch.zeros(1, 1, 1)
    whole = Tile("tile", torch.zeros(2, 2, 1, dtype=dtype), absent, absent, ON_GRID, ON_GRID, {})
    filled = replace(whole, filled=True)
    assert fill_of([whole], (0, 200)) is None
    assert fill_of([whole, filled], (0, 200)) == pytest.approx(fill, nan_ok=True)


@pytest.mark.parametrize(("dtype", "fill"), [(torch.uint8, 127.0), (torch.uint16, 1500.0), (torch.float32, np.nan)])
def test_pixels_without_image_keep_their_value_and_give_nothing_to_others(dtype: Any, fill: float) -> None:
    highest = 3000.0 if dtype == torch.uint16 else 255.0
    raw = torch.full((4, 3, 24, 20), highest, dtype=torch.float32)
    raw[:, :, 5:12, 3:9] = fill
    raw = raw.to(dtype)
    image = Normalisation(0.0, highest)(raw)
    changed = radiometry(fill, **ALL)(image, raw, generator(), 4, slice(None))
    invalid = torch.zeros(24, 20, dtype=torch.bool)
    invalid[5:12, 3:9] = True
    assert torch.equal(changed[:, :, invalid], image[:, :, invalid])
    assert (changed[:, :, ~invalid] != image[:, :, ~invalid]).float().mean() > 0.99
    blurred = radiometry(fill, blur=1.5)(image, raw, generator(), 4, slice(None))
    torch.testing.assert_close(blurred, image, atol=1e-5, rtol=0)  # all that is image is alike


def test_a_coarser_image_is_blurred_and_noisy_as_the_mean_of_the_fine_one() -> None:
    fine = interpolate(torch.rand(NUMBER, 1, 12, 12, generator=generator(3)) - 0.5, scale_factor=8, mode="bilinear")
    coarse, whole = avg_pool2d(fine, 4), slice(0, NUMBER)
    blurred = radiometry(blur=8)
    means = avg_pool2d(blurred(fine, fine, generator(), NUMBER, whole), 4)
    scaled = blurred(coarse, coarse, generator(), NUMBER, whole, scale=4)
    change = (means - coarse).std()
    assert (scaled - coarse).std() == pytest.approx(change.item(), rel=0.1)
    assert (means - scaled).std() < 0.2 * change
    blank = torch.zeros(NUMBER, 1, 24, 24)
    noises = [radiometry(noise=0.1)(blank, blank, generator(), NUMBER, whole, scale=scale) for scale in (1, 4)]
    ratios = noises[1].std(dim=(1, 2, 3)) / noises[0].std(dim=(1, 2, 3))
    torch.testing.assert_close(ratios, torch.full_like(ratios, 0.25), rtol=0.15, atol=0)
    assert abs(np.corrcoef(noises[0].flatten(), noises[1].flatten())[0, 1]) < 0.03
