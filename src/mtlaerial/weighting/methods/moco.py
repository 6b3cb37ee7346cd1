"""MoCo: the weights of least norm, followed along gradients that are averaged over batches."""

from collections.abc import Mapping
from typing import Annotated, Any

import torch
from pydantic import Field, NonNegativeFloat, PositiveFloat
from torch import Tensor

from mtlaerial.config import Section, Task
from mtlaerial.weighting.gradient_weighting import Level
from mtlaerial.weighting.row_weighting import TrackingWeighting


class MoCo(TrackingWeighting):
    """Tracks the gradients and moves the weights by a projected step towards the least norm of their weighted sum.

    ``y_t <- y_t + beta (g_t - y_t)``, ``w <- P(w - gamma (Y Yᵀ + rho I) w)``, update ``sum_t w_t y_t``; the rows of Y
    are the y_t, 0 at first, and P projects onto the weights that are at least 0 and add up to 1; at first all are
    equal. Fernando et al. 2023, ICLR, arXiv 2210.12624, in the order of their code, which updates y, then w, then the
    network. Published at the parameters, with step sizes that fall or stay; here they stay, and y is not kept within a
    ball, as in their code. LibMTL's version differs: a softmax instead of the projection, and gradients that are
    brought to the length of their losses.

    Gradients are taken as they are, so the step of the weights depends on the scale of the losses. Where a task is
    absent its y stays as it is, and all weights do.
    """

    paper = "Fernando et al. 2023"
    state = "weights, and an average gradient per task (as large as the level's)"

    class Options(Section):
        """How fast gradients and weights follow; by default as in the authors' code."""

        level: Level = "parameters"
        beta: Annotated[float, Field(gt=0, le=1)] = 0.1
        """Share of the new gradient in the tracked one."""
        gamma: PositiveFloat = 0.1
        """Step size of the weights."""
        rho: NonNegativeFloat = 0.1
        """Pulls the weights towards equal ones."""

    def __init__(self, tasks: tuple[Task, ...], options: Any) -> None:
        super().__init__(tasks, options)
        self._weights = torch.full((len(tasks),), 1 / len(tasks), dtype=torch.float64)

    def weights(self, rows: Tensor, losses: Tensor, active: Tensor) -> Tensor:
        """Return the weights, moved if all tasks take part."""
        tracked = self.track(rows, self.options.beta * active)
        if bool(active.all()):
            # The gradient of (||w Y||² + rho ||w||²) / 2 with respect to w.
            slope = (tracked @ tracked.T).cpu().double() @ self._weights + self.options.rho * self._weights
            self._weights = project(self._weights - self.options.gamma * slope)
        return self._weights

    def state_dict(self) -> dict[str, Any]:
        """Return weights and averages."""
        return {**super().state_dict(), "weights": self._weights}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore a state."""
        super().load_state_dict(state)
        self._weights = state["weights"]


def project(point: Tensor) -> Tensor:
    """Return the nearest of the points whose coordinates are at least 0 and add up to 1.

    Held et al. 1974, doi 10.1007/BF01580223.

    Parameters
    ----------
    point : Tensor, shape (n,)

    Returns
    -------
    Tensor, shape (n,)

    Examples
    --------
    >>> project(torch.tensor([0.9, 0.5]))
    tensor([0.7000, 0.3000])
    """
    point = point - point.max()  # moves along the normal, so the nearest point stays; large numbers would drown the 1
    ordered = point.sort(descending=True).values
    levels = (ordered.cumsum(dim=0) - 1) / torch.arange(1, len(point) + 1)
    return (point - levels[int((ordered > levels).sum()) - 1]).clamp(min=0)
