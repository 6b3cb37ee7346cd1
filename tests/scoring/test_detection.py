"""F1-HE and PFA: equal to an independent count from their definitions."""

import numpy as np
import pytest

from mtlaerial.scoring.detection import COUNTS, detection_counts, detection_scores


def by_definition(true: np.ndarray, predicted: np.ndarray, tolerance: float) -> tuple[float, float]:
    """Return F1-HE and PFA cell by cell, by precision and recall as in the publication's code."""
    hits = alarms = misses = rejections = 0
    for h, p in zip(true.tolist(), predicted.tolist(), strict=True):
        if np.isnan(h):
            continue
        if p > 1 and h > 1:
            hits += max(p / h, h / p) < tolerance
        elif p > 1:
            alarms += 1
        elif h > 1:
            misses += 1
        else:
            rejections += 1
    precision, recall = hits / (hits + alarms), hits / (hits + misses)
    return 2 * precision * recall / (precision + recall), alarms / (alarms + rejections)


@pytest.mark.parametrize("seed", range(3))
def test_scores_of_objects_are_those_of_their_definition(seed: int) -> None:
    random = np.random.default_rng(seed)
    true = random.choice([0.0, 0.01, 1.0, 3.0, 12.0, np.nan], 500).astype(np.float32)
    predicted = (np.nan_to_num(true) * random.uniform(0.4, 1.8, 500) + random.normal(0, 0.7, 500)).astype(np.float32)
    scores = detection_scores(detection_counts(true, predicted))
    for k in (1, 2, 3):
        f1, pfa = by_definition(true, predicted, 1.25**k)
        assert scores[f"F1-HE{k}"] == pytest.approx(f1)
        assert scores["PFA"] == pytest.approx(pfa)
    assert scores["F1-HE1"] < scores["F1-HE2"] < scores["F1-HE3"]


def test_counts_by_hand() -> None:
    true = np.array([0.0, 1.0, 1.0, 5.0, 5.0, 5.0, np.nan], np.float32)
    predicted = np.array([-1.0, 1.0, 1.1, 0.5, 6.0, 9.0, 7.0], np.float32)
    counts = dict(zip(COUNTS, detection_counts(true, predicted).tolist(), strict=True))
    assert counts == {
        "found": 2, "close1": 1, "close2": 1, "close3": 2, "false_alarms": 1, "misses": 1, "rejections": 2,
    }  # fmt: skip


def test_objects_found_with_wrong_heights_alone_score_zero_and_no_ground_has_no_false_alarms() -> None:
    high = np.full(4, 10, np.float32)
    scores = detection_scores(detection_counts(high, 3 * high))
    assert scores["F1-HE3"] == 0
    assert np.isnan(scores["PFA"])
    assert np.isnan(detection_scores(detection_counts(np.zeros(4, np.float32), np.zeros(4, np.float32)))["F1-HE1"])
