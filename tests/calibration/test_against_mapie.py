"""Intervals with one score per unit, against MAPIE: plain and conditional split conformal prediction."""

import numpy as np
import pytest
from mapie.conditional_conformal_prediction import ConditionalSplitConformalRegressor
from mapie.regression import SplitConformalRegressor
from sklearn.base import BaseEstimator, RegressorMixin

from mtlaerial.calibration.height_errors import HeightErrors
from mtlaerial.calibration.intervals import calibrate_heights, height_interval

EDGES = (2.0, 10.0)
LEVELS = [0.5, 0.8, 0.9]
HEIGHTS = np.array([1.0, 5.0, 30.0])
"""A predicted height of each bin."""


class Identity(RegressorMixin, BaseEstimator):
    """A regressor whose only feature is the predicted height."""

    def fit(self, features: np.ndarray, targets: np.ndarray) -> "Identity":
        """Learn nothing."""
        self.n_features_in_ = 1
        return self

    def predict(self, features: np.ndarray) -> np.ndarray:
        """Return the feature."""
        heights: np.ndarray = features[:, 0]
        return heights


def heights(cells: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return predicted and true heights of one pixel in each of some cells; taller ones have larger errors."""
    random = np.random.default_rng(seed)
    predicted = random.choice(HEIGHTS, cells)
    true = predicted + random.normal(size=cells) * (0.2 + 0.1 * predicted)
    return predicted.astype(np.float32), true.astype(np.float32)


def half_widths(predicted: np.ndarray, true: np.ndarray, edges: tuple[float, ...]) -> np.ndarray:
    """Return half the widths of our intervals, shape (heights, levels)."""
    errors = HeightErrors(edges)
    errors.add(np.arange(len(true)), predicted, true)
    calibration = calibrate_heights(errors, LEVELS)
    bounds = [height_interval(calibration, level, HEIGHTS.astype(np.float32)) for level in LEVELS]
    return np.stack([(upper - lower) / 2 for lower, upper in bounds], axis=1)


def half_widths_of(regressor: SplitConformalRegressor, predicted: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Return half the widths of MAPIE's intervals, shape (heights, levels)."""
    # In float64, as it does not take float32 for the same number.
    regressor.conformalize(predicted.astype(np.float64)[:, None], true.astype(np.float64))
    _, intervals = regressor.predict_interval(HEIGHTS[:, None])
    return np.asarray((intervals[:, 1] - intervals[:, 0]) / 2)


@pytest.mark.parametrize("cells", [59, 60, 200])
def test_without_bins_widths_are_those_of_split_conformal_prediction(cells: int) -> None:
    predicted, true = heights(cells, seed=cells)
    regressor = SplitConformalRegressor(Identity().fit(predicted, true), LEVELS, prefit=True)
    np.testing.assert_allclose(half_widths(predicted, true, ()), half_widths_of(regressor, predicted, true), rtol=1e-4)


@pytest.mark.parametrize("cells", [59, 60, 200])
def test_widths_by_bin_are_those_of_conditional_split_conformal_prediction(cells: int) -> None:
    predicted, true = heights(cells, seed=cells)

    def bins(features: np.ndarray) -> np.ndarray:
        return np.eye(len(HEIGHTS))[np.digitize(features[:, 0], EDGES)]

    estimator = Identity().fit(predicted, true)
    regressor = ConditionalSplitConformalRegressor(bins, estimator, LEVELS, prefit=True)
    widths = half_widths(predicted, true, EDGES)
    assert (widths[2] > 3 * widths[0]).all()
    np.testing.assert_allclose(widths, half_widths_of(regressor, predicted, true), rtol=1e-4)
