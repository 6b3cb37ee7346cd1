"""Number of windows that a network is given at once, by the free memory of the GPU."""

import logging
from typing import Protocol

import torch

from mtlaerial.config import PredictionSpec
from mtlaerial.prediction.stacked_outputs import StackedOutputs

SHARE = 0.8
"""Share of the free memory that windows may take: the blender's values need some, and the allocator's gaps."""
MOST = 64
"""Windows at once, at most: more make no GPU faster."""
log = logging.getLogger(__name__)


class DeviceMemory(Protocol):
    """Memory of a device, in bytes."""

    def free(self) -> int:
        """Return what this process could still allocate."""
        ...

    def peak_of(self, network: StackedOutputs, windows: torch.Tensor) -> int:
        """Return how much a pass over windows allocates at most, above what is allocated before."""
        ...


class GPUMemory:
    """Memory of a GPU, by torch's own allocator and CUDA."""

    def __init__(self, device: torch.device) -> None:
        self._device = device

    def free(self) -> int:
        """Return what this process could still allocate: what no process holds, and what torch holds unused."""
        unheld, _ = torch.cuda.mem_get_info(self._device)
        return unheld + torch.cuda.memory_reserved(self._device) - torch.cuda.memory_allocated(self._device)

    def peak_of(self, network: StackedOutputs, windows: torch.Tensor) -> int:
        """Return how much a pass over windows allocates at most, above what is allocated before."""
        windows = windows.to(self._device)
        torch.cuda.reset_peak_memory_stats(self._device)
        before = torch.cuda.memory_allocated(self._device)
        network(windows)
        return torch.cuda.max_memory_allocated(self._device) - before


def window_batch(network: StackedOutputs, prediction: PredictionSpec, bands: int, memory: DeviceMemory | None) -> int:
    """Return the number of windows at once: the stated one; for ``auto`` as many as fit the device's free memory.

    Passes over one window and over two tell what each further one takes.

    Parameters
    ----------
    network : StackedOutputs
    prediction : PredictionSpec
    bands : int
        Of the image, without surroundings.
    memory : DeviceMemory, optional
        None on the CPU, where a window at a time is as fast as several.
    """
    if prediction.batch != "auto":
        return prediction.batch
    if memory is None:
        return 1
    channels, side = bands * (1 + len(network.context_scales)), prediction.window
    one, two = (memory.peak_of(network, torch.zeros(number, channels, side, side)) for number in (1, 2))
    further = max(two - one, 1)
    fitting = 1 + int((SHARE * memory.free() - one) / further)
    batch = min(max(fitting, 1), MOST)
    log.info("%d windows at once, %.0f MB each", batch, further / 2**20)
    return batch
