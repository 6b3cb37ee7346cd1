"""Weights of classes by name: a class of weight 0 is never trained, drawn or validated."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mtlaerial.config import IGNORED
from mtlaerial.errors import ConfigError
from mtlaerial.sampling import Batch
from mtlaerial.sampling.class_balance import BalancedCorners
from mtlaerial.tiles.statistics import Statistics
from mtlaerial.tiles.tile import load_tiles
from mtlaerial.training.losses import TaskLosses, class_weights
from mtlaerial.training.train import identity, train
from mtlaerial.training.trainer import Trainer
from support import tiny
from support.tiny import Folders


def by_name(statistics: Statistics, **weights: float) -> dict[str, float]:
    return {entry.name: weights.get(entry.name, 1.0) for entry in statistics.classes}


def trainer_of(statistics: Statistics, tiles: Folders, **training: Any) -> Trainer:
    plan = tiny.run_plan(**training)
    return Trainer(tiny.job(plan, statistics, tiles["train"], tiles["val"]))


def test_weights_by_name_are_in_the_order_of_the_classes(statistics: Statistics) -> None:
    weights = by_name(statistics, car=4.0, tree=0.0)
    spec = tiny.training_spec(class_weights=dict(reversed(weights.items())))
    assert class_weights(spec, statistics).tolist() == list(weights.values())


def test_a_class_of_weight_zero_gives_no_loss(statistics: Statistics) -> None:
    spec = tiny.training_spec(class_weights=by_name(statistics, tree=0.0))
    losses = TaskLosses(spec, class_weights(spec, statistics), zero_height=True)
    (code,) = statistics.codes(["tree"])
    logits = torch.randn(
        1, len(statistics.classes), 4, 4, generator=torch.Generator().manual_seed(0), requires_grad=True
    )
    labels = torch.full((1, 4, 4), code, dtype=torch.uint8)
    height = torch.full((1, 4, 4), torch.nan)
    loss = losses({"semantics": logits}, Batch(torch.zeros(1, 3, 4, 4), height, labels))["semantics"]
    assert loss == 0
    (gradient,) = torch.autograd.grad(loss, logits)
    assert not gradient.any()


def test_balanced_sampling_does_not_choose_an_untrained_class(statistics: Statistics, tiles: Folders) -> None:
    drawn = {}
    for weight in (1.0, 0.0):
        weights = by_name(statistics, tree=weight)
        trainer = trainer_of(statistics, tiles, sampling="class_balanced", class_weights=weights)
        corners = trainer.update.batches.sampler.corners
        assert isinstance(corners, BalancedCorners)
        drawn[weight] = set(corners.classes)
    assert drawn[1.0] - drawn[0.0] == set(statistics.codes(["tree"]))


def test_validation_ignores_an_untrained_class(statistics: Statistics, tiles: Folders) -> None:
    validator = trainer_of(statistics, tiles, class_weights=by_name(statistics, tree=0.0)).evaluation.validator
    assert validator is not None
    (tile,) = load_tiles(tiles["val"], torch.device("cpu"), 10)
    labels = tile.labels[..., 0].numpy()
    pixels = [entry.pixels * (entry.name != "tree") for entry in statistics.classes]
    scored = (labels != IGNORED) & (labels != statistics.codes(["tree"])[0])
    assert validator.constant["OA"] == pytest.approx(np.mean(labels[scored] == pixels.index(max(pixels))))


def test_names_decide_the_weights_of_a_run_only_where_they_carry_class_weights(
    statistics: Statistics, tiles: Folders
) -> None:
    swapped = {"tree": "car", "car": "tree"}
    classes = [entry.model_copy(update={"name": swapped.get(entry.name, entry.name)}) for entry in statistics.classes]
    renamed = statistics.model_copy(update={"classes": tuple(classes)})
    for weights, alike in (
        ("none", True),
        (by_name(statistics, water=0.0), True),
        (by_name(statistics, car=2.0), False),
    ):
        plan = tiny.run_plan(class_weights=weights)
        before, after = (identity(tiny.job(plan, measured, tiles["train"])) for measured in (statistics, renamed))
        assert (before == after) is alike


def test_weights_of_zero_for_all_classes_that_occur_are_refused(
    statistics: Statistics, tiles: Folders, tmp_path: Path
) -> None:
    weights = {entry.name: 0.0 if entry.pixels else 1.0 for entry in statistics.classes}
    absent = statistics.classes[0].model_copy(update={"pixels": 0})
    measured = statistics.model_copy(update={"classes": (absent, *statistics.classes[1:])})
    job = tiny.job(tiny.run_plan(class_weights={**weights, absent.name: 1.0}), measured, tiles["train"], [], tmp_path)
    with pytest.raises(ConfigError, match=r"training.class_weights: found 0 for all classes of the training tiles \("):
        train(job)
