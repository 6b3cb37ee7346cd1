"""Untrusted checkpoints that would take more memory than they have bytes are refused."""

import os
import resource
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import torch

from mtlaerial.errors import DataError
from support.untrusted import FORMATS, read_state, saved, zipped


@pytest.fixture
def memory() -> Iterator[None]:
    """Refuse this process more than 300 MB beyond what it has."""
    used = psutil.Process().memory_info().vms
    limits = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (used + 300 * 2**20, limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, limits)


def test_an_archive_that_unpacks_to_more_than_it_has_is_refused(tmp_path: Path, memory: None) -> None:
    whole = saved(tmp_path / "whole", {"x": torch.zeros(3)}, legacy=False)
    with zipfile.ZipFile(whole) as source:
        members = {name: source.read(name) for name in source.namelist()}
    members["whole/data/0"] = bytes(20 * 2**20)
    packed = zipped(tmp_path / "bomb.pth", members, zipfile.ZIP_DEFLATED)
    assert packed.stat().st_size < 2**16
    with pytest.raises(DataError, match=r"bomb\.pth: found more bytes in the archive than the file has"):
        read_state(packed)


@FORMATS
def test_tensors_are_no_larger_than_what_is_stored(tmp_path: Path, legacy: bool, memory: None) -> None:
    state = {f"{number}.weight": torch.zeros(1, 1).expand(4000, 4000) for number in range(30)}
    path = saved(tmp_path / "strides.pth", state, legacy)
    with pytest.raises(DataError, match=r"found 4000x4000 values of 0\.weight, of which 1 are stored; expected"):
        read_state(path)


@FORMATS
def test_many_names_of_one_tensor_are_refused(tmp_path: Path, legacy: bool) -> None:
    tensor = torch.zeros(1000)
    twice = saved(tmp_path / "twice.pth", {"a": tensor, "b": tensor}, legacy)
    state = read_state(twice)
    assert state.keys() == {"a", "b"}
    assert state["a"].data_ptr() != state["b"].data_ptr()  # tensors of one memory cannot be saved as safetensors
    thrice = saved(tmp_path / "thrice.pth", {"a": tensor, "b": tensor, "c": tensor}, legacy)
    with pytest.raises(DataError, match=r"found tensors of 12,000 bytes that store 4,000"):
        read_state(thrice)


def declaring(path: Path, count: int) -> Path:
    """Save 77 values, and write another number of them into the pickle, behind the device, and before the values."""
    data = saved(path, {"w": torch.zeros(77)}, legacy=True).read_bytes()
    assert data.count(b"q\x06KMN") == data.count(struct.pack("<q", 77)) == 1
    data = data.replace(b"q\x06KMN", b"q\x06J" + struct.pack("<i", count) + b"N")
    path.write_bytes(data.replace(struct.pack("<q", 77), struct.pack("<q", count)))
    return path


def test_storages_that_declare_more_than_they_hold_are_refused(tmp_path: Path, memory: None) -> None:
    with pytest.raises(DataError, match=r"long\.pth: found values that are cut off"):
        read_state(declaring(tmp_path / "long.pth", 2**31 - 1))


def test_more_values_than_any_network_of_the_original_has_are_refused(tmp_path: Path, memory: None) -> None:
    path = declaring(tmp_path / "large.pth", 150_000_000)
    os.truncate(path, path.stat().st_size + 4 * 150_000_000)  # a sparse file
    with pytest.raises(DataError, match=r"found tensors of 600,000,000 bytes, more than 400,000,000"):
        read_state(path)


PROGRAMS = {
    "a memo of 2**31 places": b"\x80\x02]r\xff\xff\xff\x7f.",
    "deep nesting": b"\x80\x02" + b"(" * 100_000 + b"t" * 100_000 + b".",
    "a key whose hash recurses": b"\x80\x02})" + b"\x85" * 100_000 + b"K\x01s.",
    "one list copied many times": b"\x80\x02ccollections\nOrderedDict\nq\x00]("
    + b"K\x01K\x02\x86" * 5_000 + b"e\x85q\x01" + b"h\x00h\x01R0" * 5_000 + b"N.",
    "one tuple as the shape of many tensors": b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\nq\x00(" + b"K\x01" * 100_000
    + b"tq\x01" + b"h\x00(NK\x00h\x01h\x01tR0" * 30_000 + b"N.",
    "one text as the items of many dictionaries": b"\x80\x02ccollections\nOrderedDict\nq\x00"
    + b"X" + struct.pack("<I", 100_000) + b"a" * 100_000 + b"\x85q\x01" + b"h\x00h\x01R0" * 30_000 + b"N.",
    "names of many classes": b"".join(b"cmodule\nname%d\n" % number for number in range(20_000)) + b".",
    "bytes that are not there": b"\x80\x05\x96" + struct.pack("<q", 2**40) + b".",
    "too many instructions": b"\x80\x02" + b"N0" * 600_000 + b"N.",
}  # fmt: skip


@pytest.mark.quick_cases(3, "a process with little memory a case")
@pytest.mark.parametrize("program", PROGRAMS)
def test_a_pickle_that_exhausts_an_unpickler_is_refused(tmp_path: Path, program: str, memory: None) -> None:
    path = tmp_path / "program.pth"
    path.write_bytes(PROGRAMS[program])
    with pytest.raises(DataError, match=r"program\.pth: found .+; expected a checkpoint saved by torch\. Check"):
        read_state(path)
