"""Matching of objects: one to one by geometry, against the overlap of all pairs."""

import itertools

import numpy as np
import pytest
import shapely
from shapely.affinity import rotate, scale, translate

from mtlaerial.objects.matching import match_objects, rotation_errors


def boxes(*bounds: tuple[float, float, float, float]) -> np.ndarray:
    return np.array([shapely.box(*each) for each in bounds], dtype=object)


def test_random_boxes_match_as_all_pairs_say() -> None:
    random = np.random.default_rng(0)
    true = boxes(*((x, y, x + 9, y + 9) for x, y in itertools.product(range(0, 200, 10), repeat=2)))
    shifts = random.uniform(-4, 4, (len(true), 2))
    predicted = np.array([translate(box, *shift) for box, shift in zip(true, shifts, strict=True)])
    shuffled = random.permutation(len(true))
    matches = match_objects(predicted[shuffled], true)
    # Of a square of side 9 that is shifted by (a, b): I = (9 - a)(9 - b), U = 162 - I.
    shared = np.prod(9 - abs(shifts), axis=1)
    iou = shared / (162 - shared)
    expected = {(int(np.flatnonzero(shuffled == index)[0]), index) for index in np.flatnonzero(iou >= 0.5)}
    assert {*zip(matches.predicted.tolist(), matches.true.tolist(), strict=True)} == expected
    assert 50 < len(expected) < 350
    np.testing.assert_allclose(matches.iou, iou[matches.true])


def test_an_overlap_of_exactly_half_matches_once() -> None:
    matches = match_objects(boxes((0, 0, 10, 10)), boxes((0, 0, 5, 10), (5, 0, 10, 10)))
    assert (matches.predicted.tolist(), matches.true.tolist(), matches.iou.tolist()) == ([0], [0], [0.5])
    less = match_objects(boxes((0, 0, 10, 10)), boxes((0, 0, 4.99, 10)))
    assert len(less.iou) == 0


def test_of_overlapping_objects_the_best_pair_matches() -> None:
    true = boxes((0, 0, 10, 10))
    predicted = boxes((0, 0, 10, 8), (0, 0, 10, 9), (30, 30, 40, 40))
    matches = match_objects(predicted, true)
    assert (matches.predicted.tolist(), matches.true.tolist()) == ([1], [0])


def test_no_objects_match_nothing() -> None:
    empty, one = np.array([], dtype=object), boxes((0, 0, 1, 1))
    for predicted, true in ((empty, one), (one, empty), (empty, empty)):
        assert len(match_objects(predicted, true).iou) == 0
    assert len(rotation_errors(empty, empty)) == 0


@pytest.mark.parametrize(
    ("first", "second", "error"),
    [(0, 10, 10), (5, 95, 0), (10, 60, 40), (80, -5, 5), (0, 45, 45), (89, 1, 2), (179, 0, 1)],
)
def test_rotation_errors_are_modulo_a_right_angle(first: float, second: float, error: float) -> None:
    ell = shapely.Polygon([(0, 0), (20, 0), (20, 8), (7, 8), (7, 12), (0, 12)])
    pair = [np.array([rotate(shape, angle)]) for shape, angle in ((ell, first), (scale(ell, 1.3, 1.3), second))]
    assert rotation_errors(*pair)[0] == pytest.approx(error, abs=1e-6)
