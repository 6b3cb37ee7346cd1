"""Adapter between a trained network and the blending engine."""

from collections.abc import Callable, Iterable, Iterator, Mapping

import torch
from torch import Tensor

from mtlaerial.config import PredictionSpec, Task, task_entry
from mtlaerial.models.height_heads import HeadWithScale, HeightHead
from mtlaerial.models.normalisation import Normalisation
from mtlaerial.prediction.blending.blender import Blender
from mtlaerial.prediction.blending.windows import even, original
from mtlaerial.prediction.class_shares import class_shares, entropy_bits
from mtlaerial.prediction.engines.engine import Engine
from mtlaerial.prediction.stacked_outputs import StackedOutputs
from mtlaerial.prediction.views import views_of

Passes = Callable[[Tensor], Iterable[Mapping[Task, Tensor]]]
"""From images to the network's outputs by task: one mapping, or one per pass with dropout."""


class MapNetwork(StackedOutputs):
    """A trained network for the blender: class scores, and values in their maps' unit, stacked along the channels.

    Each pass over each view is a sample; maps are means over the samples.

    Parameters
    ----------
    forward : Passes
        The network in its precision; ``prediction.dropout_passes`` passes, or one where that is 0.
    normalise : Normalisation
    prediction : PredictionSpec
        Source of activation, views, spread and layers.
    outputs : mapping of task to int
        Channels of each task's output.
    heights : HeightHead
        The meaning of the network's outputs of values, on their device.
    multiple : int
        Divisor of the sides of images that the network takes; views at other scales are filled up to it.
    context_scale : int, optional
        That of the network's context: it gets windows with their surroundings behind the bands.
    """

    def __init__(
        self,
        forward: Passes,
        normalise: Normalisation,
        prediction: PredictionSpec,
        outputs: Mapping[Task, int],
        heights: HeightHead,
        multiple: int = 32,
        context_scale: int | None = None,
    ) -> None:
        entries = {task: task_entry(task) for task in outputs}
        linear = [task for task, entry in entries.items() if entry.activation == "linear"]
        channels = {task: 1 if task in linear else count for task, count in outputs.items()}
        super().__init__(prediction, channels, (context_scale,) if context_scale else ())
        self.forward, self.normalise, self.heights, self.multiple = forward, normalise, heights, multiple
        self.views = views_of(prediction.views)
        self.factors = {task: heights.unit / entries[task].metres for task in linear}

    @torch.inference_mode()
    def means(self, windows: Tensor) -> dict[Task, Tensor]:
        """Return the means over passes and views by task; see :meth:`StackedOutputs.means`."""
        image = self.normalise(windows)
        means = {task: self._empty_means(task) for task in self.outputs}
        # A sample at a time: memory is that of the largest view, whatever their number.
        for view in self.views:
            copy = view.of(image, self.multiple)
            for outputs in self.forward(copy.contiguous(memory_format=torch.channels_last)):
                for task, task_means in means.items():
                    channels = self._channels(task, outputs[task].float())
                    task_means.add(self._sample(task, view.back(channels, image, self.multiple)))
        return {task: task_means.mean() for task, task_means in means.items()}

    def _channels(self, task: Task, output: Tensor) -> Tensor:
        """Return class scores, or values in their maps' unit and their variance where a spread is asked for."""
        if task not in self.factors:
            return output.softmax(dim=1) if self.prediction.activation == "softmax" else output.sigmoid()
        values = self.heights.values(output) * self.factors[task]
        if (task, "deviation") not in self.further:
            return values
        variance = torch.zeros_like(values)
        if "head" in self.prediction.spread_sources and isinstance(self.heights, HeadWithScale):
            variance = self.heights.variance(output) * self.factors[task] ** 2
        return torch.cat([values, variance], dim=1)

    def _sample(self, task: Task, channels: Tensor) -> Tensor:
        """Return the channels of a sample at the window's pixels, with what mutual information needs."""
        if (task, "mutual_information") not in self.further:
            return channels
        shares = class_shares(channels, axis=1)
        return torch.cat([channels, shares, entropy_bits(shares, axis=1)], dim=1)


def build_blender(network: StackedOutputs, prediction: PredictionSpec, multiple: int, device: torch.device) -> Blender:
    """Return the engine that runs a network by a specification with a number as batch.

    Windows' sizes are divisible by ``multiple``.
    """
    window, stride = prediction.window, prediction.stride
    layout = original(window, stride) if prediction.blend == "original" else even(window, window - stride, multiple)
    scales, spreads = network.context_scales, network.blended_spreads
    assert prediction.batch != "auto"
    # Compiled code is made for each shape: no smaller batch at the end of a row.
    whole_batches = prediction.engine == "inductor"
    return Blender(network, network.channels, layout, prediction.batch, device, scales, spreads, whole_batches)


def single_pass(engine: Engine) -> Passes:
    """Return an engine's outputs as those of one pass."""

    def forward(image: Tensor) -> Iterator[Mapping[Task, Tensor]]:
        yield engine(image)

    return forward
