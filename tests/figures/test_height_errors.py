"""Shares of the bins of true height in the squared error, by hand."""

from pathlib import Path

import numpy as np
import pytest

from mtlaerial.figures import height_error_figure, read_caption
from mtlaerial.figures.height_errors import error_shares
from support.sample_scores import run, tile


def test_shares_are_pooled_over_tiles_by_area_and_over_seeds() -> None:
    # Below 2 m: errors 1 and 1; from 2 m: error 2. In the second tile, of cells four times as large: 3, and 1.
    tiles = [tile((), [1.0, 1.5, 4.0], [2.0, 0.5, 6.0]), tile((), [0.5, 9.0], [3.5, 8.0], height_area=4.0)]
    shares = error_shares([run("joint", 0, tiles), run("joint", 1, tiles)])
    # Cells below 2 m: 2 + 4 of 11; squared errors below 2 m: 2 + 4 * 9 of 2 + 4 + 4 * (9 + 1).
    assert shares == {"below 2 m": pytest.approx((6 / 11, 38 / 46)), "from 2 m": pytest.approx((5 / 11, 8 / 46))}


def test_without_error_or_heights_there_is_nothing_to_share(tmp_path: Path) -> None:
    (_, below), (_, above) = error_shares([run("right", 0, [tile((), [1.0, 4.0], [1.0, 4.0])])]).values()
    assert np.isnan([below, above]).all()
    classes = run("classes", 0, [tile([[1, 0, 0], [0, 1, 0]])])
    assert error_shares([classes]) == {}
    figure = height_error_figure([classes], tmp_path / "errors.png")
    assert "no heights learned" in figure.axes[0].texts[0].get_text()


def test_the_figure_has_both_shares_of_each_bin(tmp_path: Path) -> None:
    entry = run("joint", 0, [tile((), [1.0, 4.0, 5.0, 6.0], [2.0, 7.0, 5.0, 6.0])], generated=True)
    axes = height_error_figure([entry], tmp_path / "errors.png").axes[0]
    heights = [[bar.get_height() for bar in bars] for bars in axes.containers]
    assert heights == [[25, 75], [pytest.approx(10), pytest.approx(90)]]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["below 2 m", "from 2 m"]
    caption = read_caption(tmp_path / "errors.png")
    assert (caption.dataset, caption.title) == ("town", "Small town (generated data): height errors of joint")
