"""One update of the network: draw patches, run them in passes, weigh the tasks, step."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from mtlaerial.config import Task
from mtlaerial.models import D3Net
from mtlaerial.models.frozen_batchnorm import frozen_statistics
from mtlaerial.models.normalisation import Normalisation
from mtlaerial.runs.plan import RunPlan
from mtlaerial.sampling import Batch, PatchSampler
from mtlaerial.sampling.colour import change_colours
from mtlaerial.sampling.prefetch import Draw, Prefetcher
from mtlaerial.training.losses import TaskLosses
from mtlaerial.training.optimiser import learning_rate
from mtlaerial.training.process_group import Group
from mtlaerial.weighting import Pass, Step, Weighting
from mtlaerial.weighting.gradient_conflict import feature_gramian


@dataclass(frozen=True)
class Update:
    """What is known of an update.

    Attributes
    ----------
    losses : Tensor, shape (tasks,)
        This process's share of them.
    weights : Tensor, shape (tasks,)
        In the trunk.
    gramian : Tensor, shape (tasks, tasks), or None
        Inner products of the tasks' gradients with respect to the features, before the update; where asked for.
    """

    losses: Tensor
    weights: Tensor
    gramian: Tensor | None


@dataclass(frozen=True)
class _Drawn:
    """The share of a batch that this process has, and how much truth there is in the whole batch."""

    patches: Batch
    amounts: dict[Task, Tensor]
    seed: int

    def parts(self, number: int) -> Iterator["_Drawn"]:
        """Yield as many parts of equal size."""
        size = len(self.patches.image) // number
        for index in range(number):
            own = slice(index * size, (index + 1) * size)
            yield _Drawn(self.patches[own], self.amounts, _another(self.seed, index))


class Updater:
    """Updates the network; everything random in it follows from the seed and the step, so a resumed run repeats it.

    Parameters
    ----------
    plan : RunPlan
    fabric : Fabric
    network, optimiser, losses, weighting, sampler, normalise
        What an update needs; the optimiser is the fabric's.

    Raises
    ------
    TrainingError
        When the batch cannot be divided evenly over processes and passes.
    """

    def __init__(
        self, plan: RunPlan, fabric: Any, network: D3Net, optimiser: Any,
        losses: TaskLosses, weighting: Weighting, sampler: PatchSampler, normalise: Normalisation,
    ) -> None:  # fmt: skip
        self.spec, self.seed = plan.training, plan.seed
        self.fabric, self.network, self.optimiser = fabric, network, optimiser
        self.losses, self.weighting, self.sampler, self.normalise = losses, weighting, sampler, normalise
        self.group = Group.current()
        self.share = self.group.share(self.spec.batch, self.spec.accumulate)
        self.trunk: list[Tensor] = list(network.trunk.parameters())
        self.heads: dict[Task, list[Tensor]] = {task: list(network.heads[task].parameters()) for task in network.tasks}
        # On the CPU drawing would take from the step the very cores that it saves.
        self._prefetcher = (
            Prefetcher(self._sample, self.spec.steps, fabric.device) if fabric.device.type == "cuda" else None
        )
        self._patches: Draw = self._prefetcher or self._sample

    def __call__(self, number: int, looked_at: bool = False) -> Update:
        """Make the update of a step, counted from 0; look at the tasks' gradients before it, if wanted."""
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(self.spec, number, self.spec.steps)
        batches = self.draw(number)
        self.optimiser.zero_grad()
        found = self.gradients(batches, looked_at)
        if self.spec.clip_norm:
            self.fabric.clip_gradients(
                self.network, self.optimiser, max_norm=self.spec.clip_norm, error_if_nonfinite=False
            )
        if self.weighting.looks_again:
            self._step_and_look_again(batches[0])
        else:
            self.optimiser.step()
        return found

    def close(self) -> None:
        """End what works in the background."""
        if self._prefetcher:
            self._prefetcher.close()

    def _step_and_look_again(self, batch: _Drawn) -> None:
        scale = self._scale()
        self.optimiser.step()
        if self._scale() >= scale:  # it falls when 16-bit gradients overflowed: then nothing was updated
            self.weighting.observe(self._losses_now(batch))

    def draw(self, number: int) -> list[_Drawn]:
        """Draw this process's share of the independent batches of a step."""
        seed = self._step_seed(number)
        torch.manual_seed(seed)
        return [self._drawn(patches, _another(seed, index)) for index, patches in enumerate(self._patches(number))]

    def _sample(self, number: int) -> list[Batch]:
        """Draw the patches of a step, with images as the network wants them; all follows from the step's number."""
        generator = torch.Generator().manual_seed(self._step_seed(number))
        return [self._batch(generator) for _ in range(self.weighting.batches)]

    def _batch(self, generator: torch.Generator) -> Batch:
        truth = self.sampler.draw(self.spec.batch, generator, self.share)
        strength = self.spec.augmentation.colour
        image = change_colours(self.normalise(truth.image), strength, generator, self.spec.batch, self.share)
        order = torch.channels_last if self.spec.channels_last else torch.contiguous_format
        return replace(truth, image=image.contiguous(memory_format=order))

    def _drawn(self, patches: Batch, seed: int) -> _Drawn:
        amounts = self.losses.amounts(patches, self.network.tasks)
        self.group.add_up(list(amounts.values()))
        return _Drawn(patches, amounts, _another(seed, self.group.rank))

    def _step_seed(self, number: int) -> int:
        return self.seed * 2**32 + number

    def gradients(self, batches: list[_Drawn], looked_at: bool = False) -> Update:
        """Set the gradients of all parameters."""
        values: list[Tensor] = []
        tables: list[Tensor] = []

        def passes(index: int) -> Iterator[Pass]:
            for part in batches[index].parts(self.spec.accumulate):
                done = self._forward(part)
                if index == len(batches) - 1:  # the one that the update follows
                    values.append(torch.stack([loss.detach() for loss in done.losses.values()]))
                    if looked_at:
                        tables.append(self._look(done, part))
                yield done

        step = Step(
            self.trunk, self.heads, passes, self.spec.accumulate, self.spec.batch, self._scaled, self.group.add_up
        )
        weights = self.weighting.backward(step)
        gramian = torch.stack(tables).sum(dim=0) / step.factor**2 if tables else None
        if gramian is not None:
            self.group.add_up([gramian])
        return Update(torch.stack(values).sum(dim=0), weights, gramian)

    def _forward(self, part: _Drawn) -> Pass:
        image = part.patches.image.requires_grad_(self.weighting.differentiates_image)
        state = torch.get_rng_state()
        torch.manual_seed(part.seed)
        with self.fabric.autocast():
            features = self.network.features(image)
            cuts = self.weighting.cuts(self.spec.accumulate)
            seen = tuple(f.detach().requires_grad_() for f in features) if cuts else features
            losses = self.losses(self.network.outputs(seen), part.patches, part.amounts)
        torch.set_rng_state(state)  # what weightings draw is the same in all processes
        return Pass(losses, features, seen, image)

    def _look(self, done: Pass, part: _Drawn) -> Tensor:
        """Run the heads once more, on leaves: only so are the features' gradients the heads' own."""
        seen = tuple(f.detach().requires_grad_() for f in done.features)
        with frozen_statistics(self.network), self.fabric.autocast():
            losses = self.losses(self.network.outputs(seen), part.patches, part.amounts)
        return feature_gramian({task: self._scaled(loss) for task, loss in losses.items()}, seen)

    def _losses_now(self, batch: _Drawn) -> Tensor:
        """Return the losses of a batch, shape (tasks,), with the network as it is now."""
        with torch.no_grad(), frozen_statistics(self.network):
            found = [list(self._forward(part).losses.values()) for part in batch.parts(self.spec.accumulate)]
        total = torch.stack([torch.stack(losses) for losses in found]).sum(dim=0)
        self.group.add_up([total])
        return total

    def _scaled(self, loss: Tensor) -> Tensor:
        return self._scaler.scale(loss) if self._scaler else loss

    def _scale(self) -> float:
        return float(self._scaler.get_scale()) if self._scaler else 1.0

    @property
    def _scaler(self) -> Any:
        return getattr(self.fabric.strategy.precision, "scaler", None)


def _another(seed: int, index: int) -> int:
    """Return the seed itself for the first, and an unrelated one for each other."""
    if index == 0:
        return seed
    return int.from_bytes(hashlib.blake2b(f"{seed} {index}".encode(), digest_size=7).digest(), "big")
