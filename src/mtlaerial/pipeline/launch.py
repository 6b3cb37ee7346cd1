"""Launcher of a training in several processes on this machine, which end with this process.

``torchrun`` starts the processes (:mod:`mtlaerial.pipeline.worker`). They inherit two pipes: their output arrives line
by line in this process's log, and their standard input ends when this process ends, even if it is killed; on that they
exit.
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
from mtlaerial.pipeline.worker import HERE, JOB, MODULE, read_failure
from mtlaerial.system.signals import Stopped, deferred_signals
from mtlaerial.training.job import TrainingJob

PAUSE = 0.1
"""Seconds between polls of the processes."""
PATIENCE = 10.0
"""Seconds for a graceful shutdown of the processes."""
LAUNCHER = "launcher.log"
log = logging.getLogger(__name__)


def train_in_processes(job: TrainingJob, processes: int) -> None:
    """Train in a number of processes; a single one is this process.

    Each process has one of the visible GPUs, or all work on the CPU.

    Parameters
    ----------
    job : TrainingJob
    processes : int

    Raises
    ------
    UserError
        The error of the first process that failed; or a sudden end, when a process left no error.
    Stopped
        When this process was asked to end; the next call resumes from the last epoch.
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
            raise read_failure(folder) or _sudden_end((folder / LAUNCHER).read_text(errors="replace"))


def _launch(folder: Path, processes: int) -> int:
    """Run the processes until they end, and return the exit code of ``torchrun``."""
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--local-addr=127.0.0.1"]
    command = [*torchrun, f"--nproc-per-node={processes}", "-m", MODULE, str(folder / JOB)]
    with (folder / LAUNCHER).open("wb") as launcher_log:  # torchrun's own messages on failures
        launcher = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=launcher_log, text=True, errors="replace",
            process_group=0,  # Ctrl-C reaches this process only, which asks the others to end
        )  # fmt: skip
    assert launcher.stdin
    assert launcher.stdout
    lines = Thread(target=_pass_on, args=(launcher.stdout,), daemon=True)
    lines.start()
    try:
        _wait(launcher)
    finally:
        launcher.stdin.close()  # ends the remaining processes
        launcher.wait()
        lines.join(PATIENCE)
    return launcher.returncode


def _wait(launcher: "subprocess.Popen[str]") -> None:
    with deferred_signals() as stop:
        try:
            while launcher.poll() is None:
                stop.check()
                time.sleep(PAUSE)
            if launcher.returncode:  # a signal to all processes at once may end the others first
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


def _sudden_end(launcher_log: str) -> TrainingError:
    """Return the error of a process that left none: name the signal in ``torchrun``'s log, or else log all of it."""
    end, exit_code = "a sudden end", re.search(r"exitcode\s*:\s*-(\d+)", launcher_log)
    if exit_code:
        end += f" by {signal.Signals(int(exit_code[1])).name}"
    else:
        log.error("%s", launcher_log.rstrip())
    remedy = "If memory ran out, use a smaller batch; the next try goes on from the last epoch."
    return TrainingError(HERE, end, "work to its end", remedy)
