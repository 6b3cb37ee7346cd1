"""Freed memory stays in the process and is not mapped anew."""

import platform
import subprocess
import sys

import pytest

PROGRAM = """
import resource, sys
import torch
from mtlaerial.system.malloc import keep_freed_memory
if sys.argv[1] == "kept":
    keep_freed_memory()
for _ in range(16):  # aligned pieces find their places
    torch.ones(2**24)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(4):
    torch.ones(2**24)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.full("two interpreters that import torch and touch gigabytes")
@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only with glibc")
def test_freed_memory_is_handed_out_again() -> None:
    runs = [
        subprocess.run([sys.executable, "-c", PROGRAM, how], capture_output=True, check=True) for how in ("kept", "")
    ]
    with_setting, without_setting = (int(run.stdout) for run in runs)
    assert with_setting * 10 < without_setting
