"""Several networks as one, for the blender: read, blended and written together."""

from collections.abc import Sequence

import torch
from torch import Tensor

from mtlaerial.config import Task, task_entry
from mtlaerial.config.ensemble import Average
from mtlaerial.config.task_entry import Shows
from mtlaerial.prediction.map_network import MapNetwork, StackedOutputs


class NetworkEnsemble(StackedOutputs):
    """The networks of an ensemble as one.

    Class scores are means over the networks that learn the task, of scores after the activation; values are means or
    medians in the unit of their maps, e.g. metres. With dropout, each network makes the passes, and values have a
    channel per network and pass, so that their deviation is that over all of them. Of medians they stand behind a
    channel with the median over the networks of each one's mean over its passes, which the map shows.

    Parameters
    ----------
    networks : sequence of MapNetwork
        With the same number of passes. They run one after the other: memory is that of their weights, of the features
        of one of them at a time, and for medians of a channel of values per network.
    heights : Average
        The average of values over the networks.
    """

    def __init__(self, networks: Sequence[MapNetwork], heights: Average = "mean") -> None:
        self.networks, self.heights = networks, heights
        self.passes = networks[0].passes
        self.context_scales = tuple(sorted({scale for network in networks for scale in network.context_scales}))
        self.learning: dict[Task, int] = {}
        for network in networks:
            for task in network.outputs:
                self.learning[task] = self.learning.get(task, 0) + 1
        channels = {task: count for network in networks for task, count in network.outputs.items()}
        self.outputs = {task: self._channels(task, count) for task, count in channels.items()}

    def slice_shown(self, task: Task, shows: Shows) -> slice:
        """Return the channels that a map is made of: of medians their own, or those of the passes."""
        channels = self.slice_of(task)
        if not (self._is_kept_apart(task) and self._has_median(task)):
            return channels
        behind = channels.start + 1
        return slice(behind, channels.stop) if shows == "deviation" else slice(channels.start, behind)

    @torch.inference_mode()
    def __call__(self, windows: Tensor) -> Tensor:
        """Return class scores and values in their maps' unit, for windows in the file's values."""
        stacks: dict[Task, list[Tensor]] = {task: [] for task in self.outputs}
        for network in self.networks:
            outputs = network(self._seen_by(network, windows))
            for task in network.outputs:
                part, stack = outputs[:, network.slice_of(task)], stacks[task]
                if stack and not self._is_stacked(task):
                    part = stack.pop() + part
                stack.append(part)
        return torch.cat([part for task in stacks for part in self._averages(task, stacks[task])], dim=1)

    def _channels(self, task: Task, count: int) -> int:
        """Return the channels of a task of which each network has ``count``."""
        if not self._is_kept_apart(task):
            return count
        return count * self.learning[task] + int(self._has_median(task))

    def _seen_by(self, network: MapNetwork, windows: Tensor) -> Tensor:
        """Return windows with a network's own surroundings behind their bands, or with none."""
        image, *surroundings = windows.chunk(1 + len(self.context_scales), dim=1)
        around = [surroundings[self.context_scales.index(scale)] for scale in network.context_scales]
        return torch.cat([image, *around], dim=1) if surroundings else image

    def _has_median(self, task: Task) -> bool:
        return self.heights == "median" and task_entry(task).activation == "linear"

    def _is_kept_apart(self, task: Task) -> bool:
        """Tell whether the outputs have channels per network: values of several passes, for their deviation."""
        return self.passes > 1 and task_entry(task).activation == "linear"

    def _is_stacked(self, task: Task) -> bool:
        """Tell whether the networks' outputs of a task are all needed at once; of others their sum is enough."""
        return self._is_kept_apart(task) or self._has_median(task)

    def _averages(self, task: Task, stack: list[Tensor]) -> list[Tensor]:
        apart = stack if self._is_kept_apart(task) else []
        if self._has_median(task):
            return [median([part.mean(dim=1, keepdim=True) for part in stack]), *apart]
        return apart or [total / self.learning[task] for total in stack]


def median(values: Sequence[Tensor]) -> Tensor:
    """Return the median of tensors, element by element; of an even number the mean of the two in the middle.

    NaN in one of them is NaN in the median.

    Examples
    --------
    >>> median([torch.tensor([1.0, 9.0]), torch.tensor([8.0, 2.0]), torch.tensor([3.0, 4.0])]).tolist()
    [3.0, 4.0]
    """
    # Odd-even transposition sort: an eighth of the time of torch.sort along so short an axis, and no indices in memory.
    ordered, number = list(values), len(values)
    for turn in range(number):
        for place in range(turn % 2, number - 1, 2):
            low, high = ordered[place], ordered[place + 1]
            ordered[place], ordered[place + 1] = torch.minimum(low, high), torch.maximum(low, high)
    lower, upper = ordered[(number - 1) // 2], ordered[number // 2]
    return lower if number % 2 else (lower + upper) / 2
