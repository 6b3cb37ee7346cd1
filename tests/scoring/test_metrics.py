"""Scores: equal to scikit-learn's and to the formulas; sums add up over any parts of the data."""

import numpy as np
import pytest
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    cohen_kappa_score,
    f1_score,
    jaccard_score,
    mean_absolute_error,
    mean_squared_error,
)
from sklearn.metrics import confusion_matrix as sklearn_confusion

from mtlaerial.config import IGNORED
from mtlaerial.scoring.metrics import (
    MASKS,
    SUMS,
    confusion_matrix,
    height_scores,
    height_sums,
    semantic_scores,
)

NAMES = ["a", "b", "c", "d", "e"]


def random_classes(seed: int, true: list[int], predicted: list[int]) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    t = random.choice(true, 600).astype(np.uint8)
    p = np.where(random.random(600) < 0.6, t, random.choice(predicted, 600)).astype(np.uint8)
    return t, np.where(np.isin(p, predicted), p, predicted[0]).astype(np.uint8)


CASES = {
    "all classes": ([0, 1, 2, 3, 4], [0, 1, 2, 3, 4]),
    "a class never predicted": ([0, 1, 2, 3, 4], [0, 1, 2, 3]),
    "a class that does not occur": ([0, 1, 2, 3], [0, 1, 2, 3, 4]),
    "a class in neither": ([0, 1, 3, 4], [0, 1, 3, 4]),
}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("case", CASES)
def test_semantic_scores_are_scikit_learn_s(seed: int, case: str) -> None:
    true, predicted = random_classes(seed, *CASES[case])
    matrix = confusion_matrix(true, predicted, 5)
    np.testing.assert_array_equal(matrix[:, :5], sklearn_confusion(true, predicted, labels=range(5)))
    scores = semantic_scores(matrix, NAMES)
    present = sorted(set(true))  # a class that is predicted only has no score: those pixels are errors of their classes
    options = {"labels": present, "average": None, "zero_division": 0}
    f1, iou = f1_score(true, predicted, **options), jaccard_score(true, predicted, **options)
    recalls = [np.mean(predicted[true == code] == code) for code in sorted(set(true))]
    expected = {
        "OA": accuracy_score(true, predicted),
        "AA": np.mean(recalls),
        "kappa": cohen_kappa_score(true, predicted),
        "mIoU": iou.mean(),
        "F1": f1.mean(),
    }
    for index, code in enumerate(present):
        expected[f"F1 {NAMES[code]}"] = f1[index]
        expected[f"IoU {NAMES[code]}"] = iou[index]
    assert scores.keys() == expected.keys()
    assert scores == pytest.approx(expected)
    if set(predicted) <= set(true):
        assert scores["AA"] == pytest.approx(balanced_accuracy_score(true, predicted))


def test_pixels_without_a_class_are_left_out_and_those_without_a_prediction_are_wrong() -> None:
    true = np.array([0, 0, 1, IGNORED], np.uint8)
    predicted = np.array([0, IGNORED, 1, 0], np.uint8)
    matrix = confusion_matrix(true, predicted, 2)
    assert matrix.tolist() == [[1, 0, 1], [0, 1, 0]]
    scores = semantic_scores(matrix, ["a", "b"])
    assert scores["OA"] == pytest.approx(2 / 3)
    assert scores["AA"] == pytest.approx(3 / 4)
    assert scores["IoU a"] == pytest.approx(1 / 2)
    assert scores["F1 a"] == pytest.approx(2 / 3)
    assert scores["kappa"] == pytest.approx((2 / 3 - 1 / 3) / (1 - 1 / 3))


def test_confusions_of_parts_add_up_to_that_of_the_whole() -> None:
    true, predicted = random_classes(0, *CASES["all classes"])
    whole = confusion_matrix(true, predicted, 5)
    parts = [confusion_matrix(t, p, 5) for t, p in zip(np.split(true, 4), np.split(predicted, 4), strict=True)]
    np.testing.assert_array_equal(sum(parts), whole)
    assert whole.sum() == 600


def test_without_truth_there_are_no_scores() -> None:
    assert semantic_scores(np.zeros((2, 3), np.int64), ["a", "b"]) == {}
    assert height_scores(np.zeros(len(SUMS))) == {}


def test_a_perfect_map_of_one_class() -> None:
    scores = semantic_scores(np.array([[5, 0, 0], [0, 0, 0]]), ["a", "b"])
    assert (scores["OA"], scores["AA"], scores["mIoU"], scores["kappa"]) == (1, 1, 1, 0)
    assert "IoU b" not in scores


def heights(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    true = random.normal(6, 8, 400).astype(np.float32)
    true[:20] = 0
    true[20:40] = np.nan
    predicted = (np.nan_to_num(true) + random.normal(0.5, 3, 400)).astype(np.float32)
    return true, predicted, random.integers(0, 4, 400)


def test_height_scores_are_the_formulas() -> None:
    true, predicted, _ = heights()
    sums = height_sums(true, predicted, np.zeros(400, int), 1)
    valid = np.isfinite(true)
    h, p = true[valid].astype(float), predicted[valid].astype(float)
    positive = h > 0
    ratio = np.where(p > 0, np.maximum(p / np.where(positive, h, 1), np.where(positive, h, 1) / p), np.inf)[positive]
    scores = height_scores(sums["all"][0])
    assert scores["MAE"] == pytest.approx(mean_absolute_error(h, p))
    assert scores["RMSE"] == pytest.approx(np.sqrt(mean_squared_error(h, p)))
    assert scores["bias"] == pytest.approx((p - h).mean())
    assert scores["REL"] == pytest.approx((abs(p - h)[positive] / h[positive]).mean())
    for k in (1, 2, 3):
        assert scores[f"delta{k}"] == pytest.approx((ratio < 1.25**k).mean())
    scores = height_scores(sums["positive"][0])
    assert scores["MAE"] == pytest.approx(mean_absolute_error(h[positive], p[positive]))
    assert scores["RMSE"] == pytest.approx(np.sqrt(mean_squared_error(h[positive], p[positive])))


def test_the_original_s_mask_ends_at_9000_metres() -> None:
    true = np.array([-1, 0, 1, 8999, 9000], np.float32)
    sums = height_sums(true, true, np.zeros(5, int), 1)
    assert sums["all"][0][SUMS.index("cells")] == 5
    assert sums["positive"][0][SUMS.index("cells")] == 2


def test_accuracies_within_a_ratio_count_both_ways_and_no_negative_prediction() -> None:
    true = np.full(6, 10, np.float32)
    predicted = np.array([12.4, 12.6, 8.1, 7.9, -10, 0], np.float32)
    sums = height_sums(true, predicted, np.zeros(6, int), 1)["all"][0]
    assert [sums[SUMS.index(f"delta{k}")] for k in (1, 2, 3)] == [2, 4, 4]


def test_groups_and_parts_add_up() -> None:
    true, predicted, groups = heights()
    whole = height_sums(true, predicted, np.zeros(400, int), 1)
    by_group = height_sums(true, predicted, groups, 4)
    parts = [height_sums(true[i::3], predicted[i::3], groups[i::3], 4) for i in range(3)]
    for mask in MASKS:
        np.testing.assert_allclose(by_group[mask].sum(axis=0), whole[mask][0])
        np.testing.assert_allclose(sum(part[mask] for part in parts), by_group[mask])
        only = height_sums(true[groups == 2], predicted[groups == 2], np.zeros((groups == 2).sum(), int), 1)
        np.testing.assert_allclose(by_group[mask][2], only[mask][0])


def test_cells_of_no_group_are_left_out() -> None:
    sums = height_sums(np.ones(3, np.float32), np.ones(3, np.float32), np.array([0, IGNORED, -1]), 2)
    assert sums["all"][:, 0].tolist() == [1, 0]
