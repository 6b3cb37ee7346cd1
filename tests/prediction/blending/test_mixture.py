"""The variance that the disagreement of overlapping windows adds."""

import itertools

import pytest
import torch
from torch import Tensor

from mtlaerial.prediction.blending.lone_windows import share_of_lone_pixels
from mtlaerial.prediction.blending.strips import padded
from mtlaerial.prediction.blending.windows import Layout
from support.blending import LAYOUTS, blend, picture, pointwise


def network(windows: Tensor) -> Tensor:
    """Return heights of about 100 m, by which windows differ in centimetres, and a variance that differs too."""
    rows, columns = windows.shape[2:]
    place = torch.arange(rows)[:, None] * 3.0 + torch.arange(columns)[None, :] ** 2
    height = 100 + 1e-4 * (place + 100 * windows[:, :1, :1, :1]).expand(len(windows), 1, rows, columns)
    return torch.cat([height, 1e-6 * (1 + windows[:, :1, :1, :1]).expand_as(height)], dim=1)


@pytest.mark.usefixtures("blocks")
@LAYOUTS
@pytest.mark.parametrize(("rows", "columns"), [(83, 150), (20, 90)])
def test_variance_is_that_of_the_mixture_by_the_windows_weights(rows: int, columns: int, layout: Layout) -> None:
    """To a tenth of a millimetre at 100 m, where the mean square less the squared mean is off by centimetres."""
    image = picture(rows, columns)
    down, across = layout(rows), layout(columns)
    largest = torch.zeros(rows, columns, dtype=torch.float64)
    sums = torch.zeros(4, rows, columns, dtype=torch.float64)  # of weights, and of weights times what follows
    for (i, top), (j, left) in itertools.product(enumerate(down.starts), enumerate(across.starts)):
        bottom, right = down.stop(i), across.stop(j)
        crop = padded(image[:, top:bottom, left:right], down.window, across.window)
        height, variance = network(crop[None])[0, :, : bottom - top, : right - left].double()
        weight = (down.weights[:, None] * across.weights[None, :])[: bottom - top, : right - left].double()
        parts = torch.stack([torch.ones_like(height), height, height**2, variance])
        sums[:, top:bottom, left:right] += weight * parts
        largest[top:bottom, left:right] = largest[top:bottom, left:right].maximum(weight)
    mean, square, within = sums[1:] / sums[0]
    covered = sums[0] > 0
    blended = blend(image, layout=layout, network=network, spreads=[(0, 1)])[0]
    expected = (square - mean**2 + within).clamp(min=0).sqrt()
    torch.testing.assert_close(blended[0][covered].double(), mean[covered], rtol=0, atol=1e-4)
    lone = largest / sums[0] > 0.99
    assert 0.1 < lone[covered].double().mean() < 0.9
    assert torch.equal(blended[1].isnan()[covered], lone[covered])
    known = covered & ~lone
    torch.testing.assert_close(blended[1].sqrt()[known].double(), expected[known], rtol=0, atol=1e-4)
    assert expected[known].max() > 5e-3, "heights that differ by centimetres"


@LAYOUTS
def test_windows_that_agree_add_nothing_to_the_bit(layout: Layout) -> None:
    image = picture(83, 150)
    both = lambda windows: torch.cat([100 + pointwise(windows)[:, :1], torch.zeros_like(windows[:, :1])], 1)  # noqa: E731
    variance = blend(image, layout=layout, network=both, spreads=[(0, 1)])[0][1]
    assert set(variance[~variance.isnan()].tolist()) == {0.0}


@LAYOUTS
def test_the_share_of_pixels_that_one_window_decides_is_that_of_the_map(layout: Layout) -> None:
    for rows, columns in ((83, 150), (20, 90), (20, 20)):
        variance = blend(picture(rows, columns), layout=layout, network=network, spreads=[(0, 1)])[0][1]
        share = share_of_lone_pixels(layout(rows), layout(columns))
        assert share == pytest.approx(float(variance.isnan().double().mean()))
    assert share == 1
