"""Windows along an axis: the original's and even ones, and their weights in a pixel."""

import itertools
import math

import numpy as np
import pytest
import torch

from mtlaerial.prediction.blending.windows import even, original, windows_text


def test_the_original_s_windows_cover_an_axis_and_end_with_it() -> None:
    for length, stride in itertools.product(range(1, 140), (1, 5, 24, 32)):
        axis = original(32, stride)(length)
        assert axis.starts[0] == 0
        assert axis.starts[-1] == max(length - 32, 0)
        steps = np.diff(axis.starts)
        assert (axis.window, (steps > 0).all(), (steps <= stride).all()) == (32, True, True)


def test_the_original_s_windows_are_weighted_towards_their_middle() -> None:
    weights = original(65, 1)(65).weights
    assert weights[32] == 1
    assert float(weights[10]) == pytest.approx(math.exp(-((10 / 32 - 1) ** 2) / (2 * 0.2**2)), rel=1e-9)


def test_even_windows_are_as_few_as_can_be_and_of_equal_size() -> None:
    for length, (largest, overlap) in itertools.product(range(1, 300), [(32, 0), (32, 8), (64, 20), (64, 63), (4, 1)]):
        axis = even(largest, overlap, 4)(length)
        number = len(axis.starts)
        assert axis.window % 4 == 0
        assert axis.window <= largest
        assert number == 1 or (number - 1) * (largest - overlap) + overlap < length, "one less would not do"
        assert axis.starts[0] == 0
        assert axis.stop(number - 1) == length
        steps = np.diff(axis.starts)
        assert number == 1 or (steps.min() > 0 and steps.max() <= min(axis.window - overlap, steps.min() + 1))


def test_the_original_s_scene_takes_few_windows() -> None:
    down, across = even(1280, 128, 32)(3240), even(1280, 128, 32)(4380)
    assert (down.window, len(down.starts), across.window, len(across.starts)) == (1184, 3, 1216, 4)


def test_even_windows_fade_into_each_other() -> None:
    axis = even(64, 16, 4)(112)
    assert axis.starts == [0, 48]
    share = axis.fade_factors[1]
    assert (share[:2] == 0).all()
    assert (share[14:] == 1).all()
    assert (np.diff(share[2:14]) > 0).all()
    torch.testing.assert_close(share[:16] + share[:16].flip(0), torch.ones(16))
    assert (axis.fade_factors[0] == 1).all()


def test_windows_are_described_with_their_overlap() -> None:
    layout = even(64, 16, 4)
    assert windows_text(layout(112), layout(40)) == "2 windows of 64 x 40 pixels, overlapping by at least 16"
    assert windows_text(layout(60), layout(40)) == "one window of 60 x 40 pixels"
