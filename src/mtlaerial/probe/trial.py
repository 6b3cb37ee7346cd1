"""Trial of settings: a few training steps on generated data, in a separate process."""

import multiprocessing
import tempfile
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from statistics import median
from typing import Literal

from pydantic import NonNegativeFloat

from mtlaerial.config import Section, TrainingSpec
from mtlaerial.errors import UserError
from mtlaerial.probe.generated import generated_job
from mtlaerial.probe.timing import Span, TimedTraining
from mtlaerial.runs.plan import RunPlan

STEPS = 3
"""Timed steps, after a first one that is not timed with them."""


class Settings(Section):
    """Keys of ``training`` that change the cost of a step and hardly its result."""

    precision: Literal["32-true", "bf16-mixed", "16-mixed"]
    threads: int
    channels_last: bool = True
    checkpointing: bool = False
    compile: bool = False

    def on(self, training: TrainingSpec) -> TrainingSpec:
        """Return a recipe with these settings."""
        return training.model_copy(update=self.model_dump())


class Trial(Section):
    """Time and memory of a training step under some settings.

    Attributes
    ----------
    settings : Settings
    seconds : float
        Median seconds of a step.
    first : float
        Seconds of the first step, in which a network is compiled.
    memory_mb : float
        Peak above the memory before the first step: the process's, or on a GPU torch's allocations.
    failed : str
        Reason why nothing was measured, as a clause; empty on success.
    """

    settings: Settings
    seconds: NonNegativeFloat = 0.0
    first: NonNegativeFloat = 0.0
    memory_mb: NonNegativeFloat = 0.0
    failed: str = ""

    def total(self, steps: int) -> float:
        """Return the seconds of a training of the given number of steps."""
        return float("inf") if self.failed else max(self.first - self.seconds, 0) + steps * self.seconds


def run_trial(plan: RunPlan, settings: Settings) -> Trial:
    """Measure a plan under some settings in a new process, whose peak of memory no other trial has raised."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        try:
            return pool.submit(measure, plan, settings).result()
        except BrokenProcessPool:
            return Trial(settings=settings, failed="its process was ended, as when memory runs out")


def measure(plan: RunPlan, settings: Settings) -> Trial:
    """Measure a plan under some settings in this process."""
    with tempfile.TemporaryDirectory() as folder:
        changed = plan.model_copy(update={"training": settings.on(plan.training)})
        try:
            return _steps(changed, settings, Path(folder))
        except (RuntimeError, UserError) as error:  # no memory on the device, no compiler, no such precision
            reason = str(error).strip() or type(error).__name__
            return Trial(settings=settings, failed=reason.splitlines()[0])


def _steps(plan: RunPlan, settings: Settings, folder: Path) -> Trial:
    training = TimedTraining(generated_job(plan, folder))
    timing = training.time(training.warm_up(1), Span(least=STEPS))
    training.close()
    return Trial(settings=settings, seconds=median(timing.seconds), first=timing.first, memory_mb=timing.memory_mb)
