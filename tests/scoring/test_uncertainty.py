"""Scores of uncertainty: sums that add up, and their scores against independent computations pixel by pixel."""

import json
from typing import Any

import numpy as np
import pytest

from mtlaerial.scoring.coverage import coverage_scores, interval_sums
from mtlaerial.scoring.error_retention import RETAINED, retention_curve, retention_sums, sparsification_error
from mtlaerial.scoring.reliability import BINS, calibration_error, reliability_diagram, reliability_sums
from mtlaerial.scoring.uncertainty import (
    UncertaintySums,
    class_sums,
    entropy,
    height_sums_of,
    pooled_uncertainty,
    uncertainty_scores,
)

PIXELS = 4000


def probabilities(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    scores = random.dirichlet((0.5, 0.5, 0.5), PIXELS).T.astype(np.float32)
    return scores, random.integers(0, 3, PIXELS).astype(np.uint8)


def heights(seed: int = 0) -> dict[str, Any]:
    random = np.random.default_rng(seed)
    true = random.gamma(1, 5, PIXELS).astype(np.float32)
    deviation = random.gamma(2, 0.5, PIXELS).astype(np.float32)
    predicted = (true + random.normal(0, 1, PIXELS) * deviation).astype(np.float32)
    bounds = {"80 %": (predicted - deviation, predicted + deviation)}
    classes = random.integers(0, 3, PIXELS)  # the third is none
    return {"true": true, "predicted": predicted, "deviation": deviation, "bounds": bounds, "classes": classes}


def sums_of(values: dict[str, Any], part: slice = slice(None)) -> UncertaintySums:
    cut = {name: array[part] for name, array in values.items() if name != "bounds"}
    bounds = {level: tuple(array[part] for array in pair) for level, pair in values["bounds"].items()}
    return height_sums_of(**cut, bounds=bounds, names=("road", "house"), bins=(2.0, 10.0))


def test_ece_is_the_weighted_gap_between_accuracy_and_confidence() -> None:
    scores, true = probabilities()
    confidence, hits = scores.max(axis=0), scores.argmax(axis=0) == true
    expected = 0.0
    for low in range(BINS):
        inside = (confidence > low / BINS) & (confidence <= (low + 1) / BINS)
        if inside.any():
            expected += inside.mean() * abs(hits[inside].mean() - confidence[inside].mean())
    sums = reliability_sums(scores, true)
    assert calibration_error(sums) == pytest.approx(expected, abs=1e-5)
    assert calibration_error(np.stack([sums, 2 * sums])) == pytest.approx([expected, expected], abs=1e-5)
    diagram = reliability_diagram(sums)
    assert np.nansum(diagram[:, 0]) == pytest.approx(1)
    assert diagram[-1] == pytest.approx([(confidence > 14 / 15).mean(), *_means(confidence, hits)], abs=1e-5)


def _means(confidence: np.ndarray, hits: np.ndarray) -> tuple[float, float]:
    inside = confidence > 14 / 15
    return confidence[inside].mean(), hits[inside].mean()


def test_scores_that_do_not_sum_up_to_one_are_divided_by_their_sum() -> None:
    scores, true = probabilities()
    np.testing.assert_allclose(reliability_sums(7 * scores, true), reliability_sums(scores, true), atol=1e-3)
    np.testing.assert_allclose(entropy(7 * scores), entropy(scores), atol=1e-6)
    assert entropy(np.float32([[1, 0.5], [0, 0.5]])) == pytest.approx([0, 1], abs=1e-6)


def test_pixels_without_truth_or_probabilities_have_no_confidence() -> None:
    scores, true = probabilities()
    true[:100], scores[0, 100:200], scores[:, 200:300] = 255, np.nan, 0
    assert reliability_sums(scores, true)[:, 0].sum() == PIXELS - 300
    retention = np.array(class_sums(scores, true).class_retention)
    assert retention[0, :, 0].sum() == PIXELS - 100
    assert retention[0, -1].tolist() == [200, 200, 200]  # the most uncertain, and wrong


def test_coverage_and_width_are_those_of_the_cells_of_a_group() -> None:
    true = np.float32([1, 2, 3, 4, np.nan, 6, 7])
    lower, upper = np.float32([1, 0, 4, 3, 0, np.nan, 0]), np.float32([2, 2, 6, 4, 9, 8, 9])
    groups = np.array([0, 0, 0, 1, 1, 1, 5])
    sums = interval_sums(true, lower, upper, groups, 3)
    assert sums.tolist() == [[3, 3, 2, 5], [2, 1, 1, 1], [0, 0, 0, 0]]  # bounds belong to the interval
    scores = coverage_scores(sums)
    np.testing.assert_allclose(scores["coverage"], [2 / 3, 0.5, np.nan])
    np.testing.assert_allclose(scores["width"], [5 / 3, 1, np.nan])


@pytest.mark.parametrize("score", ["MAE", "RMSE"])
def test_ause_is_that_of_sorted_pixels(score: str) -> None:
    values = heights()
    error, deviation = abs(values["predicted"] - values["true"]).astype(float), values["deviation"]

    def curve(order: np.ndarray) -> np.ndarray:
        """Return the error of the most certain pixels, one more at a time."""
        powers = error[order] ** (2 if score == "RMSE" else 1)
        means = np.cumsum(powers) / np.arange(1, PIXELS + 1)
        return np.sqrt(means) if score == "RMSE" else means

    by_deviation, by_error = curve(deviation.argsort()), curve(error.argsort())
    expected = (by_deviation - by_error).mean() / by_error[-1]
    sums = retention_sums(error, deviation)
    assert sparsification_error(sums, score) == pytest.approx(expected, abs=0.01)
    exact = by_deviation[(RETAINED * PIXELS).astype(int)]
    np.testing.assert_allclose(retention_curve(sums[0], score)[20:], exact[20:], rtol=0.05)


def test_ause_tells_apart_the_pixels_of_an_overconfident_network() -> None:
    wrong = np.arange(100) >= 90
    tiny = np.where(wrong, 1e-5, 1e-6)
    assert sparsification_error(retention_sums(wrong.astype(float), tiny), "MAE") == pytest.approx(0, abs=1e-9)


def test_ause_orders_uncertainties_by_what_they_know() -> None:
    values = heights()
    error = abs(values["predicted"] - values["true"]).astype(float)
    random = np.random.default_rng(1).random(PIXELS)
    areas = [
        sparsification_error(retention_sums(error, order), "MAE") for order in (error, values["deviation"], random)
    ]
    assert areas[0] == pytest.approx(0, abs=1e-9)
    assert areas[0] < areas[1] < areas[2]
    constant = sparsification_error(retention_sums(error, np.ones(PIXELS)), "MAE")
    assert constant == pytest.approx(areas[2], abs=0.03)


def test_cells_without_uncertainty_count_as_the_most_uncertain() -> None:
    error, uncertainty = np.array([1.0, 3.0, np.nan]), np.array([0.5, np.nan, 0.5])
    sums = retention_sums(error, uncertainty)
    assert sums[0, -1].tolist() == [1, 3, 9]
    assert sums[0].sum(axis=0).tolist() == [2, 4, 10]


def test_without_cells_or_errors_there_is_no_ause() -> None:
    assert np.isnan(sparsification_error(retention_sums(np.array([np.nan]), np.ones(1)), "MAE"))
    assert np.isnan(sparsification_error(retention_sums(np.zeros(5), np.ones(5)), "RMSE"))


def test_heights_are_grouped_by_class_and_by_true_and_predicted_height() -> None:
    values = heights()
    scores = {(group, name): value for group, name, value in uncertainty_scores(sums_of(values))}
    lower, upper = values["bounds"]["80 %"]
    covered = (lower <= values["true"]) & (values["true"] <= upper)
    groups = {
        "overall": np.ones(PIXELS, bool),
        "class house": values["classes"] == 1,
        "2-10 m": (values["true"] >= 2) & (values["true"] < 10),
        "predicted from 10 m": values["predicted"] >= 10,
    }
    for group, cells in groups.items():
        assert scores[group, "coverage 80 %"] == pytest.approx(covered[cells].mean())
        assert scores[group, "width 80 %"] == pytest.approx((upper - lower)[cells].mean(), rel=1e-5)
    assert {"AUSE, MAE", "AUSE, RMSE"} <= {name for _, name in scores}


def test_sums_of_blocks_and_tiles_add_up_by_area() -> None:
    values, (scores, true) = heights(), probabilities()
    whole = sums_of(values).plus(class_sums(scores, true))
    blocks = UncertaintySums()
    for part in (slice(0, 1500), slice(1500, None)):
        blocks = blocks.plus(sums_of(values, part)).plus(class_sums(scores[:, part], true[part]))
    names, values_of_blocks = _named(blocks)
    assert names == _named(whole)[0]
    np.testing.assert_allclose(values_of_blocks, _named(whole)[1], rtol=1e-9)


def _named(sums: UncertaintySums) -> tuple[list[tuple[str, str]], list[float]]:
    scores = uncertainty_scores(sums)
    return [(group, name) for group, name, _ in scores], [value for _, _, value in scores]


def test_tiles_weigh_by_the_area_of_their_cells() -> None:
    first, second = sums_of(heights(0)), sums_of(heights(1))
    pooled = pooled_uncertainty({"a": first, "b": second}, {}, {"a": 1.0, "b": 4.0})
    expected = np.array(first.intervals["80 %"]["overall"]) + 4 * np.array(second.intervals["80 %"]["overall"])
    np.testing.assert_allclose(pooled.intervals["80 %"]["overall"], expected)
    labels = pooled_uncertainty({"a": class_sums(*probabilities(0))}, {"a": 4.0}, {})
    assert np.array(labels.reliability)[:, 0].sum() == 4 * PIXELS


def test_sums_survive_json() -> None:
    sums = sums_of(heights()).plus(class_sums(*probabilities()))
    assert UncertaintySums.model_validate(json.loads(sums.model_dump_json())) == sums


def test_a_predictor_without_deviation_has_no_ause() -> None:
    values = {**heights(), "deviation": None}
    sums = height_sums_of(**values, names=("road", "house"), bins=(2.0,))
    assert not [name for _, name, _ in uncertainty_scores(sums) if name.startswith("AUSE")]
