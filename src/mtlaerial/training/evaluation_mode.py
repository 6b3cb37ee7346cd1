"""Check of a trained network in evaluation mode, in which it makes maps, where no validation tile tells of it.

In training mode batch norms normalise each pass by its own statistics, in evaluation mode by running ones. Where these
have not settled, or fit patches and not the larger windows of a prediction, losses are low and maps are wrong.
"""

from collections.abc import Sequence
from contextlib import closing
from math import isnan
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from mtlaerial.config import IGNORED, Augmentation, Task, task_entry
from mtlaerial.config.class_names import untrained_classes
from mtlaerial.models import Network
from mtlaerial.models.frozen_batchnorm import frozen_statistics
from mtlaerial.models.height_heads import build_height_head
from mtlaerial.runs.constant_height import constant_of
from mtlaerial.sampling import Batch, PatchSampler
from mtlaerial.training.step_batches import BatchShare, StepBatches
from mtlaerial.training.train_step import TrainStep, seeded

if TYPE_CHECKING:
    from mtlaerial.training.trainer import Trainer

PATCHES, WINDOWS = 16, 3
"""Patches and windows that are looked at, at least: several, as one may lack truth."""
NOTABLE = 1.25
"""Error in multiples of the expected one, up to which both are much the same."""
_WORSE = "In evaluation mode, in which it makes maps, the network is worse"


def evaluation_mode_fault(trainer: "Trainer", tasks: Sequence[Task]) -> str:
    """Return a sentence where a network is much worse in evaluation mode than in training mode; empty where it is not.

    Both modes are compared on the same patches of the training tiles, which no update has seen; then evaluation mode in
    windows of the prediction's size with both. Much worse is an error that is nearer to that of a constant prediction
    than to that which is expected, and more than ``NOTABLE`` times the latter.

    Parameters
    ----------
    trainer : Trainer
        At its end. All its processes make this call; the network is left in evaluation mode.
    tasks : sequence of Task
        Tasks that are looked at.
    """
    if not tasks:
        return ""
    step, spec = trainer.update, trainer.spec
    step.begin_epoch(trainer.epoch - 1)  # parts that were frozen to the end stay so
    training = [module.training for module in step.network.modules()]
    evaluation = [False] * len(training)
    unseen = range(spec.steps, spec.steps + -(-PATCHES // spec.batch))  # numbers that no update had
    on_patches = _mean_errors(trainer, tasks, step.batches, unseen, [evaluation, training])
    faults = [_fault(task, *on_patches[task]) for task in tasks]
    if any(faults):
        remedy = "train for more updates or with more patches in a pass, and list validation tiles"
        cause = f"Running statistics of batch norms may not have settled: {remedy}."
        return f"{_WORSE} on patches of the training tiles than in training mode: {_listed(faults)}. {cause}"
    windows = _window_batches(trainer)
    if windows is None:
        return ""
    with closing(windows):
        in_windows = _mean_errors(trainer, tasks, windows, range(WINDOWS), [evaluation])
    faults = [_fault(task, in_windows[task][0], max(on_patches[task][:2]), in_windows[task][1]) for task in tasks]
    if not any(faults):
        return ""
    side, patch = windows.spec.patch, spec.patch
    remedy = f"predict with prediction.window {patch}, train on larger patches, or list validation tiles"
    where = f"in windows of {side} pixels of the training tiles"
    return f"{_WORSE} {where} than it is on patches of {patch} pixels: {_listed(faults)}. To mend it, {remedy}."


def _window_batches(trainer: "Trainer") -> StepBatches | None:
    """Return batches of windows of the prediction's size as they are in the tiles; None where patches are as large."""
    step, plan = trainer.update.batches, trainer.plan
    sides = [side for tile in step.sampler.tiles for side in (tile.rows, tile.columns)]
    window = min(plan.prediction.window, *sides) // plan.model.multiple * plan.model.multiple
    if window <= plan.training.patch:
        return None
    plain = Augmentation(flip=False, rotation=0)
    changes = {"patch": window, "batch": trainer.group.size, "accumulate": 1, "augmentation": plain}
    training = plan.training.model_copy(update=changes)
    scale = plan.model.context_scale
    sampler = PatchSampler(step.sampler.tiles, window, plain, None, trainer.device, scale, plan.tasks)
    windows = plan.model_copy(update={"training": training})
    return StepBatches(windows, sampler, step.normalise, step.losses, number=1)


def _mean_errors(
    trainer: "Trainer", tasks: Sequence[Task], batches: StepBatches, numbers: range, modes: Sequence[Sequence[bool]]
) -> dict[Task, list[float]]:
    """Return the mean errors of the pixels in each mode, then that of a constant, by task; NaN without truth.

    Errors are metres, or 1 for a wrong class.
    """
    step, truth = trainer.update, _Truth(trainer)
    sums = {task: torch.zeros(2 + len(modes), dtype=torch.float64, device=trainer.device) for task in tasks}
    for number in numbers:
        for batch in batches.draw(number):
            for part in batch.parts(batches.spec.accumulate):
                outputs = [_outputs(step, trainer.evaluation.network, part, mode) for mode in modes]
                for task in tasks:
                    sums[task] += truth.error_sums(task, part.patches, [each[task] for each in outputs])
    trainer.evaluation.network.eval()
    trainer.group.add_up(list(sums.values()))
    return {task: (total[1:] / total[0]).tolist() for task, total in sums.items()}


@torch.no_grad()
def _outputs(step: TrainStep, network: Network, part: BatchShare, modes: Sequence[bool]) -> dict[Task, Tensor]:
    """Return a network's outputs with each of its modules in training mode or not; nothing of it is changed else."""
    for module, mode in zip(network.modules(), modes, strict=True):
        module.training = mode
    # Compiled code is not compiled again for a few passes.
    eager = torch.compiler.set_stance("force_eager")
    with eager, frozen_statistics(network), seeded(part.seed, step.fabric.device), step.fabric.autocast():
        outputs = network.outputs(network.features(part.patches.image))
    return {task: output.float() for task, output in outputs.items()}


class _Truth:
    """The truth that a training learns from, and the constant prediction beside it."""

    def __init__(self, trainer: "Trainer") -> None:
        self._statistics = trainer.statistics
        self._head = build_height_head(trainer.spec).to(trainer.device)
        untrained = self._statistics.codes(untrained_classes(trainer.spec))
        self._ignored = torch.tensor([IGNORED, *untrained], device=trainer.device)
        pixels = [0 if code in untrained else entry.pixels for code, entry in enumerate(self._statistics.classes)]
        self._majority = pixels.index(max(pixels, default=0)) if pixels else IGNORED

    def error_sums(self, task: Task, patches: Batch, outputs: Sequence[Tensor]) -> Tensor:
        """Return the number of pixels with truth, the sums of each output's errors, and that of a constant's."""
        errors = self._class_errors if task_entry(task).output == "classes" else self._height_errors
        valid, *found = errors(task, patches, outputs)
        sums = [valid.sum(), *(torch.where(valid, error, 0).sum(dtype=torch.float64) for error in found)]
        return torch.stack([total.double() for total in sums])

    def _class_errors(self, _: Task, patches: Batch, outputs: Sequence[Tensor]) -> list[Tensor]:
        labels = patches.labels
        predicted = [output.argmax(dim=1) for output in outputs]
        constant = torch.full_like(labels, self._majority)
        return [~torch.isin(labels, self._ignored), *(codes != labels for codes in (*predicted, constant))]

    def _height_errors(self, task: Task, patches: Batch, outputs: Sequence[Tensor]) -> list[Tensor]:
        entry = task_entry(task)
        heights = patches.derived[task] if entry.derivation else patches.height
        counts_all = self._statistics.zero_height or entry.derivation
        valid = heights.isfinite() if counts_all else heights > 0
        predicted = [self._head.values(output)[:, 0] * self._head.unit for output in outputs]
        constant = torch.full_like(heights, constant_of(entry, self._statistics))
        return [valid, *((metres - heights).abs() for metres in (*predicted, constant))]


def _fault(task: Task, error: float, expected: float, constant: float) -> str:
    """Return a phrase where an error of a task is much larger than expected; empty where not, or without truth."""
    # An error that is no number is worse than any, unless there is no truth to tell.
    if isnan(constant) or isnan(expected) or error <= max((expected + constant) / 2, NOTABLE * expected):
        return ""
    if task_entry(task).output == "classes":
        return f"{task} is wrong at {100 * error:.3g} % of the pixels instead of {100 * expected:.3g} %"
    return f"{task} is off by {error:.3g} m instead of {expected:.3g} m"


def _listed(faults: Sequence[str]) -> str:
    return "; ".join(filter(None, faults))
