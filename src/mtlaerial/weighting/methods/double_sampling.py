"""Weights from the gradients of two independent batches, for the update of a third."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Annotated, Any

import torch
from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt
from torch import Tensor
from torchjd.aggregation import MoDoWeighting, SDMGradWeighting

from mtlaerial.config import Section, Task
from mtlaerial.weighting.base import Pass, Step
from mtlaerial.weighting.gradient_weighting import Level, TaskGradientWeighting
from mtlaerial.weighting.row_weighting import rows
from mtlaerial.weighting.task_gradients import CombinedGradients, TaskGradients, through_heads, weighted
from mtlaerial.weighting.torchjd_adapter import buffers, restore


class DoubleSampling(TaskGradientWeighting):
    """Weights from the inner products of one batch's gradients with another's, whose expectation has no bias.

    The products of a batch's gradients with each other contain their noise squared; those of two batches do not. The
    table of them is not symmetric. The weights are known before the third batch, which the update and the heads follow:
    its gradients need not be kept apart, and are added up over passes.

    Where a task is absent from the first two batches, or one of the three overflows, the weights stay as they are.
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
        nonzero = products != 0
        return bool(products.isfinite().all() and nonzero.any(dim=0).all() and nonzero.any(dim=1).all())

    def begin(self, step: Step) -> None:
        """Prepare for the passes of an update."""
        super().begin(step)
        self._batch_rows = [BatchRows(step, self.level) for _ in range(2)]
        self._update: CombinedGradients | None = None

    def add(self, part: Pass) -> None:
        """Measure the gradients of batches 0 and 1; follow those of batch 2."""
        if part.batch < 2:
            self._batch_rows[part.batch].add(part)
            return
        if self._update is None:
            self._weigh()
            factors = self._weights.tolist()
            self._update = CombinedGradients(self.step, lambda gradients: weighted(gradients, factors))
        self._update.add(part)

    def finish(self) -> Tensor:
        """Leave the gradients of batch 2 at the parameters."""
        assert self._update is not None  # batch 2 has been added
        losses, weights = self._update.finish(), self._weights
        if not bool(self.step.gradients_are_finite()):  # the update is skipped: nothing has followed from the weights
            self.load_state_dict(self._before)
        return torch.where(losses.cpu() != 0, weights, 0.0)

    def _weigh(self) -> None:
        """Find the weights from the products of the two batches; their rows, as large as all gradients, go then."""
        first, second = self._batch_rows
        self._batch_rows, self._before = [], self.state_dict()
        # Batches are independent, so the expectation of G_1 G_2' is that of G_1 times that of G_2': without bias.
        products = (first.total() @ second.total().T).cpu().double() / self.step.factor**2
        if self.tells(products):
            self._weights = self._method(self.scaled(products))

    def state_dict(self) -> dict[str, Any]:
        """Return the weights, and TorchJD's state."""
        return {"weights": self._weights, "kept": buffers(self._method)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore a state."""
        self._weights = state["weights"]
        weights = self._weights
        restore(self._method, state["kept"], key=(len(weights), weights.dtype, weights.device))


class BatchRows:
    """A row per task of the gradients of one batch, over all passes and processes; see :func:`rows`."""

    def __init__(self, step: Step, level: Level) -> None:
        self._step, self._level = step, level
        self._task_gradients = TaskGradients(step)
        self._rows: list[Tensor] = []

    def add(self, part: Pass) -> None:
        """Run the backward passes; at the features only those of the heads."""
        if self._level == "parameters":
            self._task_gradients.add(part)
        else:
            at_features, _ = through_heads(part, self._step)
            self._rows.append(rows(at_features, self._level))

    def total(self) -> Tensor:
        """Return the rows, shape (tasks, k)."""
        if self._level == "parameters":
            return rows(self._task_gradients.total().trunk, self._level)
        total = torch.stack(self._rows).sum(dim=0)
        self._step.add_up([total])
        return total


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
