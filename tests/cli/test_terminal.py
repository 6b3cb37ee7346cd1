"""Output on a terminal of 80 columns: bars and lines never run into each other, and no line is broken."""

import re
import sys
from pathlib import Path

import pytest

from support.command_line import Town, config
from support.paths import environment
from support.terminals import on_terminal, screen

BAR = re.compile(r"(checking|preparing|verifying tiles|training): +\d+%\|.*\| \d+/\d+ \[.*\]")
LOSSES_AND_SCORES = re.compile(r": loss semantics [\d.]+, height [\d.]+; val mIoU [\d.]+ %, MAE [\d.]+ m")


@pytest.mark.full("200 steps of a training in a process of its own")
def test_a_training_on_a_terminal_shows_bars_and_short_lines(town: Town, tmp_path: Path) -> None:
    overlay = config(town, training={"epochs": 4, "epoch_patches": 200, "batch": 4, "threads": 1})
    command = [sys.executable, "-m", "mtlaerial", "train", str(town.spec), "--root", str(town.root)]
    code, raw = on_terminal([*command, "--out", "run", "--config", str(overlay)], environment(), tmp_path)
    lines = screen(raw)
    assert code == 0, raw
    assert lines[-1] == ""
    bars = [line for line in lines if BAR.fullmatch(line)]
    assert [BAR.fullmatch(line)[1] for line in bars][-1] == "training"
    assert "200/200" in bars[-1]
    others = [line for line in lines if line and not BAR.fullmatch(line)]
    assert not [line for line in others if "%|" in line]  # no bar with a line behind it
    begin = others.index("Training equal on town, seed 0: semantics and height")
    overview = dict(line.split(maxsplit=1) for line in others[begin + 1 : begin + 8])
    assert list(overview) == ["device", "network", "weighting", "tiles", "patches", "steps", "results"]
    assert overview["steps"] == "200 in 4 epochs of 50"
    assert overview["device"] == "CPU with 1 thread, precision 32-true"
    epochs = [line for line in others if line.startswith("epoch ")]
    assert [line.partition(":")[0] for line in epochs] == [f"epoch {number}/4" for number in (1, 2, 3, 4)]
    assert all(LOSSES_AND_SCORES.search(line) for line in epochs)
