"""How far the trainings of a selection are, as their files tell; nothing of them is touched."""

import fcntl
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mtlaerial.config import ProjectConfig
from mtlaerial.runs.lock import lock_file

State = Literal["done", "running", "interrupted", "failed", "waiting"]
PROGRESS = re.compile(r"(?:training: (\d+)/(\d+) step|after step (\d+) of (\d+))(?:.*?, (\S+) left)?")
"""A line of progress, or what is said where a training stops and goes on."""
STAMP = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} ")
"""What a line of a log begins with, but for the further lines of a message."""
ERROR = re.compile(r": found .+; expected .+|^Traceback \(most recent call last\)", re.MULTILINE)
TAIL = 65_536
"""Bytes at a log's end that are read."""
LATELY = 120.0
"""Seconds in which a training that goes on says something; several times as long as between lines of progress."""


@dataclass(frozen=True)
class RunStatus:
    """A training as its files tell.

    Attributes
    ----------
    name : str
        ``dataset/method/seed0``.
    state : str
        ``done``; ``running`` where its lock is held; ``interrupted`` where the state of an unfinished training is kept;
        ``failed`` where its log ends with an error; ``waiting`` otherwise.
    progress : str
        Steps that are done, and the time left; empty where nothing is known.
    age : float or None
        Seconds since the last line of its log.
    lines : tuple of str
        The last ones of the log.
    """

    name: str
    state: State
    progress: str
    age: float | None
    lines: tuple[str, ...]


def training_states(config: ProjectConfig) -> Iterator[RunStatus]:
    """Yield the state of each training that the selection needs, in its order."""
    for dataset in config.run.datasets:
        for method in config.trained:
            for seed in config.run.seeds:
                yield _status(config, dataset, method, seed)


def _status(config: ProjectConfig, dataset: str, method: str, seed: int) -> RunStatus:
    folder = config.results / dataset / "runs" / method / f"seed{seed}"
    log = config.results / "logs" / dataset / "train" / f"{method}.seed{seed}.log"
    text = _end_of(log)
    state = _state(folder, text, config.resume)
    age = max(0.0, time.time() - log.stat().st_mtime) if text else None
    progress = _progress(text, state)
    return RunStatus(f"{dataset}/{method}/seed{seed}", state, progress, age, tuple(text.splitlines()))


def _state(folder: Path, text: str, resume: Path | None) -> State:
    if _is_locked(lock_file(folder)):
        return "running"
    if (folder / "model.safetensors").exists():
        return "done"
    # Among states in a folder of their own, the log tells whether one is this run's.
    if any(folder.glob("*.resume.pt")) or (resume and any(resume.glob("*.resume.pt")) and PROGRESS.search(text)):
        return "interrupted"
    return "failed" if _ends_with_error(text) else "waiting"


def _is_locked(path: Path) -> bool:
    """Tell whether a process holds a lock: one to share, which is given up at once, is not to be had beside it.

    ``filelock`` would create the file, and needs the right to write it, which others' results do not give.
    """
    try:
        file = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # where a file system knows no such locks
        return False
    finally:
        os.close(file)
    return False


def _end_of(log: Path) -> str:
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL))
            return file.read().decode(errors="replace").strip()
    except OSError:
        return ""


def _ends_with_error(text: str) -> bool:
    """Tell whether the last message, or what follows it without a time, is an error."""
    last = [match.start() for match in STAMP.finditer(text)][-1:]
    return bool(ERROR.search(text, last[0] if last else 0))


def _progress(text: str, state: State) -> str:
    found = list(PROGRESS.finditer(text))
    if not found or state in ("done", "waiting"):
        return ""
    done, total, kept, of, left = found[-1].groups()
    said = f"{done or kept}/{total or of} steps"
    return f"{said}, {left} left" if left and state == "running" else said


def status_text(runs: list[RunStatus], lines: int) -> str:
    """Return a table of the trainings for people, with the last lines of the logs of those that are not done.

    Parameters
    ----------
    runs : list of RunStatus
    lines : int
        How many lines of each log; of one that tells of a failure, at least one.
    """
    width = max(len(run.name) for run in runs)
    text = []
    for run in runs:
        age = "" if run.age is None or run.state == "done" else f"log {_ago(run.age)}"
        text.append(f"{run.name:{width}}  {run.state:11}  {run.progress:34}  {age}".rstrip())
        shown = 0 if run.state == "done" else max(lines, int(run.state == "failed"))
        text += [f"    {line}" for line in run.lines[-shown:] if shown]
    counts = {state: sum(run.state == state for run in runs) for state in dict.fromkeys(run.state for run in runs)}
    text += ["", f"Trainings: {', '.join(f'{number} {state}' for state, number in counts.items())}"]
    if any(run.state in ("interrupted", "waiting") and (run.age or LATELY) < LATELY for run in runs):
        text.append("Where a log has new lines, a training goes on, though its lock may not be seen from this machine.")
    return "\n".join(text)


def _ago(seconds: float) -> str:
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit} ago"
    return f"{seconds:.0f} s ago"
