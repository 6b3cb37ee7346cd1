"""Conflict of the tasks' gradients at the shared features: norms and cosines."""

from collections.abc import Mapping, Sequence
from itertools import combinations

import torch
from torch import Tensor

from mtlaerial.config import Task
from mtlaerial.weighting.task_gradients import gramian


def feature_gramian(losses: Mapping[Task, Tensor], leaves: Sequence[Tensor]) -> Tensor:
    """Return the inner products of the tasks' gradients with respect to the features, shape (tasks, tasks), float32.

    Parameters
    ----------
    losses : mapping of task to Tensor
        Scalars.
    leaves : sequence of Tensor
        Detached features that the heads ran on.
    """
    rows = [torch.autograd.grad(loss, leaves, retain_graph=True) for loss in losses.values()]
    return gramian(rows)


def conflict(gramian: Tensor, tasks: Sequence[Task]) -> dict[str, float]:
    """Return the norm of each task's gradient, and the cosine of each pair of them.

    Parameters
    ----------
    gramian : Tensor, shape (tasks, tasks)
        Inner products of the gradients with respect to the features, over the whole batch.
    tasks : sequence of Task

    Returns
    -------
    dict
        ``norm_{task}``, and ``cosine_{task}_{task}``, NaN where a gradient is 0.

    Examples
    --------
    >>> conflict(torch.tensor([[4.0, -3.0], [-3.0, 9.0]]), ("semantics", "height"))
    {'norm_semantics': 2.0, 'norm_height': 3.0, 'cosine_semantics_height': -0.5}
    """
    norms = gramian.diagonal().sqrt()
    cosines = (gramian / (norms[:, None] * norms)).clamp(-1, 1)
    values = {f"norm_{task}": norm for task, norm in zip(tasks, norms.tolist(), strict=True)}
    for first, second in combinations(range(len(tasks)), 2):
        values[f"cosine_{tasks[first]}_{tasks[second]}"] = float(cosines[first, second])
    return values
