"""Checkpoints as the original wrote them, and what is read of them."""

import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

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


def zipped(path: Path, members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as target:
        for name, content in members.items():
            target.writestr(name, content)
    return path
