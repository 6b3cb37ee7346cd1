"""A pseudo-terminal that a command writes to, and what its screen shows in the end."""

import os
import pty
import subprocess
import termios
from collections.abc import Mapping, Sequence
from pathlib import Path

COLUMNS = 80


def on_terminal(
    command: Sequence[str], environment: Mapping[str, str] | None = None, folder: Path | None = None
) -> tuple[int, str]:
    """Run a command with standard output and error on a terminal of 80 columns; return exit code and raw output."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (40, COLUMNS))
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, cwd=folder)
    os.close(theirs)
    chunks = []
    try:
        while chunk := os.read(ours, 65_536):
            chunks.append(chunk)
    except OSError:  # Linux's end of a terminal's output
        pass
    os.close(ours)
    return process.wait(), b"".join(chunks).decode()


def screen(raw: str) -> list[str]:
    """Return the lines that a terminal shows of raw output.

    Raises
    ------
    AssertionError
        When something reaches beyond the last column, where a terminal breaks the line.
    """
    lines = []
    for line in raw.replace("\r\n", "\n").split("\n"):
        cells: list[str] = []
        for part in line.split("\r"):
            assert len(part) <= COLUMNS, f"{len(part)} columns: {part!r}"
            cells[: len(part)] = part
        lines.append("".join(cells).rstrip())
    return lines
