"""First convolutions adapted to the bands of another image."""

import re

import pytest
import torch
from torch import Tensor

from mtlaerial.errors import ConfigError
from mtlaerial.models.bands import adapt_kernels

RGB = ("red", "green", "blue")


def kernels(dtype: torch.dtype = torch.float32) -> Tensor:
    """Return random kernels, one of which compares bands: their sum is 0."""
    values = torch.randn(4, 3, 3, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    values[0, 2] = -values[0, 0] - values[0, 1]
    return values.to(dtype)


@pytest.mark.parametrize("bands", [RGB, ("blue", "green", "red"), ("green", "blue", "red")])
def test_same_bands_in_any_order_keep_their_very_values(bands: tuple[str, ...]) -> None:
    adapted = adapt_kernels(kernels(torch.float16), RGB, bands)
    for number, band in enumerate(bands):
        assert torch.equal(adapted[:, number], kernels(torch.float16)[:, RGB.index(band)])


def test_kernels_are_a_copy() -> None:
    source = kernels()
    adapt_kernels(source, RGB, RGB).zero_()
    assert source.any()


@pytest.mark.parametrize(
    ("bands", "new_bands"),
    [
        ((*RGB, "nir"), {"nir": "mean"}),
        ((*RGB, "nir"), {"nir": "red"}),
        ((*RGB, "nir"), {"nir": "zero"}),
        (("nir", "red", "green"), {"nir": "mean"}),
        (("nir", "red", "green"), {"nir": "blue"}),
        (("nir", "red", "green"), {"nir": "zero"}),
        (("grey",), {"grey": "mean"}),
        (("green",), {}),
        (("red", "green"), {}),
        (("red", "nir", "height", "blue"), {"nir": "mean", "height": "zero"}),
    ],
)
def test_image_of_equal_bands_gives_the_same_features(bands: tuple[str, ...], new_bands: dict[str, str]) -> None:
    image = torch.randn(1, 1, 8, 8, generator=torch.Generator().manual_seed(1))
    adapted = adapt_kernels(kernels(), RGB, bands, new_bands)
    features = torch.nn.functional.conv2d(image.expand(-1, len(bands), -1, -1), adapted)
    torch.testing.assert_close(features, torch.nn.functional.conv2d(image.expand(-1, 3, -1, -1), kernels()))


def test_means_zeros_and_named_bands_are_scaled_by_the_share_of_bands() -> None:
    source = kernels()
    with_mean = adapt_kernels(source, RGB, (*RGB, "nir"), {"nir": "mean"})
    expected = torch.cat([source, source.mean(1, keepdim=True)], dim=1) * 3 / 4
    torch.testing.assert_close(with_mean, expected)
    with_zero = adapt_kernels(source, RGB, (*RGB, "nir"), {"nir": "zero"})
    assert torch.equal(with_zero, torch.cat([source, torch.zeros(4, 1, 3, 3)], dim=1))
    renamed = adapt_kernels(source, RGB, ("R", "G", "B"), {"R": "red", "G": "green", "B": "blue"})
    assert torch.equal(renamed, source)


def test_weights_of_two_bands_of_one_name_are_refused() -> None:
    """Else both would take the kernels of the first."""
    with pytest.raises(ConfigError, match="found weights of the bands red, red, blue; expected bands that their names"):
        adapt_kernels(kernels(), ("red", "red", "blue"), ("red", "blue"))


@pytest.mark.parametrize(
    ("bands", "new_bands", "message"),
    [
        (
            (*RGB, "nir"),
            {},
            "models.NAME.pretrained.new_bands: found no entry for the band nir of the image, and weights that know "
            "red, green, blue; expected what the first weights of nir are (mean, zero, red, green, blue). Write "
            "new_bands: {nir: mean}, or name the band in image.band_names as the weights do.",
        ),
        (RGB, {"red": "mean"}, "new_bands.red: found a rule for red, which the weights know"),
        (RGB, {"nir": "mean"}, "new_bands.nir: found a rule for nir, which the image does not have; expected bands of"),
        (
            (*RGB, "nir"),
            {"nir": "average"},
            "new_bands.nir: found average; expected one of mean, zero, red, gr",
        ),
        (("nir",), {"nir": "zero"}, "new_bands: found zero for all bands; expected a band with weights"),
    ],
)
def test_rules_that_do_not_fit_are_refused(bands: tuple[str, ...], new_bands: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        adapt_kernels(kernels(), RGB, bands, new_bands)
