"""Cost of a prediction: time by pixels of the image and peak memory, measured while it runs."""

import platform
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

import torch

from mtlaerial.runs.cost import PredictionCost
from mtlaerial.system.memory import MEGABYTE, peak_process_memory_mb, process_memory_mb


class PredictionMeter:
    """Times predictions, and watches the peak memory above that at the start.

    Parameters
    ----------
    device : torch.device
        On the CPU the memory is the process's; on a GPU torch's allocations.

    Attributes
    ----------
    pixels : int
        Pixels of the images so far.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self._seconds, self.pixels = 0.0, 0
        self._rest, self._peak_before = process_memory_mb(), peak_process_memory_mb()
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)

    @contextmanager
    def predicting(self, pixels: int) -> Iterator[None]:
        """Time the prediction of an image of so many pixels, whose maps are written when it ends."""
        begun = perf_counter()
        yield
        self._seconds += perf_counter() - begun
        self.pixels += pixels

    def cost(self) -> PredictionCost:
        """Return the cost of all predictions so far."""
        return PredictionCost(
            seconds=self._seconds,
            mpixel=self.pixels / 1e6,
            peak_memory_mb=self._peak_memory_mb(),
            device=self._device_name(),
        )

    def _peak_memory_mb(self) -> float | None:
        if self.device.type == "cuda":
            return torch.cuda.max_memory_allocated(self.device) / MEGABYTE
        peak = peak_process_memory_mb()
        return max(0.0, peak - self._rest) if peak > self._peak_before else None

    def _device_name(self) -> str:
        if self.device.type == "cuda":
            return str(torch.cuda.get_device_name(self.device))
        return f"CPU ({platform.machine()}), {torch.get_num_threads()} threads"
