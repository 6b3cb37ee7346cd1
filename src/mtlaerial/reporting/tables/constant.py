"""The constant prediction, which every method must beat, scored as if it were a run."""

from collections.abc import Sequence

from mtlaerial.scoring.scores import Scores, TileScores
from mtlaerial.scoring.tile_sums import Confusion

CONSTANT = "constant"
"""The method that always predicts the majority class and the median height of the training tiles."""


def constant_run(runs: Sequence[Scores]) -> Scores:
    """Return the scores of the constant prediction.

    Parameters
    ----------
    runs : sequence of Scores
        All of one data set. The truth is the same for all, so the first serves that has it and knows its training
        tiles; its seed means nothing.
    """
    labelled_runs = [run for run in runs if run.confusion().any() and any(run.training_pixels)]
    semantics = labelled_runs[0] if labelled_runs else runs[0]
    height = next((run for run in runs if run.height("all", CONSTANT)), runs[0])
    majority = max(range(len(semantics.classes)), key=semantics.training_pixels.__getitem__, default=0)
    tiles = {}
    for name in dict.fromkeys((*semantics.tiles, *height.tiles)):
        labelled = semantics.tiles.get(name, TileScores()) if labelled_runs else TileScores()
        measured = height.tiles.get(name, TileScores())
        tiles[name] = TileScores(
            confusion=_all_in(majority, labelled.confusion),
            eroded=_all_in(majority, labelled.eroded),
            height=measured.constant,
        )
    return semantics.model_copy(update={"method": CONSTANT, "tiles": tiles})


def _all_in(column: int, confusion: Confusion) -> Confusion:
    """Return a confusion matrix with all pixels predicted as one class."""
    return tuple(tuple(sum(row) * (index == column) for index in range(len(row))) for row in confusion)
