"""Measurement of both sides: seconds, peak memory, operations. Imports torch alone, to run in either environment."""

import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

RUNS = int(os.environ.get("RUNS", "5"))


def answer(measurements: Mapping[str, Callable[..., dict[str, Any]]], packages: tuple[str, ...]) -> None:
    """Run the measurement that the command line names, with arguments as JSON; print its figures as one line."""
    name, arguments = sys.argv[1:]
    figures = measurements[name](**json.loads(arguments))
    versions = {package: version(package) for package in ("torch", *packages)}
    print(json.dumps({**figures, "versions": versions}), flush=True)


def timed(work: Callable[[], object], warm: int = 1, before: Callable[[], object] | None = None) -> dict[str, Any]:
    """Return the median seconds of several runs, the seconds of each, and the peak memory above that before the first.

    Parameters
    ----------
    work : callable
    warm : int
        Runs before that do not count.
    before : callable, optional
        Called before every run; its time does not count.
    """
    rest = _status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # resets VmHWM, the peak
    seconds = []
    for _ in range(warm + RUNS):
        if before:
            before()
        begun = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begun)
    runs = seconds[warm:]
    return {"seconds": statistics.median(runs), "runs": runs, "above_rest_mb": (_status("VmHWM") - rest) / 1024}


def _status(key: str) -> int:
    """Return an entry of Linux's status of this process, in kilobytes."""
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(lines[key].split()[0])


def size_of(network: nn.Module, patch: int) -> dict[str, float]:
    """Return a network's parameters in millions, and its GFLOP for a patch, forward and backward."""
    network.train()
    with FlopCounterMode(display=False) as flops:
        outputs = network(torch.zeros(2, 3, patch, patch))
        tensors = outputs.values() if isinstance(outputs, dict) else [outputs]
        sum(tensor.sum() for tensor in tensors).backward()
    network.zero_grad()
    parameters = sum(weight.numel() for weight in network.parameters())
    return {"parameters_million": parameters / 1e6, "gflop_per_patch": flops.get_total_flops() / 2e9}
