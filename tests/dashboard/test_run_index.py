"""The index of runs: what it lists, and what it reads."""

import json
from pathlib import Path
from typing import Any

import pytest

from mtlaerial.dashboard.run_index import Entry, RunIndex, text_lines


class OnDisk:
    """An environment that Visdom has not read yet, as its ``LazyEnvData``."""

    _raw_dict = None

    def __getitem__(self, key: str) -> Any:
        raise AssertionError("the index must leave the environment on disk")


def environment(content: str) -> dict[str, Any]:
    return {"jsons": {"training": {"content": content}, "patches": {"content": "x" * 1000}}, "reload": {}}


def test_runs_in_memory_and_on_disk_are_listed_by_name(tmp_path: Path) -> None:
    (tmp_path / "b.json").write_text(json.dumps(environment("<p>epoch 8 of 8</p>")))
    state = {"main": {"jsons": {}}, "c": environment("<h4>City</h4><p><b>uw</b>, seed 0</p>"), "b": OnDisk()}
    assert RunIndex(state, tmp_path).entries() == [Entry("b", ["epoch 8 of 8"]), Entry("c", ["City", "uw, seed 0"])]


def test_a_file_is_read_again_only_after_a_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, reads = tmp_path / "b.json", []
    read_text = Path.read_text
    monkeypatch.setattr(Path, "read_text", lambda self, **kwargs: reads.append(self) or read_text(self, **kwargs))
    path.write_text(json.dumps(environment("<p>epoch 1 of 8</p>")))
    index = RunIndex({"b": OnDisk()}, tmp_path)
    assert index.entries() == index.entries()
    path.write_text(json.dumps(environment("<p>epoch 2 of 8, later</p>")))
    assert index.entries() == [Entry("b", ["epoch 2 of 8, later"])]
    assert len(reads) == 2


@pytest.mark.parametrize("content", ["", "null", "[]", '{"jsons": []}', "{", "\xff"])
def test_a_damaged_file_is_listed_without_text(content: str, tmp_path: Path) -> None:
    (tmp_path / "b.json").write_bytes(content.encode("latin-1"))
    assert RunIndex({"b": OnDisk()}, tmp_path).entries() == [Entry("b", [])]


def test_markup_is_taken_away_and_escaped_signs_are_text() -> None:
    content = "<div><p>A &lt;b&gt;</p><p>two\nlines</p><progress value=3></progress><p></p></div>"
    assert text_lines(environment(content)) == ["A <b>", "two lines"]
