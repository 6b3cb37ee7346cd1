"""mIoU-3: equal to an independent count from the contest's definition, also between grids."""

from pathlib import Path

import numpy as np
import pytest

from mtlaerial.config import IGNORED
from mtlaerial.scoring.joint import iou3_scores, tally_joint
from mtlaerial.scoring.metrics import confusion_matrix, margins
from support import tiny

CLASSES = 4


def by_definition(true: np.ndarray, predicted: np.ndarray, h: np.ndarray, p: np.ndarray, classes: int) -> list[float]:
    """Return IoU-3 of each class, from masks: a hit is right in class, and in height where that is known."""
    labelled = true < classes
    near = np.isnan(h) | (np.abs(p - h) < 1)
    scores = []
    for code in range(classes):
        hits = np.sum(labelled & (true == code) & (predicted == code) & near)
        alarms = np.sum(labelled & (true != code) & (predicted == code))
        misses = np.sum(labelled & (true == code) & (predicted != code))
        scores.append(hits / (hits + alarms + misses))
    return scores


def maps(seed: int, size: int = 40) -> tuple[np.ndarray, ...]:
    random = np.random.default_rng(seed)
    true = random.choice([*range(CLASSES), IGNORED], (size, size)).astype(np.uint8)
    predicted = np.where(random.random(true.shape) < 0.7, true, random.integers(0, CLASSES, true.shape))
    h = random.uniform(0, 9, true.shape).astype(np.float32)
    p = (h + random.normal(0, 1, h.shape)).astype(np.float32)
    h[random.random(h.shape) < 0.1] = np.nan
    return true, predicted.clip(max=CLASSES - 1).astype(np.uint8), h, p


def write(folder: Path, true: np.ndarray, predicted: np.ndarray, h: np.ndarray, p: np.ndarray, pixel: float) -> None:
    """Write a tile and its maps; labels have pixels of 0.5 m."""
    tiny.write_raster(folder / "labels.tif", true, 0.5)
    tiny.write_raster(folder / "height.tif", h, pixel)
    tiny.write_raster(folder / "maps" / "semantics.tif", predicted, 0.5)
    tiny.write_raster(folder / "maps" / "height.tif", p, pixel)


@pytest.mark.parametrize("seed", range(3))
def test_joint_score_is_the_contest_s(tmp_path: Path, seed: int) -> None:
    true, predicted, h, p = maps(seed)
    write(tmp_path, true, predicted, h, p, 0.5)
    near, _ = tally_joint(tmp_path / "maps", tmp_path, CLASSES, 1.0)
    sums = margins(confusion_matrix(true, predicted, CLASSES))
    expected = np.mean(by_definition(true, predicted, h, p, CLASSES))
    assert iou3_scores(sums, np.array(near, dtype=np.float64)) == pytest.approx(expected)


@pytest.mark.parametrize("ratio", [2, 4])
def test_coarser_heights_are_looked_up_at_the_pixels_centres(tmp_path: Path, ratio: int) -> None:
    true, predicted, h, p = maps(0)
    h, p = h[: 40 // ratio, : 40 // ratio], p[: 40 // ratio, : 40 // ratio]
    write(tmp_path, true, predicted, h, p, 0.5 * ratio)
    near, _ = tally_joint(tmp_path / "maps", tmp_path, CLASSES, 1.0)
    fine_h, fine_p = (np.kron(layer, np.ones((ratio, ratio), np.float32)) for layer in (h, p))
    sums = margins(confusion_matrix(true, predicted, CLASSES))
    expected = np.mean(by_definition(true, predicted, fine_h, fine_p, CLASSES))
    assert iou3_scores(sums, np.array(near, dtype=np.float64)) == pytest.approx(expected)


def test_pixels_beyond_the_heights_are_judged_by_their_class(tmp_path: Path) -> None:
    true, predicted, h, p = maps(0)
    write(tmp_path, true, predicted, h[:20, :20] * 0, p[:20, :20] * 0 + 5, 0.5)
    near, _ = tally_joint(tmp_path / "maps", tmp_path, CLASSES, 1.0)
    beyond = np.ones(true.shape, bool)
    beyond[:20, :20] = np.isnan(h[:20, :20])
    assert sum(near) == np.sum((true == predicted) & (true < CLASSES) & beyond)


def test_constant_heights_are_near_where_the_truth_is(tmp_path: Path) -> None:
    true, predicted, h, p = maps(0)
    write(tmp_path, true, predicted, h, p, 0.5)
    _, constant = tally_joint(tmp_path / "maps", tmp_path, CLASSES, 4.0)
    near = np.isnan(h) | (np.abs(h - 4) < 1)
    assert list(constant) == [np.sum((true == code) & near) for code in range(CLASSES)]


def test_tiles_without_heights_have_no_joint_score(tmp_path: Path) -> None:
    true, predicted, h, p = maps(0)
    write(tmp_path, true, predicted, np.full_like(h, np.nan), p, 0.5)
    assert tally_joint(tmp_path / "maps", tmp_path, CLASSES, 1.0) == ((), ())


def test_absent_classes_enter_no_mean_and_a_class_of_wrong_heights_scores_zero() -> None:
    sums = margins(np.array([[4, 0, 1, 0], [0, 2, 0, 0], [0, 0, 0, 0]]))
    assert iou3_scores(sums, np.array([3.0, 0.0, 0.0])) == pytest.approx((3 / 4 + 0) / 2)
