"""Start a training in several processes on this machine, and end them all with this one.

``torchrun`` starts the processes (:mod:`mtlaerial.pipeline.worker`). All of them inherit two pipes: their output comes
line by line into this process's log, and their standard input ends when this process does, killed or not, on which they
end themselves.
"""

import logging
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import IO

from mtlaerial.errors import TrainingError
from mtlaerial.pipeline.worker import HERE, JOB, MODULE, told_failure
from mtlaerial.system.signals import Stopped, heeding
from mtlaerial.training.job import TrainingJob

PAUSE = 0.1
"""Seconds between looks at the processes."""
PATIENCE = 10.0
"""Seconds for them to end by themselves, when asked to."""
LAUNCHER = "launcher.log"
log = logging.getLogger(__name__)


def train_in_processes(job: TrainingJob, processes: int) -> None:
    """Train in so many processes; with one, in this one.

    Each has one of the GPUs that this process sees, or all work on the CPU.

    Parameters
    ----------
    job : TrainingJob
    processes : int

    Raises
    ------
    UserError
        What the first of them that failed says; or that one ended without a word.
    Stopped
        When this process was asked to end; the next call goes on from the last epoch.
    """
    if processes == 1:
        from mtlaerial.pipeline.run_training import run_training

        run_training(job)
        return
    log.info("training in %d processes", processes)
    with TemporaryDirectory(prefix="mtlaerial-") as name:
        folder = Path(name)
        (folder / JOB).write_text(job.model_dump_json(), encoding="utf-8")
        if _launch(folder, processes):
            raise told_failure(folder) or _sudden_end((folder / LAUNCHER).read_text(errors="replace"))


def _launch(folder: Path, processes: int) -> int:
    """Run the processes to their end, and return the exit code of ``torchrun``."""
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--local-addr=127.0.0.1"]
    command = [*torchrun, f"--nproc-per-node={processes}", "-m", MODULE, str(folder / JOB)]
    with (folder / LAUNCHER).open("wb") as own:  # what torchrun says of failures beside what the processes say
        launcher = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=own, text=True, errors="replace",
            process_group=0,  # Ctrl-C asks this process, which asks them
        )  # fmt: skip
    assert launcher.stdin
    assert launcher.stdout
    lines = Thread(target=_pass_on, args=(launcher.stdout,), daemon=True)
    lines.start()
    try:
        _wait(launcher)
    finally:
        launcher.stdin.close()  # ends those that are left
        launcher.wait()
        lines.join(PATIENCE)
    return launcher.returncode


def _wait(launcher: "subprocess.Popen[str]") -> None:
    with heeding() as stop:
        try:
            while launcher.poll() is None:
                stop.check()
                time.sleep(PAUSE)
            if launcher.returncode:  # also where all were asked at once
                stop.check()
        except Stopped:
            launcher.terminate()
            _wait_at_most(launcher, PATIENCE)
            raise


def _wait_at_most(launcher: "subprocess.Popen[str]", seconds: float) -> None:
    try:
        launcher.wait(seconds)
    except subprocess.TimeoutExpired:
        log.warning("the processes of this training do not end by themselves, and are ended")


def _pass_on(lines: IO[str]) -> None:
    with lines:
        for line in lines:
            log.info("%s", line.rstrip())


def _sudden_end(said: str) -> TrainingError:
    """Say that a process ended without a word; tell all that ``torchrun`` says, where that was not by a signal."""
    found, killed = "a sudden end", re.search(r"exitcode\s*:\s*-(\d+)", said)
    if killed:
        found += f" by {signal.Signals(int(killed[1])).name}"
    else:
        log.error("%s", said.rstrip())
    remedy = "If memory ran out, use a smaller batch; the next try goes on from the last epoch."
    return TrainingError(HERE, found, "work to its end", remedy)
