"""Code in untrusted checkpoints does not run."""

import builtins
import collections
import io
import os
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch

from mtlaerial.models.original.pickle_reader import read_pickle
from mtlaerial.models.original.stored_tensors import UNREAD
from support.untrusted import FORMATS, STATE, Options, read_state, require_state, saved


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
