"""Checkpoints of the original for ``mtlaerial import-checkpoint``: damaged ones, and ones that a stranger made."""

import io
import pickle
import random
import shutil
import struct
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
import yaml
from torch import Tensor

from mtlaerial.runs.import_original import import_checkpoint
from mtlaerial.runs.loading import load_run
from support import original, tiny
from support.fuzz_mutations import NUMBERS, mutated
from support.fuzzing import Target

SIZES = original.Sizes(stem=2, growth=2, blocks=(1, 1, 1, 1), bottleneck=1, shared=(3, 3, 2), head=(2, 2))
"""Of a network of few values, so that most changed bytes are of names, shapes and instructions."""
FACTS = {
    "epoch": 20,
    "arch_type": "D3net",
    "use_skips": True,
    "tasks": ["depth", "semantics"],
    "mtl_method": "eweights",
}
CPU = torch.device("cpu")


class Fuzzed(Target):
    """The import, and the loading of what it accepts."""

    suffix = ".pth.tar"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.spec = folder / "town.yaml"
        content = tiny.city_spec(recipe={"training": {"height_unit": 20}}).model_dump(mode="json")
        self.spec.write_text(yaml.safe_dump(content), encoding="utf-8")
        self.state = original.weights(original.shapes((1, 7), True, SIZES))
        self.content = {**FACTS, "state_dict": self.state, "optimizer": {"state": {0: {"step": 3}}, "lr": [2e-4]}}
        self.valid = [saved(self.content, legacy) for legacy in (True, False)]

    def seeds(self) -> Sequence[bytes]:
        return self.valid

    def read(self, path: Path) -> None:
        shutil.rmtree(self.folder / "run", ignore_errors=True)
        import_checkpoint(path, self.spec, self.folder / "run")
        load_run(self.folder / "run", CPU)

    def structured(self, rng: random.Random) -> bytes:
        if rng.random() < 0.5:  # an archive with right checksums about a pickle with changed bytes
            return archive(mutated(rng, [pickle_of(self.valid[1])]), self.valid[1])
        make: Callable[[random.Random], bytes] = rng.choice(
            [self._tensors, self._facts, self._program, _bomb, self._legacy]
        )
        return make(rng)

    def _tensors(self, rng: random.Random) -> bytes:
        """Return a checkpoint with tensors that are expanded, cut, retyped, renamed, doubled or left out."""
        state = dict(self.state)
        for name in rng.sample(sorted(state), rng.choice((1, 3, len(state)))):
            state |= _changed(rng, name, state.pop(name))
        return saved({**self.content, "state_dict": state}, rng.random() < 0.5)

    def _facts(self, rng: random.Random) -> bytes:
        """Return a checkpoint with odd objects beside the weights, or in their place."""
        nested: Any = []
        for _ in range(rng.choice((3, 100))):
            nested = [nested]
        odd = [
            nested,
            {1: nested},
            "\ud800",
            "x" * 10_000,
            10**30,
            float("nan"),
            -1,
            None,
            b"\0",
            {2**61 - 1: 1},
            Path("x"),
        ]
        name = rng.choice(["epoch", "tasks", "mtl_method", "use_skips", "state_dict", "\n", ""])
        return saved({**self.content, name: rng.choice(odd)}, rng.random() < 0.5)

    def _program(self, rng: random.Random) -> bytes:
        program = _program(rng)
        return archive(program, self.valid[1]) if rng.random() < 0.5 else program

    def _legacy(self, rng: random.Random) -> bytes:
        """Return a checkpoint of the old format with another number of values before some storage."""
        data = bytearray(self.valid[0])
        at = rng.randrange(len(data) * 2 // 3, len(data) - 8)
        struct.pack_into("<q", data, at, rng.choice(NUMBERS) if rng.random() < 0.5 else rng.randrange(10_000))
        return bytes(data)


def saved(content: Any, legacy: bool) -> bytes:
    """Return a checkpoint as torch writes it."""
    file = io.BytesIO()
    torch.save(content, file, _use_new_zipfile_serialization=not legacy)
    return file.getvalue()


def pickle_of(data: bytes) -> bytes:
    """Return the pickle in a checkpoint's archive."""
    with zipfile.ZipFile(io.BytesIO(data)) as source:
        return source.read("archive/data.pkl")


def archive(pickled: bytes, data: bytes, compression: int = zipfile.ZIP_STORED) -> bytes:
    """Return the archive of a checkpoint with another pickle."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(file, "w", compression) as target:
        for name in source.namelist():
            target.writestr(name, pickled if name.endswith("data.pkl") else source.read(name))
    return file.getvalue()


def _changed(rng: random.Random, name: str, tensor: Tensor) -> dict[str, Tensor]:
    """Return what takes the place of a tensor."""
    shape = [size * rng.choice((1, 1, 1000)) for size in tensor.shape]
    dtype = rng.choice([torch.float16, torch.float64, torch.int32, torch.bool, torch.complex64])
    renamed = name.replace(rng.choice("._01"), rng.choice(["", "..", "7"]))
    changes: list[dict[str, Tensor]] = [
        {name: torch.zeros((1,) * tensor.dim()).expand(shape)},
        {name: tensor.flatten()[: rng.randrange(4)]},
        {name: tensor.to(dtype)},
        {renamed: tensor},
        {name: tensor, f"module.{name}": tensor},
        {name: torch.full_like(tensor.float(), rng.choice((0, 1e30, float("nan"))))},
        {},
    ]
    return rng.choice(changes)


def _program(rng: random.Random) -> bytes:
    """Return a pickle that exhausts the memory or the time of an unpickler, or calls a function."""
    programs = [
        b"\x80\x02]r\xff\xff\xff\x7f.",  # a memo of 2**31 places
        b"\x80\x02" + b"(" * 200_000 + b"t" * 200_000 + b".",
        b"\x80\x02}" + b")" + b"\x85" * 200_000 + b"K\x01s.",  # a key whose hash recurses
        b"\x80\x02}(" + b"".join(pickle.dumps(k * (2**61 - 1), 2)[2:-1] + b"K\x01" for k in range(2, 20_000)) + b"u.",
        b"\x80\x02]q\x00" + b"(h\x00h\x00lq\x00" * 50_000 + b".",  # twice itself, many times
        b"\x80\x02ccollections\nOrderedDict\nq\x00]("
        + b"K\x01K\x02\x86" * 9_000
        + b"e\x85q\x01"
        + b"h\x00h\x01R0" * 9_000
        + b"N.",
        b"".join(b"cmodule\nname%d\n" % k for k in range(30_000)) + b".",
        b"\x80\x05\x96" + struct.pack("<q", 2**40) + b".",
        b"\x80\x04\x95" + struct.pack("<q", 2**62) + b"N.",
        b"I" + b"9" * 10_000 + b"\n.",
        b"cos\nsystem\n(S'true'\ntR.",
    ]
    return rng.choice(programs)


def _bomb(rng: random.Random) -> bytes:
    """Return an archive that declares more than it stores, or none at all."""
    whole = saved({"state_dict": {"x": torch.zeros(100_000)}}, legacy=False)
    packed = archive(pickle_of(whole), whole, zipfile.ZIP_DEFLATED)
    page = b"<!DOCTYPE html><html><title>Sign in</title></html>"
    return rng.choice([packed, page, b"", whole[: rng.randrange(len(whole))], b"PK\x03\x04" + bytes(100), bytes(1000)])
