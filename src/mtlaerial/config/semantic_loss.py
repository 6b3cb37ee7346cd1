"""The loss of semantics of ``training``: one of some losses, or several with weights."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator

from mtlaerial.config.faults import Unfit, did_you_mean
from mtlaerial.config.height_head import HeightLoss
from mtlaerial.config.numbers import Weight

SemanticTerm = Literal["cross_entropy", "focal", "dice", "lovasz"]
TERMS: tuple[SemanticTerm, ...] = get_args(SemanticTerm)
HEIGHT_LOSSES: tuple[HeightLoss, ...] = get_args(HeightLoss)


def _require_terms(value: Any) -> Any:
    names = list(value) if isinstance(value, Mapping) else [value]
    for name in names:
        if isinstance(name, str) and name not in TERMS:
            heights = f"{name!r}, a loss of heights" if name in HEIGHT_LOSSES else repr(name)
            remedy = "Write it as height_loss." if name in HEIGHT_LOSSES else "Correct the name."
            raise Unfit("", heights, f"one of {', '.join(TERMS)}", did_you_mean(name, TERMS, remedy))
    return value


def _require_height_loss(value: Any) -> Any:
    if isinstance(value, str) and value in TERMS:
        problem = f"{value!r}, a loss of semantics"
        raise Unfit("", problem, f"one of {', '.join(HEIGHT_LOSSES)}", "Write it as semantic_loss.")
    return value


SemanticLoss = Annotated[SemanticTerm | dict[SemanticTerm, Weight], BeforeValidator(_require_terms)]
"""A loss by name, or weights of several; a weight of 0 leaves one out."""
OnlyHeightLoss = Annotated[HeightLoss, BeforeValidator(_require_height_loss)]
"""A loss of heights; one of semantics is refused with the key that it belongs to."""


def weighted_terms(loss: SemanticLoss) -> dict[SemanticTerm, float]:
    """Return the weights above 0 of the losses by name.

    Examples
    --------
    >>> weighted_terms({"cross_entropy": 1, "dice": 0.5, "focal": 0})
    {'cross_entropy': 1, 'dice': 0.5}
    """
    if isinstance(loss, str):
        return {loss: 1.0}
    return {name: weight for name, weight in loss.items() if weight > 0}


def require_semantic_loss(loss: SemanticLoss, label_smoothing: float) -> None:
    """Refuse losses that are all left out, and smoothing without the loss that it is of.

    Raises
    ------
    Unfit
    """
    terms = weighted_terms(loss)
    if not terms:
        raise Unfit("semantic_loss", "no weight above 0", "one of the losses with a weight", "Correct the weights.")
    if label_smoothing and "cross_entropy" not in terms:
        problem = f"{label_smoothing:g} without cross entropy"
        expected = "0, or cross_entropy in semantic_loss, whose labels it smooths"
        raise Unfit("label_smoothing", problem, expected)
