"""Progress: a bar in a terminal, a line per interval in the log, with rate, time left and memory."""

import logging
import os
import pty
import re
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from mtlaerial.system import progress
from mtlaerial.system.progress import Progress, track

LINE = re.compile(r"working: (\d+)/100 step, ([\d.e+]+) step/s, (\S+) left, ([\d,]+) MB")


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


def test_only_the_main_process_speaks(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setenv("RANK", "1")
    with caplog.at_level(logging.INFO):
        assert list(track([1, 2], 2, "working", "step")) == [1, 2]
    assert not caplog.records


def test_a_terminal_has_the_bar_and_the_log_has_the_lines(tmp_path: Path) -> None:
    """As a script of the workflow runs, whose messages go to both."""
    scripts = Path(__file__).parents[2] / "workflow/scripts"
    program = (
        f"import logging, sys; sys.path.insert(0, {str(scripts)!r})\n"
        "from types import SimpleNamespace\nfrom common import logged\nfrom mtlaerial.system.progress import track\n"
        f"with logged(SimpleNamespace(log=[{str(tmp_path / 'log')!r}])):\n"
        "  for step in track(range(100), 100, 'working', 'step'):\n"
        "    if step == 50: logging.getLogger('mtlaerial').warning('half done')\n"
    )
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    done = subprocess.run([sys.executable, "-c", program], stderr=theirs, check=False)
    os.close(theirs)
    shown = os.read(ours, 10_000).decode()
    os.close(ours)
    assert done.returncode == 0
    assert "100%" in shown
    assert not LINE.search(shown)
    assert re.search(r"[\r\n]half done\r\n", shown)  # on a line of its own, not behind the bar
    assert LINE.search((tmp_path / "log").read_text())
