"""One update of the network: draw, forward, losses, weigh, clip, update, average."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from mtlaerial.config import Task
from mtlaerial.errors import TrainingError
from mtlaerial.models import Network
from mtlaerial.models.frozen_batchnorm import frozen_statistics
from mtlaerial.runs.plan import RunPlan
from mtlaerial.training.compile import begin_step
from mtlaerial.training.conflict_meter import ConflictMeter, Gramians
from mtlaerial.training.freezing import Freezing, trained_parameters, with_trained_scales
from mtlaerial.training.held_parameters import holding
from mtlaerial.training.losses import TaskLosses
from mtlaerial.training.optimiser import clip_gradient, learning_rate, set_learning_rate
from mtlaerial.training.process_group import Group
from mtlaerial.training.step_batches import BatchShare, StepBatches
from mtlaerial.training.weight_average import WeightAverage
from mtlaerial.weighting import Pass, Step, Weighting


@dataclass(frozen=True)
class Update:
    """The record of an update.

    Attributes
    ----------
    losses : Tensor, shape (tasks,)
        This process's share of the losses.
    weights : Tensor, shape (tasks,)
        Each task's weight in the trunk.
    gramians : mapping of level to Tensor, shape (tasks, tasks), or None
        Inner products of the tasks' gradients before the update; None where not measured.
    skipped : Tensor of bool, shape (), or None
        Whether nothing was updated, as the gradients overflowed in 16-bit floats; None in other precisions.
    """

    losses: Tensor
    weights: Tensor
    gramians: Gramians | None
    skipped: Tensor | None = None


class TrainStep:
    """Updates the network; all randomness follows from the seed and the step's number, so a resumed run repeats it.

    Parameters
    ----------
    plan : RunPlan
    fabric : Fabric
    network : Network
    optimiser : torch.optim.Optimizer
        The fabric's wrapper of it.
    losses : TaskLosses
    weighting : Weighting
    batches : StepBatches
    average : WeightAverage, optional
        Takes the weights after each update. One that is skipped counts as weights that stayed, as the host does not
        wait for the device to learn of it.
    """

    def __init__(
        self, plan: RunPlan, fabric: Any, network: Network, optimiser: Any,
        losses: TaskLosses, weighting: Weighting, batches: StepBatches, average: WeightAverage | None = None,
    ) -> None:  # fmt: skip
        self.spec = plan.training
        self.fabric, self.network, self.optimiser = fabric, network, optimiser
        self.losses, self.weighting, self.batches = losses, weighting, batches
        self.average = average
        self.group = Group.current()
        start = plan.model.start
        self.freezing = Freezing(network, start.freeze if start else {})
        self.begin_epoch(0)

    def begin_epoch(self, epoch: int) -> None:
        """Set the network to training, with the parts frozen that an epoch, counted from 0, does not train."""
        self.network.train()
        self.freezing.apply(epoch)
        self.trunk: list[Tensor] = trained_parameters(self.network.trunk)
        self.heads: dict[Task, list[Tensor]] = {
            task: trained_parameters(self.network.heads[task]) for task in self.network.tasks
        }

    def __call__(self, number: int, measure_conflict: bool = False) -> Update:
        """Make the update of a step, counted from 0; measure the conflict of the tasks' gradients before, if asked."""
        self._set_learning_rate(number)
        batches = self.batches.draw(number)
        self.optimiser.zero_grad()
        if self.spec.cuda_graphs:
            begin_step()
        update = self.forward_backward(number, batches, measure_conflict)  # forward, losses, weigh
        if self.spec.clip_norm:
            clip_gradient(self.network, self.optimiser.optimizer, self.spec.clip_norm, self._scaler)
        skipped = self._step_optimiser(batches[-1])
        if self.average:
            self.average.update(self.network)
        return replace(update, skipped=skipped)

    def forward_backward(self, number: int, batches: Sequence[BatchShare], measure_conflict: bool = False) -> Update:
        """Run batches forward and backward, part by part, and leave the weighted gradients at all parameters.

        The update follows the last batch; weightings that need several learn their weights from those before.

        Raises
        ------
        TrainingError
            When a parameter is left without gradient: neither ``add`` nor ``finish`` of the weighting set it.
        """
        step = self._weighting_step(number)
        losses: list[Tensor] = []
        meter = ConflictMeter(step) if measure_conflict else None
        last = len(batches) - 1
        self.weighting.begin(step)
        for index, batch in enumerate(batches):
            for part in batch.parts(self.spec.accumulate):
                forward = self._forward(part, index)
                if index == last:
                    losses.append(torch.stack([loss.detach() for loss in forward.losses.values()]))
                if index == last and meter:
                    self._measure(meter, forward, part)
                self.weighting.add(with_trained_scales(forward))
        weights = self.weighting.finish()
        self._require_gradients(step)
        return Update(torch.stack(losses).sum(dim=0), weights, meter.gramians() if meter else None)

    def _set_learning_rate(self, number: int) -> None:
        set_learning_rate(self.optimiser, learning_rate(self.spec, number, self.spec.steps))

    def _step_optimiser(self, batch: BatchShare) -> Tensor | None:
        """Update the parameters; show the losses of the batch, after that, to a weighting that observes them.

        Returns
        -------
        Tensor of bool, shape (), or None
            As ``Update.skipped``.
        """
        scale = self._scale()
        with holding(self.optimiser.optimizer, self.weighting):
            self.optimiser.step()
        # The scale falls when 16-bit gradients overflowed: then nothing was updated.
        skipped = self._scale() < scale if self._scaler else None
        if self.weighting.looks_again and (skipped is None or not bool(skipped)):
            self.weighting.observe(self._losses_now(batch))
        return skipped

    def _weighting_step(self, number: int) -> Step:
        return Step(
            self.trunk,
            self.heads,
            parts=self.spec.accumulate,
            patches=self.spec.batch,
            scale=self._scaled,
            add_up=self.group.add_up,
            generator=self.batches.generator(number, "weighting"),
        )

    def _forward(self, part: BatchShare, batch: int = 0) -> Pass:
        """Run the network on a part of a batch and compute its losses."""
        image = part.patches.image.requires_grad_(self.weighting.differentiates_image)
        with seeded(part.seed, self.fabric.device), self.fabric.autocast():
            features = self.network.features(image)
            cuts = self.weighting.cuts(self.spec.accumulate)
            head_inputs = _detached(features) if cuts else features
            losses = self.losses(self.network.outputs(head_inputs), part.patches, part.amounts)
        return Pass(losses, features, head_inputs, image, batch)

    def _measure(self, meter: ConflictMeter, forward: Pass, part: BatchShare) -> None:
        """Measure the conflict in a pass; the heads run once more on detached features."""
        leaves = _detached(forward.features)
        # Seeded, so that a resumed training measures what the unbroken one does where heads have dropout.
        with seeded(part.seed, self.fabric.device), frozen_statistics(self.network), self.fabric.autocast():
            losses = self.losses(self.network.outputs(leaves), part.patches, part.amounts)
        meter.add(losses, leaves, forward)

    def _require_gradients(self, step: Step) -> None:
        missing = sum(parameter.grad is None for parameter in step.parameters)
        if missing:
            name, remedy = type(self.weighting).__name__, "Correct the weighting: add() and finish() set all of them."
            raise TrainingError(f"weighting {name}", f"{missing} parameters without gradient", "none", remedy)

    def _losses_now(self, batch: BatchShare) -> Tensor:
        """Return the losses of a batch, shape (tasks,), with the network as it is now."""
        with torch.no_grad(), frozen_statistics(self.network):
            forwards = [self._forward(part) for part in batch.parts(self.spec.accumulate)]
        total = torch.stack([torch.stack(list(forward.losses.values())) for forward in forwards]).sum(dim=0)
        self.group.add_up([total])
        return total

    def _scaled(self, loss: Tensor) -> Tensor:
        return self._scaler.scale(loss) if self._scaler else loss

    def _scale(self) -> Tensor:
        """Return the factor of the losses, without waiting for the device as ``get_scale`` does."""
        return self._scaled(torch.ones((), device=self.fabric.device))

    @property
    def _scaler(self) -> Any:
        return getattr(self.fabric.strategy.precision, "scaler", None)


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Seed torch's global generators, which dropout draws from, and restore them at the end."""
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield


def _detached(features: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return tuple(feature.detach().requires_grad_() for feature in features)
