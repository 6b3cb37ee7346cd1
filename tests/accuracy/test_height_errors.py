"""Height errors at surveyed points: definitions, weights, and coverage of the intervals."""

import numpy as np
import pytest

from mtlaerial.accuracy import height_errors
from mtlaerial.accuracy.height_errors import SCORES, estimate_height_errors, weighted_median, weighted_quantile


def test_scores_of_equal_weights_are_their_definitions() -> None:
    errors = np.random.default_rng(0).normal(0.3, 1.2, 40)
    result = estimate_height_errors(errors, np.zeros(40, dtype=int), np.ones(1), 0.95).values
    assert result["bias"] == pytest.approx(errors.mean())
    assert result["MAE"] == pytest.approx(abs(errors).mean())
    assert result["RMSE"] == pytest.approx(np.sqrt((errors**2).mean()))
    assert result["LE90"] == np.sort(abs(errors))[35]  # 36 of 40 lie within
    assert result["NMAD"] == pytest.approx(1.4826 * np.median(abs(errors - np.median(errors))))


def test_points_stand_for_the_area_of_their_class() -> None:
    errors, strata = np.array([1.0, 1.0, 1.0, 1.0, 5.0, 5.0]), np.array([0, 0, 0, 0, 1, 1])
    result = estimate_height_errors(errors, strata, np.array([10.0, 90.0]), 0.95)
    assert result.values["bias"] == pytest.approx(0.1 * 1 + 0.9 * 5)
    assert result.values["LE90"] == 5


def test_a_weighted_quantile_is_that_of_repeated_values() -> None:
    values, times = np.array([3.0, 1.0, 2.0]), np.array([[1.0, 2.0, 3.0]])
    repeated = np.sort(np.repeat(values, times[0].astype(int)))
    for share in (1 / 6, 0.3, 0.5, 0.9, 1.0):
        expected = repeated[int(np.ceil(share * 6 - 1e-9)) - 1]
        assert weighted_quantile(values, times, share).tolist() == [expected]


@pytest.mark.parametrize("number", [2, 3, 10, 11])
def test_nmad_of_few_points_is_of_numpys_medians(number: int) -> None:
    errors = np.random.default_rng(number).normal(size=number)
    result = estimate_height_errors(errors, np.zeros(number, dtype=int), np.ones(1), 0.95).values
    assert result["NMAD"] == pytest.approx(1.4826 * np.median(abs(errors - np.median(errors))))


def test_a_weighted_median_is_that_of_repeated_values() -> None:
    values, times = np.array([3.0, 1.0, 7.0, 2.0]), np.array([[1, 2, 2, 1], [1, 1, 1, 1], [1, 0, 1, 0], [5, 1, 1, 1]])
    expected = [np.median(np.repeat(values, row)) for row in times]
    assert weighted_median(values, times / 7).tolist() == expected == [2.5, 2.5, 5.0, 3.0]


def test_intervals_cover_the_scores_of_the_population_at_about_their_level(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(height_errors, "RESAMPLES", 300)
    random = np.random.default_rng(5)
    sizes, areas = (40, 30), np.array([3.0, 1.0])
    scales = (0.5, 2.0)
    large = np.concatenate([random.normal(0.2, scale, 100_000) for scale in scales])
    weights = np.repeat(areas, 100_000)[None]
    truth = {name: float(score(large, weights)[0]) for name, score in SCORES.items()}
    covered = dict.fromkeys(SCORES, 0)
    for draw in range(60):
        errors = np.concatenate([random.normal(0.2, scale, n) for scale, n in zip(scales, sizes, strict=True)])
        result = estimate_height_errors(errors, np.repeat([0, 1], sizes), areas, 0.9, seed=draw)
        for name, value in truth.items():
            covered[name] += result.lower[name] <= value <= result.upper[name]
    # 90 % of 60 is 54, with a standard deviation of 2.3.
    assert min(covered.values()) >= 46, covered
