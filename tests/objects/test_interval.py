"""Intervals of objects' heights: coverage on generated problems, and what is said without enough objects."""

import numpy as np
import pytest

from mtlaerial.calibration.record import ObjectCalibration
from mtlaerial.errors import ConfigError
from mtlaerial.objects.interval import bounds, missing_text, object_interval


def calibration(errors: np.ndarray, areas: np.ndarray | None = None, min_area: float = 10) -> ObjectCalibration:
    sizes = np.full(len(errors), 50.0) if areas is None else areas
    return ObjectCalibration(min_area=min_area, areas=tuple(sizes), errors=tuple(errors))


def test_the_half_width_is_the_order_statistic_of_split_conformal_prediction() -> None:
    errors = np.random.default_rng(0).exponential(size=119)
    # ⌈120 · 0.9⌉ = 108.
    assert object_interval(calibration(errors), 10).half_width == np.sort(errors)[107]


def test_intervals_cover_nine_of_ten_new_buildings() -> None:
    """150 validation and 400 new buildings of a generated town, whose errors grow with the height, 20 seeds."""
    coverages = []
    for seed in range(20):
        random = np.random.default_rng(seed)
        true = random.gamma(3.0, 3.0, 550) + 2.5
        predicted = true * random.normal(0.95, 0.1, 550) + random.normal(0, 0.4, 550)
        interval = object_interval(calibration(abs(true - predicted)[:150]), 10)
        lower, upper = bounds(interval, predicted[150:])
        coverages.append(((lower <= true[150:]) & (true[150:] <= upper)).mean())
    assert 0.88 <= np.mean(coverages) <= 0.92
    # One seed has the deviation √(0.9 · 0.1 / 152) of a quantile of 150 scores, and that of 400 buildings.
    assert np.std(coverages) == pytest.approx(np.sqrt(0.09 / 152 + 0.09 / 400), rel=0.5)


@pytest.mark.parametrize(("number", "finite"), [(0, False), (6, False), (8, False), (9, True)])
def test_a_90_percent_interval_needs_nine_objects(number: int, finite: bool) -> None:
    interval = object_interval(calibration(np.arange(float(number))), 10)
    assert np.isfinite(interval.half_width) is np.bool_(finite)
    text = missing_text("building", interval)
    if finite:
        assert text == ""
        assert interval.half_width == 8
    else:
        assert f"heights of building: {number} validation objects; at least 9 needed" in text
        assert np.isnan(np.concatenate(bounds(interval, np.ones(3)))).all()


def test_validation_objects_smaller_than_those_vectorised_do_not_count() -> None:
    errors, areas = np.repeat([5.0, 1.0], [30, 20]), np.repeat([20.0, 80.0], [30, 20])
    assert object_interval(calibration(errors, areas), 10).half_width == 5
    large = object_interval(calibration(errors, areas), 60)
    assert (large.half_width, large.objects) == (1, 20)
    with pytest.raises(ConfigError, match=r"objects\.min_area: found 5 m²; expected at least 10 m²"):
        object_interval(calibration(errors, areas), 5)


def test_bounds_are_not_below_the_ground_and_follow_missing_heights() -> None:
    lower, upper = bounds(object_interval(calibration(np.full(20, 2.0)), 10), np.array([1.0, 6.0, np.nan]))
    np.testing.assert_array_equal(lower, [0.0, 4.0, np.nan])
    np.testing.assert_array_equal(upper, [3.0, 8.0, np.nan])
