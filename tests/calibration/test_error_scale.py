"""Scale of intervals: widths on generated errors, against those by the deviation alone, and coverage."""

import numpy as np
import pytest

from mtlaerial.calibration.error_scale import choose_scale, choosing_cells, divisors_of, mean_width
from mtlaerial.calibration.height_errors import CellErrors, HeightErrors
from mtlaerial.calibration.intervals import NO_GAIN, calibrate_heights, height_interval
from mtlaerial.calibration.quantile import hierarchical_quantile
from mtlaerial.calibration.record import ErrorScale

PIXELS = 100
"""Of a calibration cell."""
FLOOR = 0.05
"""Least deviation in metres by which errors are divided in the comparison."""
Arrays = tuple[np.ndarray, np.ndarray, np.ndarray]


def scene(random: np.random.Generator, cells: int, unknown: float = 0.0, informative: bool = True) -> Arrays:
    """Return true and predicted heights and deviations, shape (cells, pixels).

    The errors' standard deviation is that of the predictor and 0.5 m, times a factor of the cell; in three of ten
    pixels the predictor's is 0. In an unknown share it has none, and errors are twice as large.
    """
    shape = cells, PIXELS
    deviation = np.where(random.random(shape) < 0.3, 0, random.exponential(1.0, shape))
    predicted = random.uniform(0, 2, shape)
    spread = (deviation if informative else 0) + 0.5 * np.ones(shape)
    lacking = random.random(shape) < unknown
    errors = random.normal(size=shape) * spread * np.where(lacking, 2, 1) * random.gamma(16, 1 / 16, (cells, 1))
    deviation = np.where(lacking, np.nan, deviation)
    return tuple(array.astype(np.float32) for array in (predicted + errors, predicted, deviation))


def errors_of(arrays: Arrays) -> HeightErrors:
    errors = HeightErrors(())
    true, predicted, deviation = arrays
    cells = np.arange(len(true))[:, None] + np.zeros(true.shape, np.int64)
    errors.add(cells, predicted, true, deviation)
    return errors


def widths_and_coverage(cells: int, **settings: float) -> np.ndarray:
    """Return mean width and coverage of 90 % intervals on new cells, and the width by the deviation of at least FLOOR.

    Means over 30 scenes.
    """
    rows = []
    for seed in range(30):
        random = np.random.default_rng(seed)
        calibrating, new = scene(random, cells, **settings), scene(random, 400, **settings)
        calibration = calibrate_heights(errors_of(calibrating))
        assert calibration.scale.kind == "deviation"
        true, predicted, deviation = new
        lower, upper = height_interval(calibration, 0.9, predicted, deviation)
        divisors = [np.maximum(arrays[2], FLOOR) for arrays in (calibrating, new)]
        scores = (abs(calibrating[1] - calibrating[0]) / divisors[0]).ravel().astype(np.float64)
        units = np.arange(cells).repeat(PIXELS)
        known = np.isfinite(scores)
        (factor,) = hierarchical_quantile(scores[known], units[known], np.ones(known.sum()), [0.9])
        covered = (lower <= true) & (true <= upper)
        lacking = np.isnan(deviation)
        of_lacking = covered[lacking].mean() if lacking.any() else np.nan
        rows.append([(upper - lower).mean(), covered.mean(), of_lacking, np.nanmean(2 * factor * divisors[1])])
    return np.mean(rows, axis=0)


def test_intervals_are_narrow_where_deviations_near_zero_ask_for_large_factors() -> None:
    width, coverage, _, by_deviation = widths_and_coverage(cells=80)
    assert by_deviation > 3.5 * width
    # By the true scale, |error| <= 1.645 (deviation + 0.5 m): a mean deviation of 0.7 m makes 3.95 m.
    assert 3.5 < width < 4.6
    assert 0.895 < coverage < 0.925


def test_pixels_without_a_deviation_are_covered_too() -> None:
    width, coverage, of_lacking, _ = widths_and_coverage(cells=80, unknown=0.15)
    assert 0.895 < coverage < 0.925
    assert of_lacking > 0.8
    assert width < 6


def test_a_deviation_that_says_nothing_scales_nothing_and_that_is_said() -> None:
    random = np.random.default_rng(0)
    calibration = calibrate_heights(errors_of(scene(random, 80, informative=False)))
    scale = calibration.scale
    assert scale.kind == "none" or scale.offset > 8
    silent = scene(random, 80)
    calibration = calibrate_heights(errors_of((*silent[:2], np.zeros_like(silent[2]))))
    assert (calibration.scale.kind, calibration.notes) == ("none", (NO_GAIN,))
    assert calibration.units == ((60,) * 4,)


def test_without_deviations_all_cells_calibrate() -> None:
    arrays = scene(np.random.default_rng(0), 80)
    for calibration in (
        calibrate_heights(errors_of((*arrays[:2], np.full_like(arrays[2], np.nan)))),
        calibrate_heights(errors_of((*arrays[:2], None))),
    ):
        assert (calibration.scale.kind, calibration.units, calibration.notes) == ("none", ((80,) * 4,), ())


@pytest.mark.parametrize(
    ("cells", "needed", "expected"), [(80, 19, 20), (24, 19, 5), (22, 19, 0), (15, 9, 0), (0, 0, 0)]
)
def test_enough_cells_remain_for_the_highest_level(cells: int, needed: int, expected: int) -> None:
    chosen = choosing_cells(np.arange(100, 100 + cells), needed)
    assert len(chosen) == len(np.unique(chosen)) == expected
    assert np.isin(chosen, np.arange(100, 100 + cells)).all()


def test_the_width_is_the_mean_over_cells_of_the_quantile_times_the_scale() -> None:
    # Two cells: one of 30 pixels, of which 3 were sampled, one of 2; errors of 1 to 5 m.
    errors = CellErrors(
        errors=np.array([1.0, 2, 3, 4, 5]),
        deviations=np.array([1.0, 1, 1, 0, np.nan]),
        cells=np.array([3, 3, 3, 7, 7]),
        bins=np.zeros(5, np.int64),
        masses=np.array([10.0, 10, 10, 1, 1]),
        number_of_bins=1,
    )
    plain = ErrorScale(kind="none")
    assert mean_width(errors, plain, 0.5) == 2 * 3  # half of both cells' pixels err by at most 3 m
    scale = ErrorScale(kind="deviation", offset=1.0, unknown=5.0, cells=2)
    np.testing.assert_array_equal(divisors_of(scale, errors.deviations), [2, 2, 2, 1, 5])
    # Scores 0.5, 1, 1.5, 4, 1, of which 1 has the median; the mean divisor is 2 in the first cell, 3 in the second.
    assert mean_width(errors, scale, 0.5) == pytest.approx(2 * 1 * 2.5)


def test_the_choice_does_not_depend_on_the_unit_of_the_deviation() -> None:
    errors = errors_of(scene(np.random.default_rng(3), 20)).sampled()
    scale = choose_scale(errors, 0.9)
    assert scale.kind == "deviation"
    assert 0.3 < scale.offset < 3  # errors have the deviation plus 0.5 m; a flat width loses little
    tenth = choose_scale(CellErrors(**{**vars(errors), "deviations": errors.deviations / 10}), 0.9)
    assert tenth.offset == pytest.approx(scale.offset / 10)
