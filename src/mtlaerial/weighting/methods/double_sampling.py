"""Weights from the gradients of two independent batches, for the update of a third."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Annotated, Any

import torch
from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt
from torch import Tensor
from torchjd.aggregation import MoDoWeighting, SDMGradWeighting

from mtlaerial.config import Section, Task
from mtlaerial.weighting.base import Step
from mtlaerial.weighting.gradient_weighting import CutWeighting, Level
from mtlaerial.weighting.row_weighting import rows
from mtlaerial.weighting.task_gradients import accumulate, assign_heads, gather, through_heads, weighted


class DoubleSampling(CutWeighting):
    """Weights from the inner products of one batch's gradients with another's, whose expectation has no bias.

    The products of a batch's gradients with each other contain their noise squared; those of two batches do not. The
    table of them is not symmetric. The weights are known before the third batch, which the update and the heads follow:
    its gradients need not be kept apart, and are added up over passes.

    Where a task is absent from the first two batches, or they overflow, the weights stay as they are.
    """

    cost = "of its level for two batches; a third as a plain sum"
    state = "weights"
    batches = 3

    def __init__(self, tasks: tuple[Task, ...], options: Any) -> None:
        super().__init__(tasks, options)
        self._method = self.method()
        self._weights = torch.full((len(tasks),), 1 / len(tasks), dtype=torch.float64)

    @abstractmethod
    def method(self) -> MoDoWeighting | SDMGradWeighting:
        """Return what makes weights of the products; it remembers its last ones."""

    def scaled(self, products: Tensor) -> Tensor:
        """Bring the products to the scale that the method shall see."""
        return products

    def tells(self, products: Tensor) -> bool:
        """Tell whether anything follows from the products: they are finite, and no task is absent."""
        found = products != 0
        return bool(products.isfinite().all() and found.any(dim=0).all() and found.any(dim=1).all())

    def backward(self, step: Step) -> Tensor:
        """Weigh by batches 0 and 1, update by batch 2."""
        one, other = self._rows(step, 0), self._rows(step, 1)
        products = (one @ other.T).cpu().double() / step.factor**2
        del one, other  # as large as all gradients
        if self.tells(products):
            self._weights = self._method(self.scaled(products))
        factors = self._weights.tolist()
        losses, heads = accumulate(step, lambda shared: weighted(shared, factors), batch=2)
        assign_heads(step, heads)
        step.add_up_gradients()
        step.add_up([losses])
        return torch.where(losses.cpu() != 0, self._weights, 0.0)

    def _rows(self, step: Step, batch: int) -> Tensor:
        if self.level == "parameters":
            return rows(gather(step, batch=batch).trunk, self.level)
        total = torch.stack([rows(through_heads(part, step)[0], self.level) for part in step.passes(batch)]).sum(dim=0)
        step.add_up([total])
        return total

    def state_dict(self) -> dict[str, Any]:
        """Return the weights, and what TorchJD keeps."""
        return {"weights": self._weights, "kept": dict(self._method.named_buffers())}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go back to a kept state."""
        self._method.reset()
        self._weights = state["weights"]
        for name, value in state["kept"].items():
            setattr(self._method, name, value)
            self._method._state_key = (len(value), value.dtype, value.device)  # else it is forgotten


class MoDo(DoubleSampling):
    """Moves the weights by a projected step towards the least norm of the weighted sum of the gradients.

    ``w <- P(w - gamma (G_1 G_2ᵀ + rho I) w)``, update ``w G_3``: the rows of G_b are the tasks' gradients of batch b,
    and P projects onto the weights that are at least 0 and add up to 1; at first all are equal. Chen et al. 2023, arXiv
    2305.20057 (JMLR 25, 2024); published at the parameters. Computed by TorchJD. There the update follows the mean of
    the first two batches in the journal's version; here, as in LibMTL, a third. There heads follow all batches; here
    that of the update.

    Gradients are taken as they are, so the step depends on the scale of the losses.
    """

    paper = "Chen et al. 2023"

    class Options(Section):
        """How fast the weights follow; by default as in the authors' code."""

        level: Level = "parameters"
        gamma: PositiveFloat = 0.1
        """Step size of the weights."""
        rho: NonNegativeFloat = 0.1
        """Pulls the weights towards equal ones."""

    def method(self) -> MoDoWeighting:
        """Return TorchJD's."""
        return MoDoWeighting(self.options.gamma, self.options.rho)


class SDMGrad(DoubleSampling):
    """The weights of least norm of the weighted sum of the gradients and a share of their mean.

    ``min_w ||w G + lambda u G||²`` over the weights w that are at least 0 and add up to 1, with u equal weights;
    update ``(w + lambda u) G_3 / (1 + lambda)``. w is found by a few steps of projected descent, with momentum, from
    the last one, along ``A (w + lambda u)`` with ``A = G_1 G_2ᵀ / mean_t(sqrt(A_tt))²``: the rows of G_b are the tasks'
    gradients of batch b. Xiao et al. 2023, arXiv 2305.18409; published at the parameters. Computed by TorchJD.

    The weights do not depend on the scale of all gradients. Two batches may disagree on a task so far that A_tt is
    negative; it counts as 0 in that mean. If all are, the weights stay as they are.
    """

    paper = "Xiao et al. 2023"

    class Options(Section):
        """How strongly the mean counts, and how w is found; by default as in the authors' code and experiments."""

        level: Level = "parameters"
        mean_share: NonNegativeFloat = 0.3
        """lambda."""
        learning_rate: PositiveFloat = 10.0
        """Step size of the descent."""
        momentum: Annotated[float, Field(ge=0, lt=1)] = 0.5
        """Share of the last step in the next one."""
        iterations: PositiveInt = 20
        """Steps of the descent."""

    def method(self) -> SDMGradWeighting:
        """Return TorchJD's."""
        options = self.options
        return SDMGradWeighting(options.learning_rate, options.momentum, options.iterations, options.mean_share)

    def tells(self, products: Tensor) -> bool:
        """Tell whether the products have a scale besides."""
        return super().tells(products) and bool(products.diagonal().max() > 0)

    def scaled(self, products: Tensor) -> Tensor:
        """Bring them to numbers from -1 to 1: the method adds a small one of its own to their scale."""
        return products / products.abs().max()
