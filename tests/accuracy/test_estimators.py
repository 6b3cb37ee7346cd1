"""Areas and accuracies of a stratified sample: the published example, an independent estimator, and repeated draws."""

import numpy as np
import pytest

from mtlaerial.accuracy.estimators import estimate_accuracy

COUNTS = np.array([[66, 0, 5, 4], [0, 55, 8, 12], [1, 0, 153, 11], [2, 1, 9, 313]])
HECTARES = np.array([200_000, 150_000, 3_200_000, 6_450_000]) * 0.09
"""Table 8 of Olofsson et al. 2014: deforestation, forest gain, stable forest, stable non-forest; pixels of 30 m."""
NONE_COMPLETE = np.zeros(4, dtype=bool)


def test_worked_example_of_the_paper() -> None:
    accuracy = estimate_accuracy(COUNTS, HECTARES, NONE_COMPLETE)
    half = {name: 1.96 * getattr(accuracy, name).errors for name in ("overall", "users", "producers", "areas")}
    # Page 54: accuracies to two digits, areas in hectares, ± 95 % intervals.
    assert (accuracy.overall.values.round(2), half["overall"].round(2)) == (0.95, 0.02)
    assert accuracy.users.values.round(2).tolist() == [0.88, 0.73, 0.93, 0.96]
    assert half["users"].round(2).tolist() == [0.07, 0.10, 0.04, 0.02]
    assert accuracy.producers.values.round(2).tolist() == [0.75, 0.85, 0.93, 0.96]
    assert half["producers"][0].round(2) == 0.21
    assert accuracy.areas.values.round().tolist() == [21_158, 11_686, 285_770, 581_386]
    np.testing.assert_allclose(half["areas"], [6_158, 3_756, 15_510, 16_282], atol=1)


def test_standard_errors_of_producers_accuracies_are_those_of_a_ratio_of_stratified_means() -> None:
    accuracy = estimate_accuracy(COUNTS, HECTARES, NONE_COMPLETE)
    weights = HECTARES / HECTARES.sum()
    for j in range(4):
        linear, total = 0.0, 0.0
        for i, row in enumerate(COUNTS):
            reference = np.repeat(np.arange(4), row)
            x = (reference == j).astype(float)
            # Linearised ratio (Cochran 1977, section 6.12): residuals of "right and of class j" over "of class j".
            residuals = x * (i == j) - accuracy.producers.values[j] * x
            linear += weights[i] ** 2 * residuals.var(ddof=1) / len(x)
            total += weights[i] * x.mean()
        assert accuracy.producers.errors[j] == pytest.approx(np.sqrt(linear) / total, rel=1e-9)


def test_a_class_that_is_not_mapped_has_an_area_and_no_users_accuracy() -> None:
    accuracy = estimate_accuracy(np.array([[8, 2], [0, 0]]), np.array([50.0, 0.0]), np.zeros(2, dtype=bool))
    assert accuracy.areas.values.tolist() == [40.0, 10.0]
    assert accuracy.areas.errors[1] == pytest.approx(50 * np.sqrt(0.2 * 0.8 / 9))
    assert np.isnan(accuracy.users.values[1])
    assert accuracy.producers.values.tolist() == [1.0, 0.0]


def test_a_class_whose_pixels_all_have_points_has_no_sampling_error() -> None:
    counts, areas = np.array([[3, 1], [5, 45]]), np.array([4.0, 996.0])
    complete = estimate_accuracy(counts, areas, np.array([True, False]))
    sampled = estimate_accuracy(counts, areas, np.zeros(2, dtype=bool))
    assert complete.users.errors[0] == 0 < sampled.users.errors[0]
    assert complete.users.errors[1] == sampled.users.errors[1]


def test_intervals_of_areas_cover_the_true_ones_at_their_level() -> None:
    random = np.random.default_rng(3)
    mapped = np.array([60_000, 30_000, 10_000])
    truth = np.array([[0.9, 0.06, 0.04], [0.1, 0.85, 0.05], [0.15, 0.05, 0.8]])
    true_areas = mapped @ truth
    covered = np.zeros((200, 3), dtype=bool)
    for draw in range(200):
        counts = np.stack([random.multinomial(n, row) for n, row in zip((120, 80, 60), truth, strict=True)])
        lower, upper = estimate_accuracy(counts, mapped.astype(float), np.zeros(3, dtype=bool)).areas.interval(0.95)
        covered[draw] = (lower <= true_areas) & (true_areas <= upper)
    # 95 % of 200 is 190; the standard deviation of a class is 3.1.
    assert (covered.sum(axis=0) >= 180).all()
    assert 565 - 20 <= covered.sum() <= 597
