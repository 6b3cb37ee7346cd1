"""Several networks as one, for the blender: read, blended and written together."""

from collections.abc import Sequence

import torch
from torch import Tensor

from mtlaerial.config import Task, task_entry
from mtlaerial.config.ensemble import Average
from mtlaerial.prediction.map_network import MapNetwork
from mtlaerial.prediction.stacked_outputs import StackedOutputs


class NetworkEnsemble(StackedOutputs):
    """The networks of an ensemble as one.

    Class scores are means over the networks that learn the task, of scores after the activation; values are means or
    medians in the unit of their maps, e.g. metres. The samples of all networks are samples of the ensemble: a variance
    is about the mean over all of them, also where a map shows the median.

    Parameters
    ----------
    networks : sequence of MapNetwork
        With the same prediction. They run one after the other: memory is that of their weights, of the features of one
        of them at a time, and for medians of a channel of values per network.
    heights : Average
        The average of values over the networks, each of which is the mean over its samples.
    """

    def __init__(self, networks: Sequence[MapNetwork], heights: Average = "mean") -> None:
        scales = tuple(sorted({scale for network in networks for scale in network.context_scales}))
        outputs = {task: count for network in networks for task, count in network.outputs.items()}
        super().__init__(networks[0].prediction, outputs, scales)
        self.networks, self.heights = networks, heights

    @torch.inference_mode()
    def means(self, windows: Tensor) -> dict[Task, Tensor]:
        """Return the means over the samples of all networks by task; of medians the first channel is the median."""
        means = {task: self._empty_means(task) for task in self.outputs}
        apart: dict[Task, list[Tensor]] = {task: [] for task in self.outputs if self._has_median(task)}
        for network in self.networks:
            for task, mean in network.means(self._seen_by(network, windows)).items():
                means[task].add(mean)
                if task in apart:
                    apart[task].append(mean[:, :1])
        joined = {task: task_means.mean() for task, task_means in means.items()}
        medians = {task: torch.cat([median(values), joined[task][:, 1:]], dim=1) for task, values in apart.items()}
        return joined | medians

    def _seen_by(self, network: MapNetwork, windows: Tensor) -> Tensor:
        """Return windows with a network's own surroundings behind their bands, or with none."""
        image, *surroundings = windows.chunk(1 + len(self.context_scales), dim=1)
        around = [surroundings[self.context_scales.index(scale)] for scale in network.context_scales]
        return torch.cat([image, *around], dim=1) if surroundings else image

    def _has_median(self, task: Task) -> bool:
        return self.heights == "median" and task_entry(task).activation == "linear"


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
