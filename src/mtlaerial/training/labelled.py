"""The truth that a training uses: a share of it where ``training.labelled`` says so, and a warning of little truth."""

import logging
from collections.abc import Sequence

import numpy as np

from mtlaerial.config import task_entry
from mtlaerial.config.labelled import WHOLE, layer_shares, truth_layers
from mtlaerial.runs.plan import RunPlan
from mtlaerial.tiles.chosen_truth import LabelledTruth, choose_truth
from mtlaerial.tiles.tile import Tile
from mtlaerial.training.job import TrainingJob

log = logging.getLogger(__name__)
LITTLE = 50.0
"""Percent of the training area below which most patches are likely to lack truth."""


def labelled_truth(job: TrainingJob) -> LabelledTruth | None:
    """Return the truth that a training uses, None for all of it.

    Raises
    ------
    DataError
        When the run's folder is not writable or the disk is full.
    """
    training = job.plan.training
    learned = truth_layers(job.plan.tasks)
    shares = {layer: share for layer, share in layer_shares(training.labelled).items() if layer in learned}
    if not shares:
        return None
    seed = job.plan.seed if training.labelled_seed is None else training.labelled_seed
    block = training.labelled_block or training.patch
    truth = choose_truth(job.training_tiles, shares, block, seed, job.statistics, job.folder)
    for layer, used in truth.area.layers.items():
        text = "%s: %g %% of the area with truth is used, %d blocks in %d tiles, chosen by the seed %d"
        log.info(text, layer, used.used, sum(used.blocks.values()), len(used.blocks), seed)
    return truth


def warn_of_little_truth(plan: RunPlan, tiles: Sequence[Tile]) -> None:
    """Warn where most patches will lack truth of a task, as truth is in few tiles or ``labelled`` leaves little."""
    if plan.training.truth_patches:
        return
    for task in plan.tasks:
        layer = task_entry(task).truth
        areas = np.array([tile.rows * tile.columns for tile in tiles])
        # A tile without a layer has a single cell in its place.
        present = [tile.layer(layer).numel() > 1 for tile in tiles]
        share = layer_shares(plan.training.labelled).get(layer, WHOLE)
        percent = share * float(areas[present].sum() / areas.sum())
        if percent < LITTLE:
            log.warning(
                "%s: at most %.3g %% of the training area has %s, so that most patches have none to learn it from; "
                "training.truth_patches: equal draws a part of each batch where there are some",
                *(task, percent, "labels" if layer == "labels" else "heights"),
            )
