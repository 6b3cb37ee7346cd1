"""Names and units of losses in figures."""

from typing import Any

import pytest

from mtlaerial.config import TrainingSpec
from mtlaerial.figures.loss_labels import loss_name, loss_unit
from support.losses import HEIGHTS, SEMANTICS


@pytest.mark.parametrize(
    ("task", "keys", "label"),
    [
        ("height", {}, "L1 loss (m)"),
        ("height", {"height_unit": 5}, "L1 loss (units of 5 m)"),
        ("height", {"height_loss": "huber", "height_gradient": 0.5}, "Huber loss + 0.5 gradient loss (m)"),
        ("height", {"height_head": "log1p"}, "L1 loss of logarithms (log(1 + m))"),
        ("height", HEIGHTS["bins"], "divergence from soft bins (nat)"),
        ("height", HEIGHTS["gradients of bins"], "divergence from soft bins + 2 gradient loss (units of the loss)"),
        ("height", HEIGHTS["laplace"], "negative log likelihood (nat)"),
        ("height", HEIGHTS["gaussian"], "negative log likelihood (nat)"),
        ("height", HEIGHTS["non-negative"], "balanced L1 loss (m)"),
        ("semantics", {}, "cross entropy (nat)"),
        ("semantics", SEMANTICS["focal"], "focal loss (nat)"),
        (
            "semantics",
            SEMANTICS["several"],
            "cross entropy + 0.5 Dice loss + 0.25 Lovász loss (units of the loss)",
        ),
    ],
)
def test_a_loss_is_named_with_its_unit(task: str, keys: dict[str, Any], label: str) -> None:
    training = TrainingSpec.parse(keys, "training")
    assert f"{loss_name(task, training)} ({loss_unit(task, training)})" == label
