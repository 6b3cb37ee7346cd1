"""The batches of a step: drawn, normalised, shared among processes, and divided into parts."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor

from mtlaerial.config import Task
from mtlaerial.models.normalisation import Normalisation
from mtlaerial.runs.plan import RunPlan
from mtlaerial.sampling import Batch, PatchSampler
from mtlaerial.sampling.prefetch import Draw, Prefetcher
from mtlaerial.sampling.radiometry import Radiometry, fill_of
from mtlaerial.training.losses import TaskLosses
from mtlaerial.training.process_group import Group

Purpose = Literal["patches", "weighting", "dropout"]
"""Use of random numbers of a step; those of one purpose tell nothing of another's."""


@dataclass(frozen=True)
class BatchShare:
    """Patches of a batch that belong to this process.

    Attributes
    ----------
    patches : Batch
    amounts : mapping of task to Tensor
        Denominators of the loss means, over the whole batch in all processes.
    seed : int
        Seed of the dropout.
    """

    patches: Batch
    amounts: dict[Task, Tensor]
    seed: int

    def parts(self, number: int) -> Iterator["BatchShare"]:
        """Yield ``number`` parts of equal size."""
        size = len(self.patches.image) // number
        for index in range(number):
            part = slice(index * size, (index + 1) * size)
            yield BatchShare(self.patches[part], self.amounts, _derived_seed(self.seed, index))


class StepBatches:
    """Draws the batches of each step; everything follows from the run's seed and the step's number.

    Parameters
    ----------
    plan : RunPlan
    sampler : PatchSampler
    normalise : Normalisation
    losses : TaskLosses
        Gives the denominators of the loss means.
    number : int
        Independent batches per step.

    Raises
    ------
    TrainingError
        When a batch cannot be divided evenly over processes and passes.
    """

    def __init__(
        self, plan: RunPlan, sampler: PatchSampler, normalise: Normalisation, losses: TaskLosses, number: int
    ) -> None:
        self.spec, self.seed, self.tasks, self.number = plan.training, plan.seed, plan.tasks, number
        self.context_scale = plan.model.context_scale or 1
        self.sampler, self.normalise, self.losses = sampler, normalise, losses
        fill = fill_of(sampler.tiles, (normalise.lowest, normalise.highest))
        self.change_values = Radiometry(plan.training.augmentation, fill)
        self.group = Group.current()
        self.share = self.group.share(self.spec.batch, self.spec.accumulate)
        # On the CPU a prefetching thread would take from the step the very cores that it saves.
        on_gpu = sampler.device.type == "cuda"
        self._prefetcher = Prefetcher(self._sample, self.spec.steps, sampler.device) if on_gpu else None
        self._patches: Draw = self._prefetcher or self._sample

    def draw(self, step: int) -> list[BatchShare]:
        """Draw this process's share of the batches of a step."""
        seed = self._seed_of(step, "dropout")
        return [self._share(patches, _derived_seed(seed, index)) for index, patches in enumerate(self._patches(step))]

    def generator(self, step: int, purpose: Purpose) -> torch.Generator:
        """Return a generator on the CPU, seeded for a step and a purpose alike in all processes."""
        return torch.Generator().manual_seed(self._seed_of(step, purpose))

    def _seed_of(self, step: int, purpose: Purpose) -> int:
        return _hashed(self.seed, step, purpose)

    def close(self) -> None:
        """End the prefetching thread."""
        if self._prefetcher:
            self._prefetcher.close()

    def _sample(self, step: int) -> list[Batch]:
        generator = self.generator(step, "patches")
        return [self._sample_batch(generator) for _ in range(self.number)]

    def _sample_batch(self, generator: torch.Generator) -> Batch:
        """Draw patches, with images in the network's range and memory order."""
        patches = self.sampler.draw(self.spec.batch, generator, self.share)
        state = generator.get_state()
        image = self._changed(patches.image, generator)
        if patches.surroundings is not None:
            # The same numbers once more: both change their values alike, as one image does.
            generator.set_state(state)
            unknown = patches.surroundings.isnan().all(dim=1, keepdim=True)
            around = self._changed(patches.surroundings, generator, unknown, self.context_scale)
            image = torch.cat([image, around.masked_fill(unknown, 0.0)], dim=1)
        order = torch.channels_last if self.spec.channels_last else torch.contiguous_format
        return replace(patches, image=image.contiguous(memory_format=order), surroundings=None)

    def _changed(
        self, image: Tensor, generator: torch.Generator, unknown: Tensor | None = None, scale: int = 1
    ) -> Tensor:
        """Return patches in the network's range, with other values; nothing is taken from unknown pixels."""
        normalised = self.normalise(image)
        return self.change_values(normalised, image, generator, self.spec.batch, self.share, unknown, scale)

    def _share(self, patches: Batch, seed: int) -> BatchShare:
        amounts = self.losses.amounts(patches, self.tasks)
        self.group.add_up(list(amounts.values()))
        return BatchShare(patches, amounts, _derived_seed(seed, self.group.rank))


def _derived_seed(seed: int, index: int) -> int:
    """Return the seed itself for index 0, and an unrelated one for each other.

    Seeds are derived for batch, rank and part in turn, so they coincide where the same index stands alone: batch 1,
    rank 1 and part 1 of an otherwise first share drop the same features. Their patches differ, so no harm follows.
    """
    if index == 0:
        return seed
    return _hashed(seed, index)


def _hashed(*parts: object) -> int:
    """Return a seed of 32 bits, all that torch's generator on the CPU takes, which follows from numbers and names."""
    return int.from_bytes(hashlib.blake2b(" ".join(map(str, parts)).encode(), digest_size=4).digest(), "big")
