"""Scores made by hand, for the tests of tables, figures and report."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from mtlaerial.scoring.detection import detection_counts
from mtlaerial.scoring.metrics import MASKS, SUMS, height_sums
from mtlaerial.scoring.scores import Scores
from mtlaerial.scoring.tile_scores import TileScores
from mtlaerial.scoring.tile_sums import TALL_GROUP

CLASSES = ("road", "house")


def tile(
    confusion: Sequence[Sequence[int]] = (),
    true: Sequence[float] = (),
    predicted: Sequence[float] = (),
    eroded: Sequence[Sequence[int]] = (),
    **changes: object,
) -> TileScores:
    """Make a tile's scores from confusion matrices and a few heights; the training median is 1 m."""
    labels, away = (tuple(map(tuple, matrix)) for matrix in (confusion, eroded))
    sums = heights(true, predicted) if true else {}
    return TileScores(confusion=labels, eroded=away, **sums, **changes)


def heights(true: Sequence[float], predicted: Sequence[float]) -> dict[str, object]:
    """Make the sums of a few heights, all in bins, none in a class, and those of the training median of 1 m."""
    h, p = np.array(true, np.float32), np.array(predicted, np.float32)
    names = ("overall", TALL_GROUP)
    sums: dict[str, Any] = {}
    for field, heights_of in (("height", p), ("constant", np.ones_like(h))):
        overall = height_sums(h, heights_of, np.zeros(h.size, int), 1)
        tall = height_sums(h, heights_of, np.where(h > 3, 0, -1), 1)
        groups = {mask: dict(zip(names, (overall[mask][0], tall[mask][0]), strict=True)) for mask in MASKS}
        sums[field] = groups
    bins = height_sums(h, p, np.digitize(h, [2.0]), 2)
    for mask in MASKS:
        sums["height"][mask] |= dict(zip(("below 2 m", "from 2 m"), bins[mask], strict=True))
        sums["height"][mask] |= {"class road": sums["height"][mask]["overall"], "class house": np.zeros(len(SUMS))}
    for field in ("height", "constant"):
        sums[field] = {mask: {name: tuple(row) for name, row in groups.items()} for mask, groups in sums[field].items()}
    detection = {"detection": p, "constant_detection": np.ones_like(h)}
    return sums | {field: tuple(detection_counts(h, heights_of)) for field, heights_of in detection.items()}


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
