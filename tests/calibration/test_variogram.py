"""Variogram of residuals and its correlation length."""

import math

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from mtlaerial.calibration.variogram import (
    DISTANCES,
    LINES,
    ResidualLines,
    VariogramSums,
    cell_side_note,
    correlation_length,
    variogram,
)

SIGMA = 5.0
"""Pixels of the filter of white noise: correlation exp(-d² / (4 SIGMA²)), which is 1 / e at 2 SIGMA."""


def field(size: int = 600, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(size=(size, size))
    return gaussian_filter(noise, SIGMA, mode="wrap").astype(np.float32)


def lines(residuals: np.ndarray, rows: int = 100) -> ResidualLines:
    """Return the lines of residuals that are added in blocks of some rows."""
    gathered = ResidualLines(*residuals.shape)
    for top in range(0, len(residuals), rows):
        gathered.add(top, residuals[top : top + rows])
    return gathered


def test_lines_are_rows_and_columns_at_equal_steps_however_blocks_are_cut() -> None:
    residuals = np.arange(2 * LINES * 7, dtype=np.float32).reshape(2 * LINES, 7)
    for rows in (1, 5, 2 * LINES):
        gathered = lines(residuals, rows)
        np.testing.assert_array_equal(gathered.rows, residuals[::2])
        np.testing.assert_array_equal(gathered.columns, residuals.T)


@pytest.mark.parametrize("pixel_size", [1.0, 2.0])
def test_correlation_length_is_where_the_correlation_is_one_over_e(pixel_size: float) -> None:
    sums = VariogramSums()
    for seed in range(2):
        sums.add(lines(field(seed=seed)), (pixel_size, pixel_size))
    assert correlation_length(sums) == pytest.approx(2 * SIGMA * pixel_size, rel=0.15)
    measured = variogram(sums)
    expected = np.exp(-((measured.distances / pixel_size / SIGMA) ** 2) / 4)
    np.testing.assert_allclose(measured.correlation, expected, atol=0.15)


def test_white_noise_is_uncorrelated_from_the_first_pixel() -> None:
    sums = VariogramSums()
    noise = np.random.default_rng(0).normal(size=(300, 300)).astype(np.float32)
    sums.add(lines(noise), (1.0, 1.0))
    assert (correlation_length(sums) or math.inf) < 1.0
    assert cell_side_note(sums, 60.0) == ""


def test_pairs_with_no_data_are_left_out() -> None:
    holes = field()
    holes[np.random.default_rng(1).random(holes.shape) < 0.3] = np.nan
    sums, whole = VariogramSums(), VariogramSums()
    sums.add(lines(holes), (1.0, 1.0))
    whole.add(lines(field()), (1.0, 1.0))
    assert correlation_length(sums) == pytest.approx(correlation_length(whole), rel=0.05)
    assert sums.pairs[0] == pytest.approx(0.49 * whole.pairs[0], rel=0.02)


def test_the_note_says_how_long_cells_must_be() -> None:
    sums = VariogramSums()
    sums.add(lines(field()), (8.0, 8.0))  # 80 m
    length = correlation_length(sums)
    assert length is not None
    assert cell_side_note(sums, 60.0).endswith(f"Use cells of at least {math.ceil(length)} m.")
    assert cell_side_note(sums, 100.0) == ""


def test_residuals_that_stay_correlated_and_ones_without_truth_are_said() -> None:
    trend, nothing = VariogramSums(), VariogramSums()
    trend.add(lines(np.tile(np.arange(2000, dtype=np.float32), (50, 1))), (1.0, 1.0))
    assert correlation_length(trend) is None
    assert f"as far as was measured, {DISTANCES[-1]:.0f} m" in cell_side_note(trend, 60.0)
    nothing.add(lines(np.full((50, 50), np.nan, np.float32)), (1.0, 1.0))
    assert cell_side_note(nothing, 60.0).startswith("Correlation of residuals not measured")
