"""Reliability diagrams and error-retention curves, by hand."""

from pathlib import Path

import numpy as np

from mtlaerial.figures import read_caption, reliability_figure, retention_figure
from mtlaerial.scoring.error_retention import retention_sums
from mtlaerial.scoring.scores import Scores
from mtlaerial.scoring.uncertainty import UncertaintySums
from support.sample_scores import run, tile


def scored(method: str = "joint", seed: int = 0, **sums: object) -> Scores:
    one = tile([[8, 0, 0], [1, 11, 0]], [0.0, 4.0], [0.0, 3.0], uncertainty=UncertaintySums.model_validate(sums))
    return run(method, seed, [one])


def test_bars_are_the_accuracy_in_each_bin_of_probability_over_all_seeds(tmp_path: Path) -> None:
    empty = [(0.0, 0.0, 0.0)]
    first = scored(reliability=[*empty * 14, (60.0, 57.0, 30.0)])
    second = scored(seed=1, reliability=[*empty * 9, (20.0, 13.0, 13.0), *empty * 4, (20.0, 19.0, 10.0)])
    figure = reliability_figure([first, second], tmp_path / "reliability.png")
    assert figure is not None
    (axes,) = figure.axes
    accuracy, share = ([bar.get_height() for bar in bars] for bars in axes.containers)
    assert (round(accuracy[9]), round(accuracy[14]), round(share[9]), round(share[14])) == (65, 50, 20, 80)
    texts = [text.get_text() for text in axes.get_legend().get_texts()]
    assert "calibrated; ECE 36.0 %" in texts  # |40 - 76| of 100 pixels
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("probability of the predicted class (%)", "share (%)")
    caption = read_caption(tmp_path / "reliability.png")
    assert caption.title == "Small town: reliability of joint"
    assert caption.description.endswith("in 15 bins, summed over test tiles and 2 seeds.")


def test_curves_end_at_the_error_of_all_cells_and_the_ideal_one_is_below(tmp_path: Path) -> None:
    error = np.array([0.0] * 50 + [4.0] * 50)
    uncertainty = np.array([1.0] * 25 + [3.0] * 25 + [2.0] * 50)  # a quarter is as certain as it is right
    entry = scored(height_retention=retention_sums(error, uncertainty).tolist())
    figure = retention_figure([entry], tmp_path / "height.png", "heights")
    assert figure is not None
    (axes,) = figure.axes
    by_uncertainty, by_error = (line.get_ydata() for line in axes.lines)
    assert by_error[:50].max() == by_uncertainty[:25].max() == 0
    assert by_uncertainty[49] > by_error[49]
    np.testing.assert_allclose([by_uncertainty[-1], by_error[-1]], np.sqrt(8), rtol=0.01)
    assert axes.get_ylabel() == "RMSE of height (m)"


def test_methods_without_uncertainty_have_no_such_figures(tmp_path: Path) -> None:
    assert reliability_figure([scored()], tmp_path / "a.png") is None
    assert retention_figure([scored()], tmp_path / "b.png", "classes") is None
    assert not list(tmp_path.iterdir())
