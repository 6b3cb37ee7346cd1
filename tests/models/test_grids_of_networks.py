"""Grids that decoders leave in their outputs, with random weights, at the periods of upsampling."""

import math
from statistics import median

import numpy as np
import pytest
import torch

from mtlaerial.models import Network
from support import networks

SIDE, MARGIN = 192, 32
EVEN = torch.full((1, 3, 2 * SIDE, 2 * SIDE), 0.3)
"""An image so large that its middle does not see the edge at 1/16 of the resolution."""
PERIODS = (2, 4, 8, 16, 32)
DECODERS = [
    "fusion",
    "resize of 4 to 32",
    "finest 1 of 2 to 32",
    *(
        pytest.param(name, marks=pytest.mark.full("two are enough"))
        for name in ("resize", "fusion of 4 to 32", "finest 1 of 4 to 32", "fusion of 1, 8, 32", "gated", "attention")
    ),
]


@pytest.fixture(scope="module")
def noise() -> torch.Tensor:
    return torch.randn(8, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0)).clamp(-2, 2) / 2


def fitted(name: str, images: torch.Tensor) -> Network:
    """Return a network of random weights whose batch norms fit the images."""
    torch.manual_seed(0)
    network = networks.built(name, dropout=0)
    for layer in network.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.momentum = None  # a mean of all batches
    with torch.no_grad():
        network.train()(images[:4])
    return network.eval()


def interior_heights(network: Network, images: torch.Tensor, margin: int = MARGIN) -> np.ndarray:
    with torch.inference_mode():
        heights = network(images)["height"][:, 0]
    return heights[:, margin:-margin, margin:-margin].double().numpy()


def grid_ratios(heights: np.ndarray) -> dict[int, float]:
    """Return the power at each period, divided by the median of the frequencies near it, along rows."""
    length = heights.shape[-1]
    power = (np.abs(np.fft.rfft(heights * np.hanning(length))) ** 2).mean(axis=(0, 1))
    ratios = {}
    for period in PERIODS:
        peak = length // period
        reach = min(4, peak - 1)
        near = [bin for bin in range(peak - reach, min(peak + reach, length // 2) + 1) if abs(bin - peak) >= 2]
        ratios[period] = power[peak] / math.exp(median(math.log(power[bin]) for bin in near))
    return ratios


@pytest.mark.parametrize("name", DECODERS)
def test_decoders_leave_no_grid(name: str, noise: torch.Tensor) -> None:
    ratios = grid_ratios(interior_heights(fitted(name, noise), noise))
    assert max(ratios.values()) < 2, ratios


@pytest.mark.parametrize("name", DECODERS)
def test_an_even_image_has_even_heights(name: str, noise: torch.Tensor) -> None:
    heights = interior_heights(fitted(name, noise), EVEN, margin=5 * MARGIN)
    assert np.ptp(heights) < 1e-5


def test_transposed_convolutions_leave_a_grid(noise: torch.Tensor) -> None:
    network = fitted("d3net", noise)
    assert max(grid_ratios(interior_heights(network, noise)).values()) > 4
    assert np.ptp(interior_heights(network, EVEN, margin=5 * MARGIN)) > 0.01
