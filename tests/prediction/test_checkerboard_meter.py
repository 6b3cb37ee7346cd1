"""The meter of grids: about 1 for roofs, noise and natural surfaces; a grid shows at its period, at any block size."""

import math
from typing import get_args

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from mtlaerial.prediction.blending import blender as blending
from mtlaerial.prediction.blending.blender import Blender
from mtlaerial.prediction.blending.strips import Strip
from mtlaerial.prediction.blending.targets import Finished
from mtlaerial.prediction.blending.windows import Layout, even, original
from mtlaerial.prediction.checkerboard_meter import CheckerboardMeter
from mtlaerial.scoring.checkerboard import PERIODS, Direction, SpectrumSums, checkerboard_ratios
from support.checkerboards import grid, ratios, roofs, spectra, spectrum

SIZE = 512
DIRECTIONS = get_args(Direction)


def streamed(heights: Tensor, layout: Layout) -> SpectrumSums:
    """Return the sums of heights that the engine blends, window after window; NaN is no image."""
    meter = CheckerboardMeter("height", slice(1, 2))
    blender = Blender(lambda windows: torch.cat([windows * 0, windows], dim=1), 2, layout, 3, torch.device("cpu"))

    def read(row: int, column: int, height: int, width: int) -> Strip:
        values = heights[None, row : row + height, column : column + width].float()
        return Strip(values.nan_to_num(50), values[0].isnan())

    rows, columns = heights.shape
    list(blender.run(read, rows, columns, [], meter, context=CheckerboardMeter.CONTEXT))
    return meter.sums


def assert_same(sums: SpectrumSums, expected: SpectrumSums) -> None:
    for direction in DIRECTIONS:
        for length in (64, 128):
            ours, whole = (spectrum(each, direction, length) for each in (sums, expected))
            assert ours.segments == whole.segments > 0
            np.testing.assert_allclose(ours.power, whole.power, rtol=1e-3)


def natural(exponent: float) -> Tensor:
    """Return a surface whose spectrum falls with a power of the frequency, 1 m of deviation."""
    frequency = np.fft.fftfreq(SIZE)
    radius = np.hypot(frequency[:, None], frequency)
    radius[0, 0] = 1
    noise = np.fft.fft2(np.random.default_rng(1).standard_normal((SIZE, SIZE)))
    surface = np.fft.ifft2(noise * radius ** (-exponent / 2)).real
    return torch.from_numpy(20 + surface / surface.std())


def test_the_sums_are_those_of_a_plain_welch_periodogram() -> None:
    heights = (roofs(240) + grid(240, 8, 0.2)).float()
    sums = spectra(heights)
    for direction, raster in zip(DIRECTIONS, (heights.numpy(), heights.numpy().T), strict=True):
        power, number = np.zeros(33), 0
        for line in raster[::3].astype(np.float64):
            for start in range(0, len(line) - 64, 32):
                segment = line[start : start + 65]
                if (segment < 2).any():
                    continue
                steps = np.diff(segment)
                hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(64) / 64)
                squares = np.abs(np.fft.fft((steps - steps.mean()) * hann)[:33]) ** 2
                # White noise of 1 cm: a step's variance at w is 2 - 2 cos(w), in units of the noise's.
                squares += 0.01**2 * (2 - 2 * np.cos(2 * np.pi * np.arange(33) / 64)) * (hann**2).sum()
                power, number = power + squares / squares.sum(), number + 1
        assert spectrum(sums, direction, 64).segments == number > 50
        np.testing.assert_allclose(spectrum(sums, direction, 64).power, power, rtol=1e-3)


@pytest.mark.parametrize("noise", [0.0, 0.02, 0.3])
def test_roofs_with_white_noise_have_no_grid(noise: float) -> None:
    assert set(ratios(roofs(SIZE, noise))) == set(PERIODS)
    assert max(ratios(roofs(SIZE, noise)).values()) < 1.5


@pytest.mark.parametrize("exponent", [1.0, 2.0, 3.0, 4.0])
def test_natural_surfaces_have_no_grid(exponent: float) -> None:
    assert max(ratios(natural(exponent)).values()) < 1.5


@pytest.mark.parametrize("period", PERIODS)
def test_a_grid_shows_at_its_period_alone(period: int) -> None:
    plain = roofs(SIZE, noise=0.05)
    # The same slope at each period: low frequencies are those of the roofs themselves.
    amplitude = 0.23 / 2 * max(period / 8, 1)
    by_period = ratios(plain + grid(SIZE, period, amplitude))
    assert by_period.pop(period) > 4
    assert max(by_period.values()) < 1.5
    assert (
        ratios(plain + grid(SIZE, period, amplitude / 2))[period]
        < ratios(plain + grid(SIZE, period, amplitude))[period]
    )


def test_the_power_of_a_grid_follows_its_amplitude() -> None:
    """On a plane with white noise s, the ratio is 1 + (a / s)² L / 6 but for the frequencies' gain; L is 64."""
    plane = 10 + 0.05 * torch.randn(SIZE, SIZE, generator=torch.Generator().manual_seed(0))
    gain = 2 / np.median(2 - 2 * np.cos(2 * np.pi * np.r_[10:15, 18:23] / 64))
    for amplitude in (0.05, 0.1):
        expected = 1 + (amplitude**2 / (0.05**2 + 0.01**2)) * 64 / 6 * gain
        assert ratios(plane + grid(SIZE, 4, amplitude))[4] == pytest.approx(expected, rel=0.05)


def test_the_harmonics_of_a_grid_show_too() -> None:
    lines = 0.3 * (torch.arange(SIZE) % 8 < 2)
    by_period = ratios(roofs(SIZE) + lines[:, None] + lines[None, :])
    assert min(by_period[4], by_period[8]) > 4
    assert max(by_period[16], by_period[32]) < 1.5


def test_a_grid_along_one_direction_shows() -> None:
    columns = grid(SIZE, 4, 0.1)[:1].expand(SIZE, SIZE)
    assert ratios(roofs(SIZE) + columns)[4] > 8


def test_a_period_that_no_network_leaves_does_not_count() -> None:
    assert max(ratios(roofs(SIZE) + grid(SIZE, 10, 0.3)).values()) < 1.5


def test_a_grid_of_a_millimetre_does_not_count() -> None:
    smooth = torch.full((SIZE, SIZE), 10.0, dtype=torch.float64)
    assert max(ratios(smooth).values()) == pytest.approx(1, abs=0.4)
    assert ratios(smooth + grid(SIZE, 4, 0.001))[4] < 1.5
    assert ratios(smooth + grid(SIZE, 4, 0.02))[4] > 5


def test_the_ground_does_not_count() -> None:
    heights = 1.5 + grid(SIZE, 4, 0.2)
    assert spectra(heights) == {}
    heights[100:300, 100:300] += 3
    sums = spectra(heights)
    # The lines 102, 105, … 297 are measured; segments start at 128, 160, 192 and 224, those of 128 px at 128.
    assert {entry.length: entry.segments for entry in sums["across"]} == {64: 66 * 4, 128: 66}


@pytest.mark.parametrize("layout", [original(96, 64), even(96, 32, 4)], ids=["original", "even"])
def test_blocks_add_up_to_the_whole(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    heights = roofs(400) + grid(400, 4, 0.1) + 5
    heights[50:90, 60:200] = math.nan
    whole = spectra(heights)
    assert_same(streamed(heights, layout), whole)
    for size in (1, 4 * 2 * 96 * 200):
        monkeypatch.setattr(blending, "BLOCK_BYTES", size)
        assert_same(streamed(heights, layout), whole)


@pytest.mark.parametrize("height", [math.inf, 1e30])
def test_heights_of_a_diverged_network_are_left_out(height: float) -> None:
    heights = roofs(300).float() + 5
    heights[100:120, 100:120] = height
    assert max(ratios(heights).values()) < 1.5
    assert spectra(torch.full((300, 300), height)) == {}


def test_pixels_without_data_are_left_out() -> None:
    heights = 10 + torch.randn(200, 260, generator=torch.Generator().manual_seed(0))
    heights[:, 100] = math.nan
    sums = spectra(heights)
    # Of a row, the segments that start at 0, 32, 128, 160 and 192 remain; of the columns, all but the 100th, which is
    # none of the measured ones.
    assert spectrum(sums, "across", 64).segments == 67 * (2 + 2 + 1)
    assert spectrum(sums, "down", 64).segments == 87 * 5
    assert all(math.isfinite(value) for entry in sums["across"] for value in entry.power)


def test_passes_with_dropout_are_averaged() -> None:
    heights = roofs(300).float()
    meter = CheckerboardMeter("height", slice(0, 2))
    passes = torch.stack([heights + grid(300, 4, 0.3), heights - grid(300, 4, 0.3)]).float()
    meter(Finished(passes, 0, 0, (0, 300), (0, 300)))
    assert checkerboard_ratios([meter.sums])[4] < 1.5


def test_transposed_convolutions_leave_a_grid_and_resizing_does_not() -> None:
    """Random layers over a smooth image, as a decoder has them: upsampling by 2, twice."""
    generator = torch.manual_seed(0)
    coarse = nn.functional.interpolate(torch.rand(1, 8, 12, 12, generator=generator), size=128, mode="bicubic")

    def heights(upsample: nn.Module, other: nn.Module) -> Tensor:
        with torch.no_grad():
            output = nn.Sequential(upsample, nn.ReLU(), other)(coarse)[0].mean(dim=0)
        return 10 + 3 * (output - output.mean()) / output.std()

    transposed = heights(*[nn.ConvTranspose2d(8, 8, 4, stride=2, padding=1) for _ in range(2)])
    resize = nn.Upsample(scale_factor=2, mode="bilinear")
    resized = heights(*[nn.Sequential(resize, nn.Conv2d(8, 8, 3, padding=1, padding_mode="reflect")) for _ in range(2)])
    assert max(ratios(transposed).values()) > 10
    assert max(ratios(resized).values()) < 2
