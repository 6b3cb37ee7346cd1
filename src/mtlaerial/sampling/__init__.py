"""Training patches: poses, resampling from each layer's own grid, augmentation, prefetch."""

from mtlaerial.sampling.building import build_sampler
from mtlaerial.sampling.sampler import Batch, PatchSampler

__all__ = ["Batch", "PatchSampler", "build_sampler"]
