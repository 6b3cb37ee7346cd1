"""Scores made by hand, for the tests of tables, figures and report."""

from collections.abc import Sequence

import numpy as np

from mtlaerial.scoring.metrics import MASKS, height_sums
from mtlaerial.scoring.scores import Scores
from mtlaerial.scoring.tile_scores import TileScores

CLASSES = ("road", "house")


def tile(
    confusion: Sequence[Sequence[int]] = (),
    true: Sequence[float] = (),
    predicted: Sequence[float] = (),
    eroded: Sequence[Sequence[int]] = (),
) -> TileScores:
    """Make a tile's scores from confusion matrices and a few heights; the training median is 1 m."""
    height, constant = {}, {}
    if true:
        h = np.array(true, np.float32)
        bins = height_sums(h, np.array(predicted, np.float32), np.digitize(h, [2.0]), 2)
        overall = height_sums(h, np.array(predicted, np.float32), np.zeros(h.size, int), 1)
        median = height_sums(h, np.ones_like(h), np.zeros(h.size, int), 1)
        for mask in MASKS:
            rows = (overall[mask][0], *bins[mask], overall[mask][0], np.zeros(9))
            names = ("overall", "below 2 m", "from 2 m", "class road", "class house")
            height[mask] = {name: tuple(row) for name, row in zip(names, rows, strict=True)}
            constant[mask] = {"overall": tuple(median[mask][0])}
    labels, away = (tuple(map(tuple, matrix)) for matrix in (confusion, eroded))
    return TileScores(confusion=labels, eroded=away, height=height, constant=constant)


def run(method: str, seed: int, tiles: Sequence[TileScores], **changes: object) -> Scores:
    """Return a run's scores; its tasks follow from its tiles."""
    tasks = [task for task in ("semantics", "height") if getattr(tiles[0], task.replace("semantics", "confusion"))]
    values = {
        "dataset": "town",
        "title": "Small town",
        "generated": False,
        "method": method,
        "seed": seed,
        "tasks": tuple(tasks),
        "weighting": "equal",
        "classes": CLASSES,
        "training_pixels": (10, 90),
        "mtlaerial": "0.1.0",
        "code": "abc",
        "tiles": {f"t{number}": entry for number, entry in enumerate(tiles)},
    }
    return Scores.model_validate(values | changes)


def experiment() -> list[Scores]:
    """Make two single-task methods and a joint one, two seeds each."""
    heights = {1: [0.0, 3.0, 6.0], 2: [0.0, 5.0, 6.0]}
    matrices = {1: [[6, 2, 0], [1, 11, 0]], 2: [[7, 1, 0], [2, 10, 0]]}
    true = [0.0, 4.0, 8.0]
    runs = [run("only-classes", seed, [tile(matrices[seed])]) for seed in (1, 2)]
    runs += [run("only-height", seed, [tile((), true, heights[seed])]) for seed in (1, 2)]
    better = {1: [0.0, 3.5, 7.0], 2: [0.0, 4.0, 7.0]}
    runs += [run("joint", seed, [tile([[8, 0, 0], [1, 11, 0]], true, better[seed])]) for seed in (1, 2)]
    return runs
