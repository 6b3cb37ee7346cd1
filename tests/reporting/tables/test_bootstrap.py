"""The bootstrap over seeds and tiles, and its tests, by hand."""

import math

import numpy as np
import pytest

from mtlaerial.reporting.tables import collect
from mtlaerial.reporting.tables.bootstrap import Summed, difference, holm, p_value, pooled, student_p, widening
from mtlaerial.reporting.tables.comparison import run_sums
from support.sample_scores import run, tile


def test_with_everything_once_scores_are_those_of_the_tables() -> None:
    """Also with classes that occur nowhere or are only predicted, pixels without prediction, tiles of one layer."""
    names = ("road", "house", "tree", "water")
    tiles = [
        tile([[5, 2, 1, 0, 1], [1, 9, 0, 0, 0], [0] * 5, [0] * 5], [1.0, 4.0], [2.0, 8.0]),
        tile([[3, 0, 0, 0, 0], [4, 4, 0, 0, 2], [0] * 5, [0] * 5]),
        tile((), [3.0], [3.5]),
    ]
    runs = [run("joint", seed, [*tiles[seed:], *tiles[:seed]], classes=names) for seed in (0, 1)]
    runs = [r.model_copy(update={"training_pixels": (1, 1, 1, 1)}) for r in runs]
    sums = run_sums(runs, list(runs[0].tiles))
    long = collect(runs)
    overall = long[(long["mask"] == "all") & (long["group"] == "overall") & (long["pooling"] == "pooled")]
    for score in ("mIoU", "MAE"):
        expected = overall[(overall["method"] == "joint") & (overall["score"] == score)]["value"]
        assert len(expected) == 2
        estimates = pooled(sums[score], np.eye(2), np.ones((2, 3)))
        np.testing.assert_allclose(estimates, expected, rtol=1e-12)
        np.testing.assert_allclose(pooled(sums[score], np.ones((1, 2)), np.ones((1, 3))), expected.mean(), rtol=1e-12)


def test_draws_of_two_tiles_by_hand() -> None:
    sums = run_sums(
        [run("a", 0, [tile([[6, 2, 0], [0, 2, 0]], [4.0], [5.0]), tile([[1, 0, 0], [3, 6, 0]], [2.0], [5.0])])],
        ["t0", "t1"],
    )
    tiles = np.array([[2.0, 0.0], [1.0, 1.0], [0.0, 2.0]])
    once = np.ones((3, 1))
    by_hand = [(6 / 8 + 2 / 4) / 2, (7 / 12 + 8 / 13) / 2, (1 / 4 + 6 / 9) / 2]
    np.testing.assert_allclose(pooled(sums["mIoU"], once, tiles), by_hand)
    np.testing.assert_allclose(pooled(sums["MAE"], once, tiles), [1, 2, 3])


def test_interval_of_two_tiles_and_seeds_by_hand() -> None:
    """A quarter of the draws has one tile alone, so that the percentiles are the gains of the tiles, then widened."""
    heights = {"method": [1.0, 3.0], "baseline": [2.0, 4.0]}
    sums = {}
    for name, errors in heights.items():
        sums[name] = {
            "MAE": Summed(np.array([[[error, 1.0] for error in errors]] * 2), lambda s: s[..., 0] / s[..., 1])
        }
    gain = difference(sums["method"], sums["baseline"])
    effect = (3 - 2) / 3
    assert gain.effect == pytest.approx(effect)
    factor = math.sqrt(2) * 12.7062 / 1.95996
    assert widening(2) == pytest.approx(factor, rel=1e-5)
    assert gain.low == pytest.approx(effect + factor * ((4 - 3) / 4 - effect), rel=1e-5)
    assert gain.high == pytest.approx(effect + factor * ((2 - 1) / 2 - effect), rel=1e-5)
    below = 2 * (1 + gain.p * 4001 / 2 - 1) / 4000  # draws with the second tile alone are widened to below 0
    assert below == pytest.approx(2 * 0.25, abs=0.05)


def test_p_values_by_hand() -> None:
    assert p_value(np.array([1.0, 2.0, 3.0, -1.0])) == pytest.approx(2 * 2 / 5)
    assert p_value(np.ones(99)) == pytest.approx(2 / 100)
    assert p_value(-np.ones(99)) == pytest.approx(2 / 100)
    assert p_value(np.zeros(10)) == 1


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.5]) == [1.0, 1.0]
    one, none = holm([0.02, math.nan])
    assert one == pytest.approx(0.02)
    assert math.isnan(none)
    assert holm([]) == []


def test_student_p_by_hand() -> None:
    """Of five differences 1, 2, 3, 4, 5: a t-test gives t = 3 / (sqrt(2.5) / sqrt(5)) = 4.2426 and p = 0.01324."""
    deviation_of_means = math.sqrt(2 / 5)  # of resamples of the five
    assert student_p(3.0, deviation_of_means, 5) == pytest.approx(0.013236, rel=1e-4)
    assert student_p(-3.0, deviation_of_means, 5) == student_p(3.0, deviation_of_means, 5)
    assert student_p(0.0, 0.0, 5) == 0
