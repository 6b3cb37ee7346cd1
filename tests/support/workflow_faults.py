"""Faults of a workflow, and its restart by the user."""

import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

from support.workplace import Workplace, job_of, kill_session, session

RESUME = "workflow/resume.py"
STARTUP = 2.0
"""Seconds before which Snakemake has hardly started a job."""
NAN = """\
import os
from mtlaerial.training.train_step import TrainStep
update = TrainStep.__call__
def spoilt(self, number, measure_conflict=False):
    found = update(self, number, measure_conflict)
    if number == {step} and not os.path.exists("spoilt"):
        open("spoilt", "w").close()
        found.losses.mul_(float("nan"))
    return found
TrainStep.__call__ = spoilt
"""
"""Put before the training's script: once, at a step, the losses are not numbers."""


@dataclass
class Attempt:
    """A workflow at work.

    Attributes
    ----------
    place : Workplace
    moments : Random
        Decides when something happens.
    whole, job : float
        Seconds that the workflow, and one job of the rule, take unbroken.
    rule : str
        Of the jobs that something happens to.
    targets : tuple of str
        Of the workflow; by default all.
    """

    place: Workplace
    moments: random.Random
    whole: float
    job: float
    rule: str = "train"
    targets: tuple[str, ...] = ()

    def begin(self, script: str = "") -> None:
        """Start Snakemake, or go on by a script."""
        self.snakemake = self.place.start(*self.targets, script=script)

    def go_on(self) -> None:
        """Resume the workflow as a user does once Snakemake has ended."""
        self.snakemake.wait()
        self.begin(RESUME)

    @property
    def ended(self) -> bool:
        """Whether Snakemake has ended."""
        return self.snakemake.poll() is not None

    def some_job(self) -> psutil.Process | None:
        """Return a job of the rule at a random moment of its work; None where the workflow ends before there is one."""
        wait = self.moments.uniform(0.1, 0.8) * self.job
        while not self.ended:
            for process in session(self.snakemake.pid):
                if job_of(process) == self.rule:
                    time.sleep(wait)
                    if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                        return process
            time.sleep(0.05)
        return None

    def states(self) -> list[Path]:
        """Return the states of unfinished trainings, the newest last."""
        paths = (path for path in self.place.folder.rglob("*.resume.pt") if path.exists())
        return sorted(paths, key=lambda path: path.stat().st_mtime)


Fault = Callable[[Attempt], bool]
"""Begins a workflow, lets something happen, goes on as a user would; tells whether it did happen."""


def kill_everything(attempt: Attempt) -> bool:
    """Kill Snakemake and all its jobs, as a power cut would."""
    attempt.begin()
    try:
        attempt.snakemake.wait(STARTUP + attempt.moments.uniform(0, attempt.whole - STARTUP))
    except subprocess.TimeoutExpired:
        kill_session(attempt.snakemake)
        attempt.go_on()
        return True
    return False


def to_job(act: Callable[[psutil.Process], None]) -> Fault:
    """Return the fault that something is done to one job while Snakemake goes on."""

    def fault(attempt: Attempt) -> bool:
        attempt.begin()
        if process := attempt.some_job():
            act(process)
        return process is not None

    return fault


def pause(process: psutil.Process) -> None:
    """Halt a process for some seconds."""
    process.suspend()
    time.sleep(3)
    process.resume()


def interrupt(attempt: Attempt) -> bool:
    """Press Ctrl-C."""
    attempt.begin()
    if attempt.some_job():
        os.killpg(attempt.snakemake.pid, signal.SIGINT)
        attempt.go_on()
        return True
    return False


def terminate_snakemake(attempt: Attempt) -> bool:
    """Ask Snakemake to end, which lets its jobs end before."""
    attempt.begin()
    if attempt.some_job():
        attempt.snakemake.terminate()
        attempt.go_on()
        return True
    return False


def spoil_state(change: Callable[[Path], None]) -> Fault:
    """Return the fault that all is killed, and the last stored state is damaged."""

    def fault(attempt: Attempt) -> bool:
        attempt.begin()
        while attempt.some_job():
            if states := attempt.states():
                kill_session(attempt.snakemake)
                change(states[-1])
                attempt.go_on()
                return True
        return False

    return fault


def truncate(path: Path) -> None:
    """Cut a file in half."""
    os.truncate(path, path.stat().st_size // 2)


def flip(path: Path) -> None:
    """Change a bit in the middle of a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def fill_disk(attempt: Attempt) -> bool:
    """Fill the disk; free it once the workflow has failed, or a while later."""
    attempt.begin()
    if not attempt.some_job():
        return False
    filler = attempt.place.folder / "filler"
    free = shutil.disk_usage(attempt.place.folder).free
    if free > 2**30:
        raise SystemExit(f"{attempt.place.folder} has {free >> 20} MB free: --folder of less than 1 GB for a full disk")
    with filler.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(2**12)):
                pass
        except OSError:
            pass
    attempt.snakemake.wait()
    filler.unlink()
    attempt.go_on()
    return True


def lose_numbers(attempt: Attempt) -> bool:
    """Let the losses of one step be not a number."""
    script = attempt.place.folder / "workflow/scripts/train.py"
    original = script.read_text()
    script.write_text(NAN.format(step=attempt.moments.randrange(2, 60)) + original)
    attempt.begin()
    attempt.snakemake.wait()
    return (attempt.place.folder / "spoilt").exists()


FAULTS: dict[str, Fault] = {
    "kill": kill_everything,
    "kill-training": to_job(psutil.Process.kill),
    "terminate-training": to_job(psutil.Process.terminate),
    "pause-training": to_job(pause),
    "interrupt": interrupt,
    "terminate": terminate_snakemake,
    "truncated-state": spoil_state(truncate),
    "changed-bit": spoil_state(flip),
    "full-disk": fill_disk,
    "nan": lose_numbers,
}
