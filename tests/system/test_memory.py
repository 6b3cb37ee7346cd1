"""The message of a process that runs out of memory."""

import errno

import pytest

from mtlaerial.errors import DataError
from mtlaerial.system.memory import as_memory_error


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
