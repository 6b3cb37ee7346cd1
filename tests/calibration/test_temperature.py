"""Temperature of class probabilities."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from sklearn.metrics import log_loss

from mtlaerial.calibration.temperature import ClassMargins, fit_temperature, with_temperature

PIXELS = 20_000


def overconfident(temperature: float) -> tuple[np.ndarray, np.ndarray]:
    """Return probabilities whose logits are too large by a factor, shape (classes, pixels), and true classes."""
    random = np.random.default_rng(0)
    logits = random.normal(size=(4, PIXELS))
    true = (logits + random.gumbel(size=logits.shape)).argmax(axis=0)  # drawn from softmax(logits)
    scaled = np.exp(temperature * logits)
    return (scaled / scaled.sum(axis=0)).astype(np.float32), true.astype(np.uint8)


def margins_of(probabilities: np.ndarray, true: np.ndarray) -> ClassMargins:
    margins = ClassMargins()
    for block in np.array_split(np.arange(true.size), 3):
        margins.add(block % 100, probabilities[:, block], true[block])
    return margins


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_factor_on_the_logits_is_found(temperature: float) -> None:
    fit = fit_temperature(margins_of(*overconfident(temperature)))
    assert fit is not None
    assert fit.temperature == pytest.approx(temperature, rel=0.03)
    assert (fit.cells, fit.pixels) == (100, PIXELS)
    assert fit.likelihood_after <= fit.likelihood_before


def test_the_temperature_minimises_the_log_loss() -> None:
    probabilities, true = overconfident(3.0)
    fit = fit_temperature(margins_of(probabilities, true))

    def loss(temperature: float) -> float:
        calibrated = with_temperature(probabilities, temperature).T.astype(np.float64)
        return float(log_loss(true, calibrated / calibrated.sum(axis=1, keepdims=True), labels=range(4)))

    best = minimize_scalar(loss, bounds=(0.5, 6.0), method="bounded").x
    assert fit is not None
    assert fit.temperature == pytest.approx(best, rel=2e-3)  # 200 pixels a cell are all of them
    assert fit.likelihood_after == pytest.approx(loss(fit.temperature), rel=1e-4)
    assert fit.likelihood_before == pytest.approx(loss(1.0), rel=1e-4)


def test_no_class_changes_its_rank_and_probabilities_sum_up_to_one() -> None:
    probabilities, _ = overconfident(1.0)
    calibrated = with_temperature(2 * probabilities, 2.5)
    np.testing.assert_array_equal(calibrated.argmax(axis=0), probabilities.argmax(axis=0))
    np.testing.assert_allclose(calibrated.sum(axis=0), 1, rtol=1e-5)
    assert calibrated.dtype == np.float32
    np.testing.assert_allclose(with_temperature(2 * probabilities, 1.0), probabilities, rtol=1e-4)


def test_pixels_without_a_class_or_a_probability_are_left_out() -> None:
    probabilities, true = overconfident(1.0)
    broken, unlabelled = probabilities.copy(), true.copy()
    broken[1, ::2] = np.nan
    unlabelled[1::4] = 255
    fit = fit_temperature(margins_of(broken, unlabelled))
    assert fit is not None
    assert fit.pixels == PIXELS // 4
    assert np.isnan(with_temperature(broken, 2.0)[:, ::2]).all()
    assert fit_temperature(margins_of(probabilities, np.full_like(true, 255))) is None


def test_pixels_that_are_all_right_or_all_wrong_stop_at_a_bound_and_say_so() -> None:
    probabilities = np.tile(np.float32([[0.9], [0.1]]), 100)
    for true, note in ((0, "lower bound, 0.05"), (1, "upper bound, 20")):
        fit = fit_temperature(margins_of(probabilities, np.full(100, true, np.uint8)))
        assert fit is not None
        assert note in fit.notes[0]
