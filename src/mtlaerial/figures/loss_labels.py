"""Names and units of losses in figures."""

from mtlaerial.config import Task, TrainingSpec, task_entry
from mtlaerial.config.height_head import head_name
from mtlaerial.config.semantic_loss import SemanticTerm, weighted_terms

_TERMS: dict[SemanticTerm, str] = {
    "cross_entropy": "cross entropy",
    "focal": "focal loss",
    "dice": "Dice loss",
    "lovasz": "Lovász loss",
}
_IN_NAT: tuple[SemanticTerm, ...] = ("cross_entropy", "focal")
_HEIGHT_LOSSES = {
    "l1": "L1 loss",
    "huber": "Huber loss",
    "bins": "divergence from soft bins",
    "laplace": "negative log likelihood",
    "gaussian": "negative log likelihood",
}
"""By ``height_loss``, or by the head where that is a likelihood."""
_OF_HEIGHTS_ALONE = {"height_balance": "none", "height_gradient": 0.0}
"""Keys that do not apply to what is derived from heights; see :mod:`mtlaerial.training.derived_error`."""
_OTHER = "units of the loss"
"""Unit of sums of different losses, and of losses of other packages."""


def loss_name(task: Task, training: TrainingSpec) -> str:
    """Return the name of a task's loss."""
    loss = task_entry(task).loss
    if loss == "class_error":
        terms = weighted_terms(training.semantic_loss).items()
        return " + ".join(_TERMS[term] if weight == 1 else f"{weight:g} {_TERMS[term]}" for term, weight in terms)
    if loss == "height_error":
        return _height_loss(training)
    if loss == "derived_error":
        return _height_loss(training.model_copy(update=_OF_HEIGHTS_ALONE))
    return _TERMS["cross_entropy"] if loss == "cross_entropy" else "loss"


def loss_unit(task: Task, training: TrainingSpec) -> str:
    """Return the unit of a task's loss."""
    loss = task_entry(task).loss
    if loss == "class_error":
        terms = set(weighted_terms(training.semantic_loss))
        return "nat" if terms <= set(_IN_NAT) else _OTHER
    if loss == "height_error":
        return _height_unit(training)
    if loss == "derived_error":
        return _height_unit(training.model_copy(update=_OF_HEIGHTS_ALONE))
    return "nat" if loss == "cross_entropy" else _OTHER


def _height_loss(training: TrainingSpec) -> str:
    head = head_name(training.height_head)
    name = _HEIGHT_LOSSES[head if training.height_loss == "likelihood" else training.height_loss]
    name = f"{name} of logarithms" if head == "log1p" else name
    balanced = "balanced " if training.height_balance != "none" else ""
    gradient = f" + {training.height_gradient:g} gradient loss" if training.height_gradient else ""
    return f"{balanced}{name}{gradient}"


def _height_unit(training: TrainingSpec) -> str:
    unit = training.height_unit
    if training.height_loss == "likelihood":
        return _OTHER if training.height_gradient else "nat"
    if training.height_head == "log1p":
        return "log(1 + m)" if unit == 1 else f"log(1 + units of {unit:g} m)"
    return "m" if unit == 1 else f"units of {unit:g} m"
