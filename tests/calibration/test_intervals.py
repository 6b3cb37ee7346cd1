"""Intervals of heights: coverage on generated data, levels and bins with too few cells, and their application."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from mtlaerial.calibration.cells import calibration_cells
from mtlaerial.calibration.height_errors import HeightErrors
from mtlaerial.calibration.intervals import NO_CHOICE, calibrate_heights, height_interval
from mtlaerial.calibration.record import HeightCalibration
from mtlaerial.calibration.variogram import ResidualLines, VariogramSums
from mtlaerial.errors import ConfigError

SIDE, PIXEL = 60.0, 6.0
"""Metres of a calibration cell and of a pixel."""
EDGES = (2.0, 10.0)


def town(random: np.random.Generator, cells: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return true, predicted height and deviation of a square town of cells x cells calibration cells.

    Errors are larger on tall buildings than the deviation says, differ from place to place, and are correlated.
    """
    pixels = round(cells * SIDE / PIXEL)
    predicted = random.choice([0.5, 6.0, 20.0], (pixels, pixels)).astype(np.float32)
    field = gaussian_filter(random.normal(size=(pixels, pixels)), 1.5, mode="wrap")
    deviation = (0.2 + 0.05 * predicted) * random.choice([0.5, 1.5], (pixels, pixels))
    error = field / field.std() * deviation * np.where(predicted > 10, 3.0, 0.8) * random.gamma(4, 0.25)
    return (predicted + error).astype(np.float32), predicted, deviation.astype(np.float32)


def calibrated(random: np.random.Generator, cells: int = 10, **options: object) -> HeightCalibration:
    true, predicted, deviation = town(random, cells)
    errors = HeightErrors(EDGES)
    grid = calibration_cells(len(true), len(true), (PIXEL, PIXEL), SIDE)
    assert grid.number == cells**2
    errors.add(grid.indices(0, len(true)), predicted, true, deviation)
    return calibrate_heights(errors, **options)


def test_nine_of_ten_heights_of_new_towns_are_within_intervals_of_90_percent() -> None:
    shares = []
    for seed in range(20):
        random = np.random.default_rng(seed)
        districts = [town(random, 10) for _ in range(12)]
        # One cell of each of many districts, whose errors differ: units that are exchangeable.
        true, predicted, deviation = (np.stack(arrays) for arrays in zip(*districts, strict=True))
        cells = np.arange(12 * 100).reshape(12, 10, 1, 10, 1) + np.zeros((1, 1, 10, 1, 10), int)
        cells = cells.reshape(true.shape)
        order = random.permutation(12 * 100)
        chosen = np.isin(cells, order[:100])
        errors = HeightErrors(EDGES)
        errors.add(np.argsort(order)[cells[chosen]], predicted[chosen], true[chosen], deviation[chosen])
        calibration = calibrate_heights(errors)
        assert (calibration.scale.kind, calibration.scale.cells) == ("deviation", 25)
        lower, upper = height_interval(calibration, 0.9, predicted[~chosen], deviation[~chosen])
        covered = (lower <= true[~chosen]) & (true[~chosen] <= upper)
        bins = np.digitize(predicted[~chosen], EDGES)
        shares.append([covered.mean(), *(covered[bins == index].mean() for index in range(3))])
    overall, *by_bin = np.mean(shares, axis=0)
    assert 0.88 <= overall <= 0.92
    assert all(0.88 <= share <= 0.93 for share in by_bin)


def test_a_factor_belongs_to_its_bin_of_predicted_height() -> None:
    calibration = calibrated(np.random.default_rng(0))
    assert calibration.edges == EDGES
    assert calibration.units == ((75,) * 4,) * 3  # a quarter of 100 cells chose the scale
    low, middle, tall = (row[2] for row in calibration.factors)
    assert tall > 2.5 * max(low, middle)  # errors of tall buildings are three times as large as the deviation says
    lower, upper = height_interval(calibration, 0.9, np.float32([1, 30]), np.float32([1, 1]))
    np.testing.assert_allclose((upper - lower) / 2 / (1 + calibration.scale.offset), [low, tall], rtol=1e-6)


def test_higher_levels_have_wider_intervals() -> None:
    for row in calibrated(np.random.default_rng(1)).factors:
        assert list(row) == sorted(row)
        assert len(row) == 4


def test_a_level_with_too_few_cells_is_left_out_and_said() -> None:
    calibration = calibrated(np.random.default_rng(0), cells=3)  # nine cells: enough for 90 %
    assert calibration.levels == (0.5, 0.8, 0.9)
    sentence = "No 95 % intervals: 9 calibration cells; at least 19 needed. Add validation tiles, or lower the level."
    assert sentence in calibration.notes
    message = r"found no 95 % intervals; expected one of 50 %, 80 %, 90 %\. No 95 % intervals: 9 calibration cells"
    with pytest.raises(ConfigError, match=message):
        height_interval(calibration, 0.95, np.float32([1]), np.float32([1]))


def test_without_cells_there_are_no_intervals_and_the_notes_say_why() -> None:
    calibration = calibrate_heights(HeightErrors(EDGES))
    assert (calibration.levels, calibration.units) == ((), ((), (), ()))
    assert calibration.notes[0].startswith("No 50 % intervals: 0 calibration cells; at least 1 needed.")


def scored(heights: dict[float, int], errors: dict[float, float]) -> HeightErrors:
    """Return scores of cells 0, 1, …: how many of them have pixels of each predicted height, and the error of these."""
    scores = HeightErrors((2.0, 10.0, 40.0))
    for height, number in heights.items():
        predicted = np.full(number, height, np.float32)
        scores.add(np.arange(number), predicted, predicted + errors[height])
    return scores


def test_a_bin_shares_a_factor_only_at_the_levels_that_it_has_too_few_cells_for() -> None:
    cells = {1.0: 30, 5.0: 25, 20.0: 20, 50.0: 10}
    calibration = calibrate_heights(scored(cells, {height: height for height in cells}))
    assert calibration.edges == (2.0, 10.0, 40.0)
    assert calibration.units == ((30,) * 4, (25,) * 4, (20,) * 4, (10, 10, 10, 20))
    expected = "Predicted heights 10-40 m (20 cells), from 40 m (10 cells) share one factor at 95 % (at least 19)."
    assert calibration.notes == (expected,)
    # Of 21 cells with the new one, 10 have scores of 20 m alone, and ten as many of 20 m as of 50 m: 71 % and 95.2 %.
    assert calibration.factors[2:] == ((20.0, 20.0, 20.0, 50.0), (50.0, 50.0, 50.0, 50.0))
    _, upper = height_interval(calibration, 0.9, np.float32([50.0]))
    assert float(upper[0]) == 100.0


def test_levels_that_need_the_same_merging_have_one_note() -> None:
    calibration = calibrate_heights(scored({1.0: 30, 5.0: 25, 20.0: 20, 50.0: 3}, {1.0: 1, 5.0: 1, 20.0: 1, 50.0: 1}))
    needed = "80 % (at least 4), 90 % (at least 9), 95 % (at least 19)"
    expected = f"Predicted heights 10-40 m (20 cells), from 40 m (3 cells) share one factor at {needed}."
    assert calibration.notes == (expected,)


def test_a_shared_factor_is_never_below_that_of_a_lower_level() -> None:
    cells = {1.0: 30, 5.0: 25, 20.0: 200, 50.0: 10}
    calibration = calibrate_heights(scored(cells, {1.0: 1, 5.0: 1, 20.0: 1, 50.0: 9}))
    # At 95 % 10 of 200 cells have 9 m for half of their pixels: alone, the shared factor would be 1 m.
    assert calibration.factors[2:] == ((1.0, 1.0, 1.0, 1.0), (9.0, 9.0, 9.0, 9.0))


def test_pixels_without_truth_or_prediction_are_left_out() -> None:
    errors = HeightErrors(())
    nan = np.nan
    predicted = np.array([[1, 1, nan, 1, 1, 1]], np.float32)
    true = np.array([[2, nan, 1, 3, 1.25, 9]], np.float32)
    deviation = np.array([[2, 1, 1, nan, 0, np.inf]], np.float32)
    errors.add(np.arange(6)[None], predicted, true, deviation)
    sampled = errors.sampled()
    assert sampled.errors.tolist() == [1, 2, 0.25]
    np.testing.assert_array_equal(sampled.deviations, [2, nan, 0])  # an infinite one would make any error small
    calibration = calibrate_heights(errors, levels=[0.5, 0.5])
    assert calibration.levels == (0.5,)
    assert calibration.notes == (NO_CHOICE,)
    lower, upper = height_interval(calibration, 0.5, predicted, deviation)
    assert np.isnan(lower).tolist() == np.isnan(upper).tolist() == np.isnan(predicted).tolist()


def test_a_deviation_that_is_needed_and_missing_is_refused() -> None:
    with pytest.raises(ConfigError, match="expected a predictor that gives a standard deviation of heights"):
        height_interval(calibrated(np.random.default_rng(0)), 0.9, np.float32([1]))


def test_cells_below_the_correlation_length_are_noted() -> None:
    residuals, lines, random = VariogramSums(), ResidualLines(300, 300), np.random.default_rng(0)
    lines.add(0, gaussian_filter(random.normal(size=(300, 300)), 8).astype(np.float32))
    residuals.add(lines, (PIXEL, PIXEL))
    calibration = calibrated(random, residuals=residuals)
    assert calibration.correlation_length is not None
    assert calibration.correlation_length > SIDE
    assert any("shorter than the residuals' correlation length" in note for note in calibration.notes)
