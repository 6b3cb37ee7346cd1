"""Progress: a bar in a terminal, a line per interval in the log, with rate, time left and memory."""

import logging
import os
import re
import sys
from pathlib import Path

import pytest

from mtlaerial.system import progress
from mtlaerial.system.progress import Progress, track
from support.paths import ROOT
from support.terminals import on_terminal, screen

LONG = "half done, and this sentence is longer than eighty columns so that a terminal would break it within a word"
LINE = re.compile(r"working: (\d+)/100 steps, ([\d.,]+) step/s, (\S+) left, ([\d,]+) MB")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Give the time, to be set."""
    now = [0.0]
    monkeypatch.setattr(progress, "monotonic", lambda: now[0])
    return now


def test_a_line_per_interval(clock: list[float], caplog: pytest.LogCaptureFixture) -> None:
    bar = Progress(100, "working", "step", initial=20)
    with caplog.at_level(logging.INFO):
        for _ in range(80):
            clock[0] += 2
            bar.update(1)
    matches = [LINE.fullmatch(record.message) for record in caplog.records]
    assert all(matches)
    lines = [match.groups() for match in matches if match]
    assert [int(done) for done, *_ in lines] == [35, 50, 65, 80, 95, 100]
    assert {rate for _, rate, *_ in lines} == {"0.5"}  # of the steps of this process, not of those before it
    assert [left for _, _, left, _ in lines] == ["02:10", "01:40", "01:10", "00:40", "00:10", "00:00"]
    assert all(10 < float(memory.replace(",", "")) < 1e5 for *_, memory in lines)


@pytest.mark.parametrize(
    ("total", "unit", "text"), [(6, "window", "6/6 windows,"), (1, "tile", "1/1 tile,"), (6, "MB", "6/6 MB,")]
)
def test_items_are_counted_in_the_plural(total: int, unit: str, text: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        list(track(range(total), total, "working", unit))
    assert f"working: {text}" in caplog.records[-1].message


def test_only_the_main_process_speaks(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setenv("RANK", "1")
    with caplog.at_level(logging.INFO):
        assert list(track([1, 2], 2, "working", "step")) == [1, 2]
    assert not caplog.records


def test_a_line_is_not_broken_between_a_number_and_its_unit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.get_terminal_size", lambda *_: os.terminal_size((27, 40)))
    monkeypatch.setattr("sys.stderr.fileno", lambda: 2)
    assert progress._filled("  a line with a score of 28.1 % and more\nshort") == (
        "  a line with a score of\n    28.1 % and more\nshort"
    )


def test_a_terminal_has_the_bar_and_lines_of_their_own() -> None:
    """As a command runs."""
    program = (
        "import logging\nfrom mtlaerial.system.progress import TerminalHandler, track\n"
        "logging.basicConfig(level=logging.INFO, format='%(message)s', handlers=[TerminalHandler()])\n"
        "for step in track(range(100), 100, 'working', 'step'):\n"
        f"  if step == 50: logging.getLogger('mtlaerial').warning({LONG!r})\n"
    )
    code, raw = on_terminal([sys.executable, "-c", program])
    lines = screen(raw)
    assert code == 0
    assert not LINE.search(raw)
    assert lines[0].startswith("half done, and this sentence")
    assert lines[1].startswith("  ")
    assert " ".join(f"{lines[0]} {lines[1]}".split()) == LONG
    assert "100%|" in lines[-2]


def test_jobs_of_a_workflow_write_warnings_and_milestones_alone_to_its_terminal(tmp_path: Path) -> None:
    log = tmp_path / "logs/city/train/equal.seed0.log"
    log.parent.mkdir(parents=True)
    program = (
        f"import logging, sys; sys.path.insert(0, {str(ROOT / 'workflow/scripts')!r})\n"
        "from types import SimpleNamespace\nfrom common import logged\n"
        "from mtlaerial.system.progress import MILESTONES, track\n"
        f"with logged(SimpleNamespace(log=[{str(log)!r}])):\n"
        "  for step in track(range(100), 100, 'working', 'step'):\n"
        "    if step == 50: logging.getLogger('mtlaerial').warning('half done')\n"
        "  logging.getLogger(MILESTONES).info('epoch 1')\n"
        "  logging.info('a detail')\n"
    )
    code, raw = on_terminal([sys.executable, "-c", program])
    assert code == 0
    assert screen(raw) == ["city/train/equal.seed0: half done", "city/train/equal.seed0: epoch 1", ""]
    text = log.read_text()
    assert LINE.search(text)
    assert all(words in text for words in ("half done", "epoch 1", "a detail"))
