"""How far the tasks' gradients agree at the shared features."""

from collections.abc import Mapping, Sequence
from itertools import combinations

import torch
from torch import Tensor

from mtlaerial.config import Task
from mtlaerial.weighting.task_gradients import gramian


def feature_gramian(losses: Mapping[Task, Tensor], seen: Sequence[Tensor]) -> Tensor:
    """Return the inner products of the tasks' gradients with respect to the features, shape (tasks, tasks), float32.

    Parameters
    ----------
    losses : mapping of task to Tensor
        Scalars.
    seen : sequence of Tensor
        The features as the heads saw them: leaves.
    """
    rows = [torch.autograd.grad(loss, seen, retain_graph=True) for loss in losses.values()]
    return gramian(rows)


def conflict(gramian: Tensor, tasks: Sequence[Task]) -> dict[str, float]:
    """Return the norm of each task's gradient, and the cosine of each pair of them.

    Parameters
    ----------
    gramian : Tensor, shape (tasks, tasks)
        Of the gradients with respect to the features, over the whole batch.
    tasks : sequence of Task

    Returns
    -------
    dict
        ``norm_{task}``, and ``cosine_{task}_{task}``, NaN where a gradient is 0.
    """
    norms = gramian.diagonal().sqrt()
    cosines = (gramian / (norms[:, None] * norms)).clamp(-1, 1)
    found = {f"norm_{task}": norm for task, norm in zip(tasks, norms.tolist(), strict=True)}
    for one, other in combinations(range(len(tasks)), 2):
        found[f"cosine_{tasks[one]}_{tasks[other]}"] = float(cosines[one, other])
    return found
