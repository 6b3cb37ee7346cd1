"""Recipes of losses that fulfil the contract of losses, and batches to compute them on."""

import math
from typing import Any

import torch
from torch import Tensor

from mtlaerial.config import IGNORED, TrainingSpec
from mtlaerial.config.height_head import height_channels
from mtlaerial.sampling import Batch
from mtlaerial.training.losses import TaskLosses
from support import tiny

CLASSES = 4
SIDE = 9
"""Rows and columns of a patch: two more than the distance of no pair of pixels is left out."""
BINS = {"name": "bins", "count": 12, "largest": 40}
HEADS: dict[str, dict[str, Any]] = {
    "linear": {},
    "huber": {"height_loss": "huber"},
    "log1p": {"height_head": "log1p"},
    "bins": {"height_head": BINS, "height_loss": "likelihood"},
    "laplace": {"height_head": "laplace", "height_loss": "likelihood"},
    "gaussian": {"height_head": "gaussian", "height_loss": "likelihood"},
    "non-negative": {"height_non_negative": True, "height_balance": "by_height"},
}
"""Keys of ``training`` for each head and loss of heights."""
HEIGHTS = {
    **HEADS,
    "gradients": {"height_gradient": 0.5},
    "gradients of bins": {**HEADS["bins"], "height_gradient": 2.0},
}
SEMANTICS: dict[str, dict[str, Any]] = {
    "cross entropy": {},
    "smoothed": {"label_smoothing": 0.2},
    "focal": {"semantic_loss": "focal"},
    "dice": {"semantic_loss": "dice"},
    "lovasz": {"semantic_loss": "lovasz"},
    "several": {"semantic_loss": {"cross_entropy": 1, "dice": 0.5, "lovasz": 0.25}},
}
"""Keys of ``training`` for each loss of semantics."""
EVERY = [("height", keys) for keys in HEIGHTS.values()] + [("semantics", keys) for keys in SEMANTICS.values()]
"""A task and the keys of its loss, for ``parametrize``."""
IDS = [*HEIGHTS, *SEMANTICS]
CLASS_WEIGHTS = torch.tensor([0.5, 0.0, 2.0, 1.0])
"""Weights of classes, of which one is never trained."""
HEIGHT_WEIGHTS = torch.tensor([1.0, 1, 1.5, 2, 3, 4, 6, 8, 10])


def spec_of(keys: dict[str, Any]) -> TrainingSpec:
    return tiny.training_spec(**{"height_unit": 5, **keys})


def losses_of(task: str, keys: dict[str, Any], zero_height: bool = True, weights: Tensor = CLASS_WEIGHTS) -> TaskLosses:
    """Return the loss of a task; heights have weights where the keys balance them."""
    spec = spec_of(keys)
    balance = HEIGHT_WEIGHTS if spec.height_balance == "by_height" else None
    return TaskLosses(spec, weights, zero_height, (task,), balance)


def channels_of(task: str, keys: dict[str, Any]) -> int:
    return CLASSES if task == "semantics" else height_channels(spec_of(keys).height_head)


def random_output(task: str, keys: dict[str, Any], patches: int = 4, seed: int = 0) -> Tensor:
    """Return a network's output for a task, a leaf."""
    generator = torch.Generator().manual_seed(seed)
    shape = (patches, channels_of(task, keys), SIDE, SIDE)
    return torch.randn(shape, generator=generator).requires_grad_()


def random_batch(patches: int = 4, seed: int = 0) -> Batch:
    """Return patches of which the first has all truth, the last none, and those between some."""
    generator = torch.Generator().manual_seed(seed)
    shape = patches, SIDE, SIDE
    labels = torch.randint(0, CLASSES, shape, generator=generator, dtype=torch.uint8)
    height = torch.randn(shape, generator=generator) * 10 + 5
    missing = torch.rand(shape, generator=generator) < torch.linspace(0, 1, patches)[:, None, None]
    missing[0], missing[-1] = False, True
    labels[missing], height[missing.flip(2)] = IGNORED, math.nan
    return Batch(torch.zeros(patches, 3, SIDE, SIDE), height, labels)


def trained_pixels(task: str, batch: Batch, zero_height: bool = True) -> Tensor:
    """Return the pixels that a loss counts, shape (patches, rows, columns)."""
    if task == "height":
        return batch.height.isfinite() if zero_height else batch.height > 0
    labelled = batch.labels != IGNORED
    return labelled & (CLASS_WEIGHTS[torch.where(labelled, batch.labels, 0).long()] > 0)
