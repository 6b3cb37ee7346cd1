"""Windows of Swin transformers: splitting, shifting, and the borders that a shift brings together."""

import math

import pytest
import torch

from mtlaerial.models.encoders.window_attention import PositionBias, log_spaced_offsets
from mtlaerial.models.encoders.windows import (
    MASKED,
    border_mask,
    join_windows,
    rolled,
    split_into_windows,
    whole_windows,
    window_shift,
)


def test_windows_run_row_by_row_and_join_again() -> None:
    features = torch.arange(2 * 4 * 6).reshape(2, 4, 6, 1)
    windows = split_into_windows(features, 2)
    assert windows.shape == (12, 4, 1)
    assert windows[1, :, 0].tolist() == [2, 3, 8, 9]
    assert windows[3, :, 0].tolist() == [12, 13, 18, 19]
    assert torch.equal(join_windows(windows, 2, 4, 6), features)


@pytest.mark.parametrize(("side", "multiple", "shift"), [(1, 8, 0), (8, 8, 0), (9, 16, 4), (16, 16, 4), (100, 104, 4)])
def test_one_window_is_not_shifted(side: int, multiple: int, shift: int) -> None:
    assert whole_windows(side, 8) == multiple
    assert window_shift(side, 8, 4) == shift


@pytest.mark.parametrize("shifts", [(2, 2), (2, 0), (0, 2), (0, 0)])
def test_pixels_of_a_window_attend_to_each_other_where_they_were_neighbours(shifts: tuple[int, int]) -> None:
    rows, columns = torch.meshgrid(torch.arange(8.0), torch.arange(12.0), indexing="ij")
    places = rolled(torch.stack((rows, columns), dim=2)[None], (-shifts[0], -shifts[1]))
    mask = border_mask(places, 4, shifts)[:, 0]
    windows = split_into_windows(places, 4)
    near = (windows[:, :, None] - windows[:, None]).abs().amax(dim=3) < 4
    assert torch.equal(mask, MASKED * (~near).float())


def test_offsets_are_log_spaced() -> None:
    offsets = log_spaced_offsets(8)
    assert offsets.shape == (225, 2)
    # sign(d) log2(1 + |d|) / log2(8), for d from -8 to 8 in steps of 8 / 7.
    torch.testing.assert_close(offsets[0], torch.full((2,), -math.log2(9) / 3))
    torch.testing.assert_close(offsets[7 * 15 + 8], torch.tensor([0.0, math.log2(1 + 8 / 7) / 3]))


def test_biases_follow_the_relative_position() -> None:
    torch.manual_seed(0)
    position = PositionBias(4, 2)
    with torch.no_grad():
        biases = position().reshape(2, 4, 4, 4, 4)
    for row, column, row_2, column_2 in ((0, 0, 1, 2), (2, 1, 3, 3)):  # both one row down, two columns to the right
        torch.testing.assert_close(biases[:, row, column, row_2, column_2], biases[:, 1, 0, 2, 2], rtol=0, atol=0)
    assert not torch.equal(biases[:, 0, 0, 1, 2], biases[:, 0, 0, 2, 1])
    assert not torch.equal(biases[:, 0, 0, 1, 2], biases[:, 1, 2, 0, 0])


def test_gradients_of_biases_are_the_same_each_time() -> None:
    torch.manual_seed(0)
    position, weights = PositionBias(8, 32), torch.randn(64, 64, 32).permute(2, 0, 1)
    torch.set_num_threads(2)
    try:
        gradients = [torch.autograd.grad((position() * weights).sum(), position.contract.weight)[0] for _ in range(6)]
    finally:
        torch.set_num_threads(1)
    assert all(torch.equal(gradient, gradients[0]) for gradient in gradients)
