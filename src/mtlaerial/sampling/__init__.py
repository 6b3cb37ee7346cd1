"""Drawing training patches: where they lie, what of each layer they hold, and drawing ahead of the step."""

from mtlaerial.sampling.sampler import Batch, PatchSampler, build_sampler

__all__ = ["Batch", "PatchSampler", "build_sampler"]
