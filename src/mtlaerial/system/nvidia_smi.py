"""Which GPUs there are, as ``nvidia-smi`` tells, and which of them this process may use."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping

from mtlaerial.errors import DeviceError

VISIBLE = "CUDA_VISIBLE_DEVICES"
"""The variable that tells CUDA which GPUs there are; a UUID names one whatever the order."""
QUESTION = ("--query-gpu=index,uuid", "--format=csv,noheader")
PATIENCE = 60.0
"""Seconds; with several GPUs and no program that keeps the driver loaded, an answer takes some."""
NONE = "No devices were found"
REMEDY = "Mend the driver; or set training.accelerator to cpu."


def visible_gpus() -> tuple[str, ...]:
    """Return the UUIDs of the GPUs that this process may use; none where there is no ``nvidia-smi``.

    ``CUDA_VISIBLE_DEVICES``, where it is set, says which: numbers as ``nvidia-smi`` counts, UUIDs of GPUs or the
    beginnings of such, UUIDs of parts of GPUs (MIG). As for CUDA, the first entry that names none ends the list.

    Raises
    ------
    DeviceError
        When ``nvidia-smi`` fails, does not answer, or answers something else.
    """
    there = _listed(_answer())
    visible = os.environ.get(VISIBLE)
    if visible is None or not there:
        return tuple(there.values())
    return tuple(_chosen((entry.strip() for entry in visible.split(",")), there))


def _chosen(entries: Iterable[str], there: Mapping[str, str]) -> list[str]:
    found: list[str] = []
    for entry in entries:
        uuid = there.get(entry) or _named(entry, there.values())
        if uuid is None or uuid in found:
            break
        found.append(uuid)
    return found


def _named(entry: str, uuids: Iterable[str]) -> str | None:
    if entry.startswith("MIG-"):  # which nvidia-smi does not list so
        return entry
    alike = [uuid for uuid in uuids if entry.startswith("GPU-") and uuid.startswith(entry)]
    return alike[0] if len(alike) == 1 else None


def _answer() -> str:
    program = shutil.which("nvidia-smi")
    if program is None:
        return ""
    command = [program, *QUESTION]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=PATIENCE, check=False
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise DeviceError(program, f"no answer in {PATIENCE:.0f} s", "a list of GPUs", REMEDY) from None
    except OSError as error:
        raise DeviceError(program, error.strerror or str(error), "a program to run", REMEDY) from None
    if NONE in done.stdout:
        return ""
    if done.returncode:
        said = " ".join((done.stdout + done.stderr).split())
        raise DeviceError(program, f"exit code {done.returncode} ({said[:200]})", "a list of GPUs", REMEDY)
    return done.stdout


def _listed(answer: str) -> dict[str, str]:
    """Return UUIDs by number."""
    there: dict[str, str] = {}
    for line in filter(None, map(str.strip, answer.splitlines())):
        match = re.fullmatch(r"(\d+), (GPU-[\w-]+)", line)
        if not match:
            raise DeviceError("nvidia-smi", repr(line[:200]), "a number and a UUID in each line", REMEDY)
        there[match[1]] = match[2]
    return there
