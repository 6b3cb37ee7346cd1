"""Measurements in separate processes, so that no other one raises the peak memory, on the CPU or a GPU."""

import multiprocessing
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import psutil

from mtlaerial.system.memory import peak_process_memory_mb


def alone() -> ProcessPoolExecutor:
    """Return a pool of one new process."""
    return ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))


def apart(measure: Any, *arguments: Any) -> dict[str, Any]:
    """Run a measurement in a new process and a temporary folder."""
    with tempfile.TemporaryDirectory() as folder, alone() as pool:
        return dict(pool.submit(measure, Path(folder), *arguments).result())


class Watch:
    """Watch of a device: waits for its work, and reports the peak memory above that at the start.

    Parameters
    ----------
    accelerator : str
        ``cpu``, for the process's memory, or ``cuda``, for torch's allocations on the device.
    """

    def __init__(self, accelerator: str = "cpu") -> None:
        self.on_gpu = accelerator == "cuda"
        self._rest = self._allocated() if self.on_gpu else psutil.Process().memory_info().rss

    def _allocated(self) -> int:
        import torch

        torch.cuda.reset_peak_memory_stats()
        return torch.cuda.memory_allocated()

    def wait(self) -> None:
        """Wait for a GPU to finish its queued work."""
        if self.on_gpu:
            import torch

            torch.cuda.synchronize()

    @property
    def rest_mb(self) -> float:
        """Memory when the watch began, in megabytes."""
        return self._rest / 2**20

    @property
    def above_rest_mb(self) -> float:
        """Peak above the memory when the watch began, in megabytes."""
        if self.on_gpu:
            import torch

            return (torch.cuda.max_memory_allocated() - self._rest) / 2**20
        return peak_process_memory_mb() - self.rest_mb
