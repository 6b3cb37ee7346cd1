"""Mean over several networks, for the blender: read, blended and written as one."""

from collections.abc import Sequence

import torch
from torch import Tensor

from mtlaerial.config import Task, task_entry
from mtlaerial.prediction.map_network import MapNetwork, StackedOutputs


class NetworkMean(StackedOutputs):
    """The networks of an ensemble as one.

    Class scores are means over the networks that learn the task, of scores after the activation; values are means in
    the unit of their maps, e.g. metres. With dropout, each network makes the passes, and values have a channel per
    network and pass, so that their deviation is that over all of them.

    Parameters
    ----------
    networks : sequence of MapNetwork
        With the same number of passes. They run one after the other: memory is that of their weights, and of the
        features of one of them at a time.
    """

    def __init__(self, networks: Sequence[MapNetwork]) -> None:
        self.networks = networks
        self.passes = networks[0].passes
        self.context_scales = tuple(sorted({scale for network in networks for scale in network.context_scales}))
        self.learning: dict[Task, int] = {}
        for network in networks:
            for task in network.outputs:
                self.learning[task] = self.learning.get(task, 0) + 1
        channels = {task: count for network in networks for task, count in network.outputs.items()}
        self.outputs = {
            task: count * (self.learning[task] if self._is_kept_apart(task) else 1) for task, count in channels.items()
        }

    @torch.inference_mode()
    def __call__(self, windows: Tensor) -> Tensor:
        """Return class scores and values in their maps' unit, for windows in the file's values."""
        stacks: dict[Task, list[Tensor]] = {task: [] for task in self.outputs}
        for network in self.networks:
            outputs = network(self._seen_by(network, windows))
            for task in network.outputs:
                part, stack = outputs[:, network.slice_of(task)], stacks[task]
                if stack and not self._is_kept_apart(task):
                    part = stack.pop() + part
                stack.append(part)
        return torch.cat([part for task in stacks for part in self._means(task, stacks[task])], dim=1)

    def _seen_by(self, network: MapNetwork, windows: Tensor) -> Tensor:
        """Return windows with a network's own surroundings behind their bands, or with none."""
        image, *surroundings = windows.chunk(1 + len(self.context_scales), dim=1)
        around = [surroundings[self.context_scales.index(scale)] for scale in network.context_scales]
        return torch.cat([image, *around], dim=1) if surroundings else image

    def _is_kept_apart(self, task: Task) -> bool:
        """Tell whether the networks' outputs of a task are stacked: values of several passes, for their deviation."""
        return self.passes > 1 and task_entry(task).activation == "linear"

    def _means(self, task: Task, stack: list[Tensor]) -> list[Tensor]:
        if self._is_kept_apart(task):
            return stack
        return [total / self.learning[task] for total in stack]
