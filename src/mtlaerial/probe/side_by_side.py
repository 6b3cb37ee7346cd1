"""Timing of trainings that are at work at once, each in a process of its own."""

import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

from pydantic import ValidationError

from mtlaerial.errors import TrainingError
from mtlaerial.probe.request import READY, Answer, Request
from mtlaerial.probe.timing import Span, Timing
from mtlaerial.training.job import TrainingJob

MODULE = "mtlaerial.probe.worker"
"""Not imported here: Python warns where a module that it is to run has been imported."""
_TORCHRUN = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "GROUP_RANK", "MASTER_ADDR", "MASTER_PORT")
"""Variables by which a process would join those of this one's training."""


def time_together(job: TrainingJob, trainings: int, span: Span) -> list[Timing]:
    """Time updates of a training while others like it are at work, and return the times of each.

    All build their network and warm up first, and begin to time together.

    Parameters
    ----------
    job : TrainingJob
    trainings : int
        Number of trainings at work at once.
    span : Span

    Raises
    ------
    TrainingError
        When one of them fails; the reason is that training's.
    """
    with TemporaryDirectory(prefix="mtlaerial-") as name, ExitStack() as stack:
        request = Path(name) / "request.json"
        request.write_text(Request(job=job, span=span).model_dump_json(), encoding="utf-8")
        workers = [stack.enter_context(_started(request)) for _ in range(trainings)]
        stack.callback(_end, workers)  # before they are waited for, also after an error
        lines = [_line(worker.stdout) for worker in workers]
        if any(line != READY for line in lines):
            raise _failure(job, next(line for line in lines if line != READY))
        for worker in workers:
            assert worker.stdin
            worker.stdin.write("begin\n")
            worker.stdin.flush()
        answers = [_line(worker.stdout) for worker in workers]
    return [_timing(job, answer) for answer in answers]


def _started(request: Path) -> "subprocess.Popen[str]":
    environment = {name: value for name, value in os.environ.items() if name not in _TORCHRUN}
    command = [sys.executable, "-m", MODULE, str(request)]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
        process_group=0,  # Ctrl-C reaches this process only, whose end ends the others
    )  # fmt: skip


def _end(workers: "list[subprocess.Popen[str]]") -> None:
    """End workers that are still at work; one that has answered has ended by itself."""
    for worker in workers:
        if worker.poll() is None:
            worker.kill()


def _line(output: IO[str] | None) -> str:
    assert output
    return output.readline().strip()


def _timing(job: TrainingJob, line: str) -> Timing:
    timing = _answer(line).timing
    if timing is None:
        raise _failure(job, line)
    return timing


def _answer(line: str) -> Answer:
    try:
        return Answer.model_validate_json(line)
    except ValidationError:  # no whole line
        return Answer(failed="its process was ended, as when memory runs out")


def _failure(job: TrainingJob, line: str) -> TrainingError:
    reason = _answer(line).failed
    remedy = "If memory ran out, lower training.batch, or the number of trainings side by side."
    return TrainingError(f"timing of {job.plan.method}", f"a training that fails ({reason})", "updates to time", remedy)
