"""Untrusted checkpoints: weights are read wherever they are, and other objects are skipped."""

import argparse
import collections
import io
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from mtlaerial.models.original.pickle_reader import read_pickle
from support.untrusted import FORMATS, STATE, Options, read_state, require_state, saved


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


def test_python_s_older_dictionaries_are_read() -> None:
    """Python 2 wrote the items of an OrderedDict as its argument."""
    program = b"\x80\x02ccollections\nOrderedDict\n]](U\x01aK\x05ea\x85R."
    assert read_pickle(io.BytesIO(program)) == {"a": 5}
