"""Gradients of the tasks in one update, at the shared features and at the trunk's parameters: norms and cosines."""

from collections.abc import Mapping, Sequence
from itertools import combinations

import torch
from torch import Tensor

from mtlaerial.config import Task
from mtlaerial.config.weighting import Level
from mtlaerial.runs.history_columns import cosine_column, norm_column
from mtlaerial.weighting import Pass, Step
from mtlaerial.weighting.task_gradients import Gradients, gramian

Gramians = Mapping[Level, Tensor]
"""Inner products of the tasks' gradients by level, each of shape (tasks, tasks), float32."""


class ConflictMeter:
    """Measures the tasks' gradients of a batch at both levels, whatever the weighting; the passes' graphs remain.

    It costs a backward pass of the heads and one of the trunk per task, and at the trunk's parameters as much memory as
    these have, per task. Nothing is left at ``grad``.

    Parameters
    ----------
    step : Step
    """

    def __init__(self, step: Step) -> None:
        self._step = step
        self._passes = 0
        self._at_features: list[Tensor] = []
        self._at_parameters: Gradients = []
        self._gramians: dict[Level, Tensor] = {}

    def add(self, losses: Mapping[Task, Tensor], leaves: Sequence[Tensor], part: Pass) -> None:
        """Measure a pass, before its own backward passes; the last one ends the measurement and frees the gradients.

        Parameters
        ----------
        losses : mapping of task to Tensor
            Losses of the heads run on ``leaves``.
        leaves : sequence of Tensor
            The features of the pass, detached: with skips, only leaves have the heads' own gradients.
        part : Pass
        """
        scale = self._step.scale
        rows = [torch.autograd.grad(scale(loss), list(leaves), retain_graph=True) for loss in losses.values()]
        self._at_features.append(gramian(rows))
        if self._step.trunk:
            self._add_parameters(part, rows)
        self._passes += 1
        if self._passes == self._step.parts:
            self._end()

    def gramians(self) -> Gramians:
        """Return the inner products over the whole batch, at the parameters where the trunk has any that are trained.

        At the features, gradients of patches are apart, and so their products add up over passes; at the parameters
        the gradients themselves do.
        """
        return self._gramians

    def _add_parameters(self, part: Pass, rows: Gradients) -> None:
        trained = [number for number, feature in enumerate(part.features) if feature.requires_grad]
        features = [part.features[number] for number in trained]
        parameters = list(self._step.trunk)
        for task, row in enumerate(rows):
            of_features = [row[number] for number in trained]
            # The graph stays, for the weighting's backward passes.
            gradient = torch.autograd.grad(features, parameters, of_features, retain_graph=True)
            if task == len(self._at_parameters):
                self._at_parameters.append(gradient)
            else:
                torch._foreach_add_(list(self._at_parameters[task]), list(gradient))

    def _end(self) -> None:
        squared = self._step.factor**2
        at_features = torch.stack(self._at_features).sum(dim=0) / squared
        self._step.add_up([at_features])
        self._gramians = {"features": at_features}
        if self._at_parameters:
            self._step.add_up([tensor for row in self._at_parameters for tensor in row])
            self._gramians["parameters"] = gramian(self._at_parameters) / squared
        self._at_parameters = []


def conflict_columns(gramians: Gramians, tasks: Sequence[Task]) -> dict[str, float]:
    """Return the norm of each task's gradient, and the cosine of each pair of them, by column of the history.

    Parameters
    ----------
    gramians : mapping of level to Tensor, shape (tasks, tasks)
    tasks : sequence of Task

    Returns
    -------
    dict
        Cosines are NaN where a gradient is 0.

    Examples
    --------
    >>> conflict_columns({"features": torch.tensor([[4.0, -3.0], [-3.0, 9.0]])}, ("semantics", "height"))
    {'norm_features_semantics': 2.0, 'norm_features_height': 3.0, 'cosine_features_semantics_height': -0.5}
    """
    values: dict[str, float] = {}
    for level, products in gramians.items():
        norms = products.diagonal().sqrt()
        cosines = (products / (norms[:, None] * norms)).clamp(-1, 1)
        values |= {norm_column(level, task): norm for task, norm in zip(tasks, norms.tolist(), strict=True)}
        for first, second in combinations(range(len(tasks)), 2):
            values[cosine_column(level, tasks[first], tasks[second])] = float(cosines[first, second])
    return values
