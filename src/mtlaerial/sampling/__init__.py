"""Training patches: poses, resampling from each layer's own grid, augmentation, prefetch."""

from mtlaerial.sampling.sampler import Batch, PatchSampler, build_sampler

__all__ = ["Batch", "PatchSampler", "build_sampler"]
