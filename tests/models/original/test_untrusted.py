"""Untrusted checkpoints: weights are read whatever other objects there are, and no code in them runs."""

import argparse
import builtins
import collections
import importlib
import io
import os
import pickle
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from mtlaerial.errors import DataError
from mtlaerial.models.original import inert_pickle
from mtlaerial.models.original.untrusted import read_state

STATE = {"features.a.weight": torch.arange(6.0).reshape(2, 3).t(), "features.b.num_batches_tracked": torch.tensor(3)}
FORMATS = pytest.mark.parametrize("legacy", [True, False], ids=["legacy", "zip"])


def saved(path: Path, content: Any, legacy: bool, protocol: int = 2) -> Path:
    torch.save(content, path, pickle_protocol=protocol, _use_new_zipfile_serialization=not legacy)
    return path


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
    assert isinstance(inert_pickle.load(io.BytesIO(body)), inert_pickle.Stub)
    assert not (tmp_path / "made").exists()
    if b"\no." not in body:  # which takes classes only
        pickle.loads(body)
        assert (tmp_path / "made").exists()


@pytest.mark.parametrize(
    ("module", "name"),
    [("torch._utils", "_rebuild_tensor_v2"), ("collections", "OrderedDict"), ("torch.nn", "Linear"), ("os", "system")],
)
def test_functions_and_classes_cannot_be_given_a_state(module: str, name: str) -> None:
    """A pickle may set attributes of whatever it looks up; here it sets the defaults of a function's arguments."""
    state = pickle.dumps((None, {"__defaults__": (1,), "changed": 1}), protocol=2).removeprefix(b"\x80\x02")[:-1]
    loaded = inert_pickle.load(io.BytesIO(f"\x80\x02c{module}\n{name}\n".encode("latin-1") + state + b"b."))
    assert loaded is not getattr(importlib.import_module(module), name)
    assert not hasattr(loaded, "changed")


def test_programs_are_refused(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch.jit is deprecated
        torch.jit.script(nn.Linear(2, 2)).save(str(tmp_path / "program.pt"))
    with pytest.raises(DataError, match=r"program\.pt: found a file that cannot be read"):
        read_state(tmp_path / "program.pt")


@FORMATS
def test_a_whole_network_is_refused_with_what_to_do(tmp_path: Path, legacy: bool) -> None:
    with pytest.raises(DataError, match=r"found no tensors by name.*Save the network's state_dict"):
        read_state(saved(tmp_path / "a.pth", nn.Linear(2, 2), legacy))


@FORMATS
def test_damaged_files_are_named(tmp_path: Path, legacy: bool) -> None:
    whole = saved(tmp_path / "whole", {"state_dict": STATE}, legacy).read_bytes()
    for number, content in enumerate((b"", b"text", whole[:100], whole[:-40], b"\x80\x02" + b"(" * 50)):
        path = tmp_path / f"damaged{number}"
        path.write_bytes(content)
        with pytest.raises(DataError, match=rf"damaged{number}: found a file that cannot be read \(\w+\)"):
            read_state(path)
    with pytest.raises(DataError, match=r"absent: found a file that cannot be read \(No such file or directory\)"):
        read_state(tmp_path / "absent")
