"""Untrusted checkpoints: weights are read whatever other objects there are, and no code in them runs."""

import argparse
import builtins
import collections
import io
import os
import pickle
import re
import resource
import struct
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
from torch import Tensor, nn

from mtlaerial.errors import DataError
from mtlaerial.models.original.pickle_reader import read_pickle
from mtlaerial.models.original.stored_tensors import UNREAD
from mtlaerial.models.original.untrusted import read_checkpoint

STATE = {"features.a.weight": torch.arange(6.0).reshape(2, 3).t(), "features.b.num_batches_tracked": torch.tensor(3)}
FORMATS = pytest.mark.parametrize("legacy", [True, False], ids=["legacy", "zip"])


def saved(path: Path, content: Any, legacy: bool, protocol: int = 2) -> Path:
    torch.save(content, path, pickle_protocol=protocol, _use_new_zipfile_serialization=not legacy)
    return path


def read_state(path: Path) -> dict[str, Tensor]:
    return read_checkpoint(path).state


def require_state(state: dict[str, Tensor]) -> None:
    assert state.keys() == STATE.keys()
    assert all(torch.equal(state[name], STATE[name]) and state[name].dtype == STATE[name].dtype for name in STATE)


class Options:
    """A class that only this file knows; its instances have a state."""

    def __init__(self) -> None:
        self.lr = 2e-4


class Table(dict[str, int]):
    """A dictionary of its own kind, into which unpickling puts items one by one."""


class Row(list[int]):
    """A list of its own kind."""


@FORMATS
def test_objects_beside_the_weights_are_skipped(tmp_path: Path, legacy: bool) -> None:
    network = nn.Linear(3, 2)
    optimiser = torch.optim.Adam(network.parameters())
    network(torch.zeros(1, 3)).sum().backward()
    optimiser.step()
    content = {
        "epoch": 20,
        "options": argparse.Namespace(lr=2e-4),
        "own": Options(),
        "optimizer": optimiser,
        "optimizer_state": optimiser.state_dict(),
        "losses": collections.defaultdict(list, {"depth": [1.0, 2.0]}),
        "table": Table(a=1),
        "row": Row([1, 2]),
        "path": Path("x"),
        "tags": {"a", "b"},
        "class": Options,
        "state_dict": collections.OrderedDict(STATE),
    }
    require_state(read_state(saved(tmp_path / "a.pth.tar", content, legacy)))


@FORMATS
@pytest.mark.parametrize("key", ["state_dict", "model", "netG", None])
def test_weights_are_found_wherever_they_are(tmp_path: Path, legacy: bool, key: str | None) -> None:
    state = collections.OrderedDict(STATE)
    state._metadata = {"": {"version": 1}}  # type: ignore[attr-defined]  # as in a network's state dict
    content = {"other": {"x": torch.zeros(1)}, key: state} if key else state
    require_state(read_state(saved(tmp_path / "a.pth.tar", content, legacy)))


def test_weights_that_lay_on_a_gpu_are_read_without_one(tmp_path: Path) -> None:
    """The pickle holds a tensor's device, by its length-prefixed name, and the kind of its storage."""
    path = saved(tmp_path / "a.pth.tar", STATE, legacy=True)
    on_gpu = path.read_bytes().replace(b"X\x03\x00\x00\x00cpu", b"X\x06\x00\x00\x00cuda:0")
    path.write_bytes(on_gpu.replace(b"ctorch\nFloatStorage", b"ctorch.cuda\nFloatStorage"))
    assert b"cuda:0" in on_gpu
    assert b"cuda\nFloatStorage" in path.read_bytes()
    require_state(read_state(path))


@FORMATS
def test_parameters_are_tensors(tmp_path: Path, legacy: bool) -> None:
    state = read_state(saved(tmp_path / "a.pth", {"w": nn.Parameter(torch.ones(2))}, legacy))
    assert type(state["w"]) is Tensor
    assert state["w"].tolist() == [1, 1]


class Call:
    """Calls a function when it is unpickled, and then gives the result a state."""

    def __init__(self, function: Any, *arguments: Any, state: Any = None) -> None:
        self.reduced = (function, arguments) if state is None else (function, arguments, state)

    def __reduce__(self) -> Any:
        return self.reduced


def attacks(path: Path) -> dict[str, Any]:
    """Return objects that make a file when plain pickle loads them."""
    touch = f"__import__('pathlib').Path({str(path)!r}).touch()"
    return {
        "system": Call(os.system, f"touch {path}"),
        "eval": Call(builtins.eval, touch),
        "exec": Call(builtins.exec, touch),
        "in a state": Call(Options, state={"x": Call(builtins.eval, touch)}),
        "in a state of slots": Call(Options, state=(None, {"x": Call(builtins.eval, touch)})),
        "as a key": {Call(builtins.eval, touch): 1},
        "in arguments": Call(collections.OrderedDict, [("x", Call(builtins.eval, touch))]),
        "as a parameter": Call(torch._utils._rebuild_parameter, Call(builtins.eval, touch), False, None),
    }


ATTACKS = pytest.mark.parametrize("attack", attacks(Path("made")))


@ATTACKS
def test_plain_pickle_would_run_the_code_of_these_tests(tmp_path: Path, attack: str) -> None:
    pickle.loads(pickle.dumps(attacks(tmp_path / "made")[attack], protocol=2))
    assert (tmp_path / "made").exists()


@FORMATS
@ATTACKS
@pytest.mark.parametrize("protocol", [2, 4])
def test_code_in_a_checkpoint_does_not_run(tmp_path: Path, legacy: bool, attack: str, protocol: int) -> None:
    content = {"x": attacks(tmp_path / "made")[attack], "state_dict": STATE}
    require_state(read_state(saved(tmp_path / "evil.pth.tar", content, legacy, protocol)))
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    "program",
    ["cos\nsystem\n(S'touch {made}'\ntR.", "(S'touch {made}'\nios\nsystem\n.", "(cos\nsystem\nS'touch {made}'\no."],
    ids=["REDUCE", "INST", "OBJ"],
)
def test_no_instruction_of_a_pickle_calls_what_it_names(tmp_path: Path, program: str) -> None:
    body = program.format(made=tmp_path / "made").encode()
    assert read_pickle(io.BytesIO(body)) is UNREAD
    assert not (tmp_path / "made").exists()
    if b"\no." not in body:  # which takes classes only
        pickle.loads(body)
        assert (tmp_path / "made").exists()


def test_programs_are_refused(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch.jit is deprecated
        torch.jit.script(nn.Linear(2, 2)).save(str(tmp_path / "program.pt"))
    with pytest.raises(DataError, match=r"program\.pt: found a program \(TorchScript\) instead of weights; expected"):
        read_state(tmp_path / "program.pt")


@FORMATS
def test_a_whole_network_is_refused_with_what_to_do(tmp_path: Path, legacy: bool) -> None:
    with pytest.raises(DataError, match=r"found no tensors by name.*Save the network's state_dict"):
        read_state(saved(tmp_path / "a.pth", nn.Linear(2, 2), legacy))


@FORMATS
def test_damaged_files_are_named(tmp_path: Path, legacy: bool) -> None:
    whole = saved(tmp_path / "whole", {"state_dict": STATE}, legacy).read_bytes()
    for number, content in enumerate((b"text", whole[:100], whole[:-40], b"\x80\x02" + b"(" * 50)):
        path = tmp_path / f"damaged{number}"
        path.write_bytes(content)
        with pytest.raises(DataError, match=rf"damaged{number}: found (a file that cannot be read \(\w+\)|.* cut off)"):
            read_state(path)


def test_no_file_and_no_regular_one_are_named_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataError, match="absent: found no file"):
        read_state(tmp_path / "absent")
    with pytest.raises(DataError, match="found a folder; expected a checkpoint"):
        read_state(tmp_path)
    for path in (tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(DataError, match=rf"{path}: found a device or a pipe"):
            read_state(path)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", "an empty file"),
        (b"\n<!DOCTYPE html>\n<html><body>Sign in", "a web page instead of the file"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "a pointer of Git LFS instead of the file"),
        (b"\x89HDF\r\n\x1a\n", "an HDF5 file, as Keras saves"),
        (b"II*\0\x08\0\0\0", "a GeoTIFF or other TIFF"),
        (b"\x40\0\0\0\0\0\0\0{}", "a safetensors file"),
        (pickle.dumps({"lr": 0.1}), "objects of Python instead of weights"),
    ],
)
def test_a_file_of_another_kind_is_named(tmp_path: Path, content: bytes, kind: str) -> None:
    path = tmp_path / "weights.pth.tar"
    path.write_bytes(content)
    with pytest.raises(
        DataError, match=re.escape(f"weights.pth.tar: found {kind}; expected a checkpoint saved by torch")
    ):
        read_state(path)


def zipped(path: Path, members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as target:
        for name, content in members.items():
            target.writestr(name, content)
    return path


def test_other_archives_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"photos\.zip: found an archive of other files"):
        read_state(zipped(tmp_path / "photos.zip", {"a/b.jpg": b"x"}))


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


def test_python_s_older_dictionaries_are_read() -> None:
    """Python 2 wrote the items of an OrderedDict as its argument."""
    program = b"\x80\x02ccollections\nOrderedDict\n]](U\x01aK\x05ea\x85R."
    assert read_pickle(io.BytesIO(program)) == {"a": 5}
