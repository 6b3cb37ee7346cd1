"""Loss of classes: the weighted sum of ``training.semantic_loss``."""

from typing import cast

import torch
from torch import Tensor, nn

from mtlaerial.config.semantic_loss import SemanticTerm, weighted_terms
from mtlaerial.sampling import Batch
from mtlaerial.training.cross_entropy import CrossEntropy
from mtlaerial.training.loss_terms.dice import Dice
from mtlaerial.training.loss_terms.focal import Focal
from mtlaerial.training.loss_terms.lovasz import Lovasz
from mtlaerial.training.task_loss import LossSettings, TaskLoss

_TERMS: dict[SemanticTerm, type[TaskLoss]] = {
    "cross_entropy": CrossEntropy,
    "focal": Focal,
    "dice": Dice,
    "lovasz": Lovasz,
}


class ClassError(TaskLoss):
    """Losses of classes, each masked to the pixels that have a class, in the order of ``training.semantic_loss``."""

    def __init__(self, settings: LossSettings) -> None:
        super().__init__()
        weights = weighted_terms(settings.training.semantic_loss)
        self.weights = list(weights.values())
        self.terms = nn.ModuleList(_TERMS[name](settings) for name in weights)

    def total(self, output: Tensor, batch: Batch) -> Tensor:
        """Return the weighted sum of each loss, shape (losses,)."""
        pairs = zip(self.weights, self._losses(), strict=True)
        return torch.stack([weight * term.total(output, batch) for weight, term in pairs])

    def amount(self, batch: Batch) -> Tensor:
        """Return the denominator of each loss, shape (losses,)."""
        return torch.stack([term.amount(batch).float() for term in self._losses()])

    def _losses(self) -> list[TaskLoss]:
        return [cast(TaskLoss, term) for term in self.terms]
