"""Record of a benchmark: a JSON file with its figures, and the machine, versions and code they were measured with.

A benchmark that takes ``--json FILE`` ends with ``save(options.json, "name", rows)``.
"""

import json
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from mtlaerial.system.files import writing

PACKAGES = ("mtlaerial", "torch", "numpy", "rasterio")


def save(path: Path | None, name: str, rows: Sequence[Mapping[str, Any]], **more: Any) -> None:
    """Write a benchmark's figures as JSON; do nothing without a path.

    Parameters
    ----------
    path : Path or None
        The file, written atomically.
    name : str
        Name of the benchmark's script.
    rows : sequence of mappings
        One per line of the benchmark's table.
    **more
        Entries that belong to all rows, such as the settings.

    Raises
    ------
    DataError
        When the file cannot be written.
    """
    if path is None:
        return
    record = {"benchmark": name, **circumstances(), **more, "rows": list(rows)}
    with writing(path) as partial:
        partial.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def circumstances() -> dict[str, Any]:
    """Return date, machine, versions and code of the measurement."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "device": device(),
        "versions": {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
        "code": code(),
    }


def device() -> dict[str, Any]:
    """Return the processor's name, the cores that this process may use, the GPUs' names, and the load."""
    import torch

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "cpu": cpu_name(),
        "cores": cores,
        "gpus": [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())],
        "system": platform.platform(),
        "load": os.getloadavg()[0],
    }


def bf16_units() -> bool:
    """Return whether the machine computes in bf16; else torch emulates it, many times slower."""
    import torch

    return torch.cuda.is_available() or torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()


def cpu_name(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """Return the processor's name from Linux, or else from Python."""
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def code(folder: Path = Path(__file__).parent) -> dict[str, Any]:
    """Return the hash of the package's modules, the commit, and whether files differ from it; outside git, the hash."""
    from mtlaerial.runs.code_hash import code_hash

    commit = _git(folder, "rev-parse", "HEAD")
    if commit is None:
        return {"hash": code_hash()}
    return {"hash": code_hash(), "commit": commit, "dirty": bool(_git(folder, "status", "--porcelain"))}


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def median_seconds(work: Callable[[], object], runs: int = 5, warm: int = 1) -> float:
    """Return the median seconds of ``runs`` calls, after ``warm`` calls that do not count."""
    seconds = []
    for _ in range(warm + runs):
        begun = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begun)
    return statistics.median(seconds[warm:])
