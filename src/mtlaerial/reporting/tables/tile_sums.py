"""Sums of runs by seed and tile, weighted by area: the units of comparisons."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mtlaerial.scoring.detection import COUNTS
from mtlaerial.scoring.metrics import SUMS, margins, without_true
from mtlaerial.scoring.scores import Scores
from mtlaerial.scoring.tile_scores import TileScores

Source = tuple[str, ...]
"""``classes`` and a mask: margins of the confusion matrices. ``height``, a mask and groups: height sums of all of them.
``detection``: counts. ``sets``: margins of the sets of classes.
``joint`` and a mask: margins of the tiles with both layers; last row: pixels right in both."""


def tile_sums(runs: Sequence[Scores], tiles: Sequence[str], source: Source) -> NDArray[np.float64]:
    """Return the sums of a source, shape (seeds, tiles, …); zeros for a tile without truth.

    Parameters
    ----------
    runs : sequence of Scores
        Runs of one method, one per seed.
    tiles : sequence of str
    source : Source
    """
    rows = []
    for run in runs:
        weights = run.height_weights() if source[0] in ("height", "detection") else run.label_weights()
        rows.append([weights.get(name, 1.0) * _sums(run, run.tiles[name], source) for name in tiles])
    return np.array(rows)


def _sums(run: Scores, tile: TileScores, source: Source) -> NDArray[np.float64]:
    classes = len(run.classes)
    if source[0] == "height":
        groups = tile.height.get(source[1], {})
        sums = np.array([groups.get(name, np.zeros(len(SUMS))) for name in source[2:]], dtype=np.float64)
        total: NDArray[np.float64] = sums.sum(axis=0)
        return total
    if source[0] == "detection":
        return np.array(tile.detection or np.zeros(len(COUNTS)), dtype=np.float64)
    lacking = np.zeros((classes, classes + 1))
    if source[0] == "sets":
        return margins(run.of_sets(np.array(tile.confusion or lacking)))
    left_out = run.left_out(source[1])
    if source[0] == "classes":
        matrix = tile.eroded if run.label_masks[source[1]].eroded else tile.confusion
        return margins(without_true(np.array(matrix or lacking), left_out))
    both = np.array(tile.confusion if tile.near else lacking)
    near = np.array(tile.near or np.zeros(classes), dtype=np.float64)
    near[left_out] = 0
    return np.vstack([margins(without_true(both, left_out)), near])
