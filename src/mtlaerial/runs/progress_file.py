"""Progress of a training for programs: ``progress.jsonl`` in the run's folder, one JSON record per line.

Records are only appended, by the main process of a training. The workflow does not declare the file as an output, so
that Snakemake keeps it when a training fails and is resumed.
"""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import IO, Literal

from pydantic import AwareDatetime, NonNegativeInt, ValidationError

from mtlaerial.config import Section
from mtlaerial.system.memory import gpu_memory_mb, process_memory_mb
from mtlaerial.system.signals import Stopped

Event = Literal["begin", "resume", "step", "validation", "state_saved", "end", "error"]
INTERVAL = 5.0
"""Seconds between records of steps."""
MESSAGE = 500
"""Most characters of an error's message or a warning, so that a line stays one small write."""
TAIL = 65_536
"""Bytes at the end of the file that hold the last record for certain."""
log = logging.getLogger(__name__)


class ProgressRecord(Section):
    """One event of a training."""

    event: Event
    time: AwareDatetime
    step: NonNegativeInt = 0
    """Steps that are done."""
    steps: NonNegativeInt = 0
    """Steps of the whole training; 0 where it failed before they were known. A training with ``training.patience`` may
    end before them."""
    saved_step: NonNegativeInt = 0
    """Step of the last saved state, from which a killed training is resumed; 0 without one."""
    seconds_left: float | None = None
    """At the mean rate since the training began or was resumed."""
    memory_mb: int = 0
    """Resident memory of the main process."""
    gpu_memory_mb: int | None = None
    """GPU memory that torch has reserved in the main process."""
    message: str = ""
    """Of an error."""
    warning: str = ""
    """Statement that the last validated weights, at the end the chosen ones, are worse than a constant prediction."""


class ProgressFile:
    """The progress file of a training, as its main process writes it.

    A file that cannot be written is a warning, given once, and never ends a training.

    Parameters
    ----------
    path : Path or None
        The file; with None, as in the other processes of a training, nothing is written.
    steps : int
        Steps of the whole training.

    Attributes
    ----------
    warning : str
        Warning that all further records carry; empty without one.
    """

    def __init__(self, path: Path | None, steps: int) -> None:
        self.warning = ""
        self._path, self._steps = path, steps
        self._first_step = self._saved_step = 0
        self._began = self._last_write = monotonic()
        self._warned = False

    def begin(self, step: int) -> None:
        """Record that the training begins, or is resumed after a step."""
        self._first_step = self._saved_step = step
        self._began = monotonic()
        self.record("resume" if step else "begin", step)

    def step(self, step: int) -> None:
        """Record that a step is done, if the last record is older than ``INTERVAL``."""
        if monotonic() - self._last_write >= INTERVAL:
            self.record("step", step)

    def state_saved(self, step: int) -> None:
        """Record that the state after a step is saved."""
        self._saved_step = step
        self.record("state_saved", step)

    def record(self, event: Event, step: int) -> None:
        """Append the record of an event."""
        if self._path is None:
            return
        self._last_write = monotonic()
        record = ProgressRecord(
            event=event,
            time=datetime.now(UTC),
            step=step,
            steps=self._steps,
            saved_step=self._saved_step,
            seconds_left=0.0 if event == "end" else self._seconds_left(step),
            memory_mb=process_memory_mb(),
            gpu_memory_mb=gpu_memory_mb(),
            warning=self.warning[:MESSAGE],
        )
        if (error := _append(self._path, record)) and not self._warned:
            self._warned = True
            log.warning("%s cannot be written (%s): the training goes on without it", self._path, error)

    def _seconds_left(self, step: int) -> float | None:
        steps_since = step - self._first_step
        if not steps_since:
            return None
        seconds_per_step = (self._last_write - self._began) / steps_since
        return round(seconds_per_step * (self._steps - step), 1)


def progress_path(folder: Path) -> Path:
    """Return the progress file of a run's folder."""
    return folder / "progress.jsonl"


def load_progress(path: Path, tail: int | None = None) -> list[ProgressRecord]:
    """Return the records of a progress file, oldest first; none where it is missing or unreadable.

    A line that is no record is skipped: a killed process, or a full disk, may leave an incomplete one.

    Parameters
    ----------
    path : Path
    tail : int, optional
        Read only so many bytes at the end of the file.

    Examples
    --------
    >>> load_progress(Path("missing/progress.jsonl"))
    []
    """
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - tail) if tail is not None else 0)
            lines = file.read().splitlines()
    except OSError:
        return []
    return [record for line in lines if (record := _parse(line))]


def last_record(folder: Path) -> ProgressRecord | None:
    """Return the last record of a run's progress file, if there is one."""
    records = load_progress(progress_path(folder), TAIL)
    return records[-1] if records else None


@contextmanager
def failure_recorded(folder: Path) -> Iterator[None]:
    """Append an error that the block raises to the run's progress file, unless the last record is that error."""
    try:
        yield
    except Stopped:  # asked to end: not a failure
        raise
    except Exception as error:
        last = last_record(folder) or ProgressRecord(event="begin", time=datetime.now(UTC))
        message = (str(error) or type(error).__name__)[:MESSAGE]
        if (last.event, last.message) != ("error", message):
            changes = {
                "event": "error",
                "time": datetime.now(UTC),
                "seconds_left": None,
                "message": message,
                "warning": "",
            }
            _append(progress_path(folder), last.model_copy(update=changes))
        raise


def _parse(line: bytes) -> ProgressRecord | None:
    try:
        return ProgressRecord.model_validate_json(line)
    except ValidationError:
        return None


def _append(path: Path, record: ProgressRecord) -> OSError | None:
    """Append a line, and return the error where that fails; open the file each time, so that other machines see it."""
    line = record.model_dump_json(exclude_defaults=True).encode() + b"\n"
    try:
        with path.open("a+b") as file:
            # An incomplete last line must not swallow this one.
            if file.seek(0, os.SEEK_END) and _last_byte(file) != b"\n":
                line = b"\n" + line
            file.write(line)
    except OSError as error:
        return error
    return None


def _last_byte(file: IO[bytes]) -> bytes:
    file.seek(-1, os.SEEK_END)
    return file.read(1)
