"""The machine's GPUs by ``nvidia-smi``, and those visible to this process."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping

from mtlaerial.errors import DeviceError, system_reason

VISIBLE = "CUDA_VISIBLE_DEVICES"
"""The environment variable that limits CUDA to some GPUs; UUIDs in it do not depend on the order of GPUs."""
QUERY = ("--query-gpu=index,uuid", "--format=csv,noheader")
PATIENCE = 60.0
"""Timeout in seconds; with several GPUs and no process that keeps the driver loaded, a query takes some."""
NO_GPU = "No devices were found"
REMEDY = "Mend the driver; or set training.accelerator to cpu."


def visible_gpus() -> tuple[str, ...]:
    """Return the UUIDs of the GPUs that this process may use; none without ``nvidia-smi``.

    If ``CUDA_VISIBLE_DEVICES`` is set, only the GPUs it lists, each by its index in ``nvidia-smi``, its UUID, the
    beginning of a UUID, or the UUID of a part of a GPU (MIG). As in CUDA, the first invalid entry ends the list.

    Raises
    ------
    DeviceError
        When ``nvidia-smi`` fails, times out, or prints something unexpected.
    """
    gpus = _parse(_query())
    visible = os.environ.get(VISIBLE)
    if visible is None or not gpus:
        return tuple(gpus.values())
    entries = (entry.strip() for entry in visible.split(","))
    return tuple(_select(entries, gpus))


def _select(entries: Iterable[str], gpus: Mapping[str, str]) -> list[str]:
    """Return the UUIDs that entries of ``CUDA_VISIBLE_DEVICES`` stand for, up to an invalid or repeated one."""
    selected: list[str] = []
    for entry in entries:
        uuid = gpus.get(entry) or _by_prefix(entry, gpus.values())
        if uuid is None or uuid in selected:
            break
        selected.append(uuid)
    return selected


def _by_prefix(entry: str, uuids: Iterable[str]) -> str | None:
    """Return the only UUID that begins with an entry, or a MIG entry itself; None for no or several matches."""
    if entry.startswith("MIG-"):  # the query lists whole GPUs only
        return entry
    matches = [uuid for uuid in uuids if entry.startswith("GPU-") and uuid.startswith(entry)]
    return matches[0] if len(matches) == 1 else None


def _query() -> str:
    """Return the lines that ``nvidia-smi`` prints; empty without the program or without a GPU."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return ""
    command = [program, *QUERY]
    try:
        result = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=PATIENCE, check=False
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise DeviceError(program, f"no answer in {PATIENCE:.0f} s", "a list of GPUs", REMEDY) from None
    except OSError as error:
        raise DeviceError(program, system_reason(error), "a program to run", REMEDY) from None
    if NO_GPU in result.stdout:  # checked first, as the exit code is not always 0 then
        return ""
    if result.returncode:
        message = " ".join((result.stdout + result.stderr).split())
        raise DeviceError(program, f"exit code {result.returncode} ({message[:200]})", "a list of GPUs", REMEDY)
    return result.stdout


def _parse(output: str) -> dict[str, str]:
    """Return UUIDs by index."""
    gpus: dict[str, str] = {}
    for line in filter(None, map(str.strip, output.splitlines())):
        match = re.fullmatch(r"(\d+), (GPU-[\w-]+)", line)
        if not match:
            raise DeviceError("nvidia-smi", repr(line[:200]), "a number and a UUID in each line", REMEDY)
        gpus[match[1]] = match[2]
    return gpus
