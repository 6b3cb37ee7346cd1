"""Adapter between a trained network and the blending engine, and the conversion of blended values to maps."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mtlaerial.config import IGNORED, PredictionSpec, Task, task_entry
from mtlaerial.config.task_entry import Shows
from mtlaerial.models.height_heads import HeightHead
from mtlaerial.models.normalisation import Normalisation
from mtlaerial.prediction.blending.blender import Blender
from mtlaerial.prediction.blending.windows import even, original
from mtlaerial.prediction.views import mean_over_views, views_of

Passes = Callable[[Tensor], Iterable[Mapping[Task, Tensor]]]
"""From images to the network's outputs by task: one mapping, or one per pass with dropout."""


class StackedOutputs:
    """A network for the blender, whose outputs by task are stacked along the channels.

    Attributes
    ----------
    outputs : dict of task to int
        Channels of each task: one per class, and one of values per pass.
    context_scales : tuple of int
        Scales of the surroundings that windows have behind their bands, ascending.
    passes : int
        Passes with dropout; 1 without.
    """

    outputs: dict[Task, int]
    context_scales: tuple[int, ...]
    passes: int

    @property
    def channels(self) -> int:
        """Channels of the stacked output."""
        return sum(self.outputs.values())

    def slice_of(self, task: Task) -> slice:
        """Return the channels of a task in the stacked output."""
        tasks = list(self.outputs)
        first = sum(self.outputs[earlier] for earlier in tasks[: tasks.index(task)])
        return slice(first, first + self.outputs[task])

    def slice_shown(self, task: Task, shows: Shows) -> slice:
        """Return the channels that a map of a task is made of."""
        return self.slice_of(task)

    def __call__(self, windows: Tensor) -> Tensor:
        """Return class scores and values in their maps' unit, for windows in the file's values."""
        raise NotImplementedError


class MapNetwork(StackedOutputs):
    """A trained network for the blender: class scores, and values in their maps' unit, stacked along the channels.

    Scores are means over the passes. Values have a channel per pass, so that each pass is blended separately.

    Parameters
    ----------
    forward : Passes
        The network in its precision; ``prediction.dropout_passes`` passes, or one where that is 0.
    normalise : Normalisation
    prediction : PredictionSpec
        Source of activation, views and passes.
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
        self.forward, self.normalise, self.heights, self.multiple = forward, normalise, heights, multiple
        self.activation, self.views = prediction.activation, views_of(prediction.views)
        self.passes = max(1, prediction.dropout_passes)
        self.context_scales = (context_scale,) if context_scale else ()
        entries = {task: task_entry(task) for task in outputs}
        linear = [task for task, entry in entries.items() if entry.activation == "linear"]
        self.factors = {task: heights.unit / entries[task].metres for task in linear}
        self.outputs = {task: self.passes if task in linear else channels for task, channels in outputs.items()}

    @torch.inference_mode()
    def __call__(self, windows: Tensor) -> Tensor:
        """Return class scores and values in their maps' unit, for windows in the file's values."""
        return mean_over_views(self._run, self.normalise(windows), self.views, self.multiple)

    def _run(self, image: Tensor) -> Tensor:
        stacks: dict[Task, list[Tensor]] = {task: [] for task in self.outputs}
        for outputs in self.forward(image.contiguous(memory_format=torch.channels_last)):
            for task, stack in stacks.items():
                output = outputs[task].float()
                if task in self.factors:
                    stack.append(self.heights.values(output) * self.factors[task])
                else:
                    total = stack.pop() if stack else torch.zeros((), device=image.device)
                    stack.append(total + self._scores(output) / self.passes)
        return torch.cat([part for stack in stacks.values() for part in stack], dim=1)

    def _scores(self, logits: Tensor) -> Tensor:
        return logits.softmax(dim=1) if self.activation == "softmax" else logits.sigmoid()


def build_blender(network: StackedOutputs, prediction: PredictionSpec, multiple: int, device: torch.device) -> Blender:
    """Return the engine that runs a network by a specification; windows' sizes are divisible by ``multiple``."""
    window, stride = prediction.window, prediction.stride
    layout = original(window, stride) if prediction.blend == "original" else even(window, window - stride, multiple)
    return Blender(network, network.channels, layout, prediction.batch, device, network.context_scales)


def class_codes(scores: Tensor) -> NDArray[np.uint8]:
    """Return the class of the highest score, ``IGNORED`` where scores are NaN, from (classes, rows, columns)."""
    best = scores.amax(dim=0)  # NaN where any score is NaN, and NaN equals nothing
    # Class by class, as argmax over the first axis takes six times as long on the CPU. Backwards, so that of equal
    # scores the first class wins.
    codes = torch.full(best.shape, IGNORED, dtype=torch.uint8, device=best.device)
    for code in reversed(range(len(scores))):
        codes.masked_fill_(scores[code] == best, code)
    return codes.cpu().numpy()


def mean_over_passes(values: Tensor) -> NDArray[np.float32]:
    """Return the mean over passes, from (passes, rows, columns)."""
    return values.mean(dim=0).cpu().numpy()


def deviation_over_passes(values: Tensor) -> NDArray[np.float32]:
    """Return the standard deviation over passes; divided by n, as numpy's, not by n - 1."""
    return values.std(dim=0, correction=0).cpu().numpy()


MAKERS: dict[Shows, Callable[[Tensor], NDArray[Any]]] = {
    "classes": class_codes,
    "mean": mean_over_passes,
    "deviation": deviation_over_passes,
}
"""From a task's blended values, (channels, rows, columns), to a map's, (rows, columns), by what the map shows."""


def inference_forward(model: nn.Module, precision: str, device: torch.device) -> Passes:
    """Return the model's forward, one pass, in a precision named as in Fabric, e.g. ``bf16-mixed``."""

    def forward(image: Tensor) -> Iterator[Mapping[Task, Tensor]]:
        with in_precision(precision, device):
            outputs: Mapping[Task, Tensor] = model(image)
        yield outputs

    return forward


def in_precision(precision: str, device: torch.device) -> torch.autocast:
    """Return the autocast context of a precision named as in Fabric."""
    dtype = {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}.get(precision)
    return torch.autocast(device.type, dtype, enabled=dtype is not None)
