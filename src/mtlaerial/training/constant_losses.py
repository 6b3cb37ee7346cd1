"""Losses of constant predictions, which bound those of trainings that learn anything."""

import math
from dataclasses import dataclass

from mtlaerial.config.class_names import untrained_classes
from mtlaerial.config.height_head import BinsSpec, HeightHead
from mtlaerial.config.semantic_loss import SemanticTerm, weighted_terms
from mtlaerial.models.height_heads.gaussian import LEAST_DEVIATION
from mtlaerial.models.height_heads.laplace import LEAST_SCALE
from mtlaerial.runs.plan import RunPlan
from mtlaerial.tiles.statistics import HeightStatistics, Statistics
from mtlaerial.training.loss_terms.focal import FOCUS


@dataclass(frozen=True)
class ConstantLoss:
    """The loss of a constant prediction, or a bound of it.

    Attributes
    ----------
    loss : float
    prediction : str
        Whose loss it is, as a phrase.
    unit : str
        Of the loss, with a space before it.
    factor : float
        From a loss of the history to that unit.
    """

    loss: float
    prediction: str
    unit: str = ""
    factor: float = 1.0


def equal_probabilities(name: str, plan: RunPlan, statistics: Statistics) -> ConstantLoss | None:
    """Return the loss of equal probabilities of the trained classes; None without such classes, or where it is unknown.

    Parameters
    ----------
    name : str
        Of the task's loss: ``class_error`` or ``cross_entropy``.
    plan : RunPlan
    statistics : Statistics
        Of the training tiles.
    """
    training = plan.training
    untrained = untrained_classes(training)
    classes = sum(entry.pixels > 0 for entry in statistics.classes if entry.name not in untrained)
    if not classes or training.label_smoothing:  # smoothing adds a loss that depends on the weights of the classes
        return None
    terms = weighted_terms(training.semantic_loss if name == "class_error" else "cross_entropy")
    entropy = math.log(classes)
    focal = (1 - 1 / classes) ** FOCUS * entropy
    by_term: dict[SemanticTerm, float] = {"cross_entropy": entropy, "focal": focal, "dice": 1.0, "lovasz": 1.0}
    loss = sum(weight * by_term[term] for term, weight in terms.items())
    return ConstantLoss(loss, "that of equal class probabilities")


def constant_height(plan: RunPlan, statistics: Statistics) -> ConstantLoss | None:
    """Return a bound of the loss of the best constant height; None without heights, or where it is unknown."""
    training, height = plan.training, statistics.height
    if height is None or training.height_gradient or training.height_balance != "none":
        return None
    # The mean distance from the median is at most the standard deviation. That of the heights above 0, where only
    # these are trained on, is not measured; their maximum bounds it.
    bound, name = (height.std, "standard deviation") if statistics.zero_height else (height.maximum, "maximum")
    if training.height_head == "linear":
        return ConstantLoss(bound, f"the heights' {name}", " m", training.height_unit)
    return _on_scale(training.height_head, bound / training.height_unit, height, training.height_unit)


def _on_scale(head: HeightHead, spread: float, height: HeightStatistics, unit: float) -> ConstantLoss:
    """Return the bound for a head whose loss is not in metres, from the heights' spread in units."""
    if isinstance(head, BinsSpec):
        return ConstantLoss(math.log(head.count), "that of equal probabilities of the bins")
    if head == "log1p":
        farthest = max(abs(height.minimum), abs(height.maximum))
        return ConstantLoss(math.log1p(farthest / unit), "that of heights of 0")
    if head == "gaussian":
        # (h - m)^2 / (2 s^2) + log(s / LEAST_DEVIATION) for the mean m and a deviation s of the spread
        deviation = max(spread, LEAST_DEVIATION)
        loss = 0.5 + math.log(deviation / LEAST_DEVIATION)
        return ConstantLoss(loss, "that of the mean and one deviation for all heights")
    # |h - m| / b + log(b / LEAST_SCALE) for the median m and a scale b of the spread
    scale = max(spread, LEAST_SCALE)
    return ConstantLoss(1 + math.log(scale / LEAST_SCALE), "that of the median and one scale for all heights")
