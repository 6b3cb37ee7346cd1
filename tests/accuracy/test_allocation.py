"""Sizes of stratified samples."""

import numpy as np
import pytest

from mtlaerial.accuracy.allocation import allocate, allocate_for_error, expected_error, sample_size
from mtlaerial.errors import ConfigError

PIXELS = np.array([200_000, 150_000, 3_200_000, 6_450_000])


def test_sample_size_of_the_paper() -> None:
    # Olofsson et al. 2014, section 5.1.1: 641 points for a standard error of 0.01.
    assert sample_size(PIXELS, [0.7, 0.6, 0.9, 0.95], 0.01) == 641


def test_half_the_standard_error_needs_four_times_the_points() -> None:
    coarse, fine = (sample_size(PIXELS, [0.7, 0.6, 0.9, 0.95], error) for error in (0.02, 0.01))
    assert fine == pytest.approx(4 * coarse, rel=0.02)


def test_a_sample_cannot_be_larger_than_the_map() -> None:
    assert sample_size(np.array([60, 40]), [0.5, 0.5], 1e-4) <= 100


@pytest.mark.parametrize(
    ("total", "counts", "minimum", "sizes"),
    [
        (640, PIXELS, 75, [75, 75, 162, 328]),
        (100, [50, 30, 20], 2, [50, 30, 20]),
        (10, [1, 1, 1], 0, None),
        (10, [700, 200, 100], 1, [7, 2, 1]),
        (12, [500, 0, 3], 5, [9, 0, 3]),
        # The second class is rare only after the first one has taken its minimum.
        (30, [10, 100, 300], 8, [8, 8, 14]),
    ],
)
def test_points_are_shared_in_proportion_above_a_minimum(
    total: int, counts: list[int], minimum: int, sizes: list[int] | None
) -> None:
    if sizes is None:
        with pytest.raises(ConfigError, match="at most the 3 mapped pixels"):
            allocate(total, np.array(counts), minimum)
    else:
        assert allocate(total, np.array(counts), minimum).tolist() == sizes


def test_minima_above_the_total_are_refused() -> None:
    with pytest.raises(ConfigError, match="--points: found 100; expected at least 200: 50 for each of 4 mapped"):
        allocate(100, PIXELS, 50)


@pytest.mark.parametrize(("counts", "error"), [([10**7, *[10**5] * 10], 0.01), ([2 * 10**6] * 5, 0.02), (PIXELS, 0.01)])
def test_fewest_points_reach_the_error_that_was_asked(counts: list[int], error: float) -> None:
    pixels, users = np.array(counts), [0.9, 0.6, *[0.8] * (len(counts) - 2)]
    sizes = allocate_for_error(pixels, users, error, 50)
    assert sizes.min() >= 50
    assert 0.99 * error < expected_error(sizes, pixels, users) <= error
    fewer = allocate(int(sizes.sum()) - 1, pixels, 50)
    assert expected_error(fewer, pixels, users) > error


def test_expected_error_is_that_of_simulated_samples() -> None:
    sizes, users = np.array([50, 50, 80, 200]), [0.7, 0.6, 0.9, 0.95]
    right = np.random.default_rng(0).binomial(sizes, users, size=(4000, 4)) / sizes
    assert expected_error(sizes, PIXELS, users) == pytest.approx((right @ (PIXELS / PIXELS.sum())).std(), rel=0.03)


def test_error_of_a_map_with_a_point_on_each_pixel_is_0() -> None:
    counts = np.array([60, 0, 40])
    assert expected_error(counts, counts, [0.5] * 3) == 0
    assert allocate_for_error(counts, [0.5] * 3, 1e-9, 2).tolist() == [60, 0, 40]


def test_maps_of_billions_of_pixels_need_no_more_points() -> None:
    small, large = np.array([10**6, 4 * 10**6]), np.array([2 * 10**9, 8 * 10**9])
    expected = allocate_for_error(small, [0.9, 0.9], 0.01, 50)
    assert allocate_for_error(large, [0.9, 0.9], 0.01, 50).tolist() == expected.tolist()
