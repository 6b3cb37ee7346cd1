"""Files that are no checkpoints, or damaged ones, are named."""

import os
import pickle
import re
import warnings
from pathlib import Path

import pytest
import torch
from torch import nn

from mtlaerial.errors import DataError
from support.untrusted import FORMATS, STATE, read_state, saved, zipped


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


def test_other_archives_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"photos\.zip: found an archive of other files"):
        read_state(zipped(tmp_path / "photos.zip", {"a/b.jpg": b"x"}))
