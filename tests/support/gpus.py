"""Simulated GPUs: an ``nvidia-smi`` that lists them, and locks in a folder of the test's own."""

from pathlib import Path

import pytest

FIRST, SECOND = "GPU-11111111-aaaa", "GPU-22222222-bbbb"


def simulate(patch: pytest.MonkeyPatch, folder: Path, script: str = "") -> None:
    """Put an ``nvidia-smi`` first in the path, which lists two GPUs or does something else."""
    program = folder / "bin" / "nvidia-smi"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\n{script or f'echo 0, {FIRST}; echo 1, {SECOND}'}\n")
    program.chmod(0o755)
    patch.setenv("PATH", str(program.parent), prepend=":")
    patch.setenv("TMPDIR", str(folder))
    patch.setattr("tempfile.tempdir", None)  # what was found before
    patch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
