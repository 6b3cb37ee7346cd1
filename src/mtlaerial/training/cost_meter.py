"""Cost of a training: time per update and peak memory, measured while it runs."""

import platform
from collections.abc import Mapping
from statistics import median
from time import perf_counter
from typing import Any

import psutil
import torch

from mtlaerial.runs.cost import Cost
from mtlaerial.runs.machine import Machine, this_machine
from mtlaerial.system import ranks
from mtlaerial.system.memory import MEGABYTE, peak_process_memory_mb


class Meter:
    """Times intervals of updates, and watches the peak memory above that at the start.

    Parameters
    ----------
    device : torch.device
        On the CPU the memory is the process's; on a GPU torch's allocations.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self._intervals: list[float] = []
        self._peak = 0.0
        self._rest = psutil.Process().memory_info().rss / MEGABYTE

    def begin(self) -> None:
        """Begin an interval."""
        self._begun = perf_counter()

    def end(self, updates: int) -> None:
        """End an interval of so many updates; the device has done its work."""
        self._intervals.append((perf_counter() - self._begun) / updates)
        self._peak = max(self._peak, self._memory())

    def cost(self) -> Cost:
        """Return the median time of an update, and the peak memory in megabytes."""
        return Cost(
            seconds_per_step=median(self._intervals) if self._intervals else 0.0,
            peak_memory_mb=self._peak,
            device=_name(self.device),
        )

    def state_dict(self) -> dict[str, Any]:
        """Return the measurements."""
        return {"intervals": self._intervals, "peak": self._peak}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore measurements."""
        self._intervals, self._peak = list(state["intervals"]), state["peak"]

    def _memory(self) -> float:
        if self.device.type == "cuda":
            return torch.cuda.max_memory_allocated(self.device) / MEGABYTE
        return peak_process_memory_mb() - float(self._rest)


def machine_of(device: torch.device) -> Machine:
    """Return this machine, with a GPU if that is the device."""
    return this_machine(str(torch.cuda.get_device_name(device)) if device.type == "cuda" else None)


def _name(device: torch.device) -> str:
    """Return the device's name, with the number of processes if there are several on such devices."""
    if device.type == "cuda":
        name = str(torch.cuda.get_device_name(device))
    else:
        name = f"CPU ({platform.machine()}), {torch.get_num_threads()} threads"
    return name if ranks.size() == 1 else f"{ranks.size()} x {name}"
