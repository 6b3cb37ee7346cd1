"""GradDrop: one sign is drawn for elements in which the gradients disagree in sign."""

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor
from torchjd.aggregation import GradDrop as Drop

from mtlaerial.config import Section
from mtlaerial.weighting.base import Pass, Step
from mtlaerial.weighting.gradient_weighting import Level, TaskGradientWeighting
from mtlaerial.weighting.task_gradients import (
    CombinedGradients,
    Gathered,
    Gradients,
    TaskGradients,
    assign,
    assign_heads,
    gramian,
)
from mtlaerial.weighting.torchjd_adapter import drawing_from


class GradDrop(TaskGradientWeighting):
    """Keeps in each element the gradients of one sign: the positive ones with their share in the sum of magnitudes.

    ``p = (1 + sum_t g_t / sum_t |g_t|) / 2`` in each element; with probability p the positive gradients are added, else
    the negative ones; of the others the share ``leak`` remains. Chen et al. 2020, arXiv 2010.06808, algorithm 1, lines
    10 to 15; published at the features. Computed by TorchJD. There a sign may be drawn once for all samples of a batch;
    here for each element of each patch. So each pass of an accumulated batch is treated by itself, with one backward
    pass of the trunk whatever the number of tasks.

    The rule has no weights. Those that are recorded have the combination nearest to the result, by least squares.
    """

    paper = "Chen et al. 2020"

    class Options(Section):
        """How much of the other sign remains."""

        level: Level = "features"
        leak: Annotated[float, Field(ge=0, le=1)] = 0.0
        """0 drops it; 1 gives the plain sum."""

    def begin(self, step: Step) -> None:
        """Prepare for the passes of an update."""
        super().begin(step)
        self._tables: list[Tensor] = []
        at_features = self.level == "features"
        self._gradients = CombinedGradients(step, self._combine) if at_features else TaskGradients(step)

    def add(self, part: Pass) -> None:
        """Run the backward passes; at the features with the dropped signs."""
        self._gradients.add(part)

    def finish(self) -> Tensor:
        """Leave the gradients at the parameters, and return the nearest weights."""
        if isinstance(self._gradients, TaskGradients):
            return self._drop_in(self._gradients.total())
        self._gradients.finish()
        table = torch.stack(self._tables).sum(dim=0)
        self.step.add_up([table])
        return nearest(table)

    def _combine(self, gradients: Gradients) -> list[Tensor]:
        dropped = self._drop(gradients)
        self._tables.append(gramian([*gradients, tuple(dropped)]))
        return dropped

    def _drop_in(self, sums: Gathered) -> Tensor:
        dropped = self._drop(sums.trunk)
        assign(self.step.trunk, dropped)
        assign_heads(self.step, sums.heads)
        del self._gradients
        return nearest(gramian([*sums.trunk, tuple(dropped)]))

    def _drop(self, gradients: Gradients) -> list[Tensor]:
        with drawing_from(self.step.generator, gradients[0][0].device):
            return [self._drop_signs(torch.stack(parts)) for parts in zip(*gradients, strict=True)]

    def _drop_signs(self, parts: Tensor) -> Tensor:
        matrix = parts.flatten(start_dim=1).float()
        drop = Drop(leak=matrix.new_full((len(matrix),), self.options.leak))
        return drop(matrix).view(parts.shape[1:]).to(parts.dtype)


def nearest(table: Tensor) -> Tensor:
    """Return the weights with which gradients come nearest to a combination of them.

    Parameters
    ----------
    table : Tensor, shape (tasks + 1, tasks + 1)
        Inner products of the gradients, and last of the combination.

    Returns
    -------
    Tensor, shape (tasks,), float64, on the CPU
        0 for gradients of 0, 1 where products are not finite.
    """
    products = table.cpu().double()
    if not bool(products.isfinite().all()):
        return torch.ones(len(products) - 1, dtype=torch.float64)
    # Not solve(): parallel gradients make the products singular.
    inverse: Tensor = torch.linalg.pinv(products[:-1, :-1], rtol=1e-6, hermitian=True)
    return inverse @ products[:-1, -1]
