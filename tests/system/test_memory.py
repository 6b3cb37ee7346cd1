"""Memory of a process, and the message of one that runs out of it."""

import errno
import subprocess
import sys

import pytest

from mtlaerial.errors import DataError
from mtlaerial.system.memory import as_memory_error

PEAK = """\
from mtlaerial.system.memory import peak_process_memory_mb
print(peak_process_memory_mb())
held = b"1" * 200_000_000
print(peak_process_memory_mb())
"""


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        OSError(errno.ENOMEM, "Cannot allocate memory"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 39321600 bytes"),
        RuntimeError("CUDA out of memory. Tried to allocate 20 MiB"),
        RuntimeError("can't start new thread"),
        ImportError("libtorch_cpu.so: failed to map segment from shared object"),
    ],
)
def test_running_out_of_memory_is_one_sentence_with_a_remedy(error: Exception) -> None:
    explained = as_memory_error(error)
    assert explained
    assert "memory: found no more for this process" in str(explained)
    assert "training.batch" in str(explained)
    assert "\n" not in str(explained)


def test_a_message_that_hides_the_cause_gives_way_to_it() -> None:
    error = DataError("image.tif", "unreadable pixels", "readable pixels")
    error.__context__ = MemoryError()
    assert as_memory_error(error)


def test_other_errors_stay_as_they_are() -> None:
    assert as_memory_error(ValueError("wrong")) is None


def test_the_peak_is_that_of_this_process_and_not_of_the_one_that_started_it() -> None:
    program = f"import subprocess, sys; held = b'1' * 400_000_000; subprocess.run([sys.executable, '-c', {PEAK!r}])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    before, after = map(float, done.stdout.split())
    assert before < 200
    assert 180 < after - before < 220
