"""Outputs of networks for the blender: maps of all tasks, stacked along the channels."""

from collections.abc import Mapping

import torch
from torch import Tensor

from mtlaerial.config import PredictionSpec, Task, task_entry
from mtlaerial.config.task_entry import Shows
from mtlaerial.prediction.class_shares import entropy_bits
from mtlaerial.prediction.sample_means import SampleMeans


class StackedOutputs:
    """A network for the blender, whose outputs by task are stacked along the channels.

    Behind the channels of the tasks there is one for each spread of values, which is a variance, and one for the mutual
    information of each task of classes, where the prediction asks for them. All of these are blended as they are: means
    over windows and over the pixels of a cell. The number of samples does not change the number of channels.

    Parameters
    ----------
    prediction : PredictionSpec
        Source of the spread and the further layers.
    outputs : mapping of task to int
        Channels of each task: one per class, and one of values.
    context_scales : tuple of int
        Scales of the surroundings that windows have behind their bands, ascending.

    Attributes
    ----------
    further : list of (task, shows)
        The maps of the channels behind those of the tasks.
    """

    def __init__(
        self, prediction: PredictionSpec, outputs: Mapping[Task, int], context_scales: tuple[int, ...] = ()
    ) -> None:
        self.prediction, self.outputs, self.context_scales = prediction, dict(outputs), context_scales
        entries = {task: task_entry(task) for task in outputs}
        self.further: list[tuple[Task, Shows]] = []
        if prediction.spread_sources:
            self.further += [(task, "deviation") for task, entry in entries.items() if entry.deviation]
        if "mutual_information" in prediction.layers:
            classes = (task for task, entry in entries.items() if entry.output == "classes")
            self.further += [(task, "mutual_information") for task in classes]

    @property
    def channels(self) -> int:
        """Channels of the stacked output."""
        return sum(self.outputs.values()) + len(self.further)

    def slice_of(self, task: Task) -> slice:
        """Return the channels of a task in the stacked output."""
        tasks = list(self.outputs)
        first = sum(self.outputs[earlier] for earlier in tasks[: tasks.index(task)])
        return slice(first, first + self.outputs[task])

    def slice_shown(self, task: Task, shows: Shows) -> slice:
        """Return the channels that a map is made of: a further channel, or those of the task."""
        if (task, shows) not in self.further:
            return self.slice_of(task)
        channel = sum(self.outputs.values()) + self.further.index((task, shows))
        return slice(channel, channel + 1)

    def channels_shown(self, task: Task, shows: Shows) -> slice | list[int]:
        """Return the same; of bounds the channel of the values and, where there is one, that of their variance."""
        if shows not in ("lower", "upper"):
            return self.slice_shown(task, shows)
        spread = [self.slice_shown(task, "deviation")] if (task, "deviation") in self.further else []
        return [part.start for part in (self.slice_of(task), *spread)]

    @property
    def blended_spreads(self) -> list[tuple[int, int]]:
        """Channels of values, and of their variance, to which overlapping windows add their disagreement."""
        if "overlap" not in self.prediction.spread_sources:
            return []
        tasks = [task for task, shows in self.further if shows == "deviation"]
        return [(self.slice_of(task).start, self.slice_shown(task, "deviation").start) for task in tasks]

    def means(self, windows: Tensor) -> dict[Task, Tensor]:
        """Return the means over samples by task, for windows in the file's values.

        Of classes: scores; where their mutual information is asked for, then shares, and the entropy of these. Of
        values, in their maps' unit: values; where a spread is asked for, then their variance.
        """
        raise NotImplementedError

    @torch.inference_mode()
    def __call__(self, windows: Tensor) -> Tensor:
        """Return the stacked outputs, for windows in the file's values."""
        means = self.means(windows)
        parts = [means[task][:, :channels] for task, channels in self.outputs.items()]
        for task, shows in self.further:
            part = means[task][:, self.outputs[task] :]
            parts.append(part if shows == "deviation" else _mutual_information(part))
        return torch.cat(parts, dim=1)

    def _empty_means(self, task: Task) -> SampleMeans:
        """Return the means of a task, to which its samples are to be added."""
        spread = (task, "deviation") in self.further
        return SampleMeans(between=spread and "samples" in self.prediction.spread_sources)


def _mutual_information(means: Tensor) -> Tensor:
    """Return the entropy of the mean shares less the mean entropy, from shares and then their entropy, in bits.

    It is at least 0, as entropy is concave. Houlsby et al. 2011, arXiv 1112.5745; by passes with dropout: Gal, Islam &
    Ghahramani, "Deep Bayesian Active Learning with Image Data", ICML 2017, arXiv 1703.02910.
    """
    return entropy_bits(means[:, :-1], axis=1) - means[:, -1:]
