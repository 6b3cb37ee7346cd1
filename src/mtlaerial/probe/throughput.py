"""Throughput of trainings side by side on this machine: many of few threads, or few of many."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import psutil
from pydantic import NonNegativeFloat, PositiveInt

from mtlaerial.config import Section
from mtlaerial.errors import UserError
from mtlaerial.probe.generated import generated_job
from mtlaerial.probe.side_by_side import time_together
from mtlaerial.probe.timing import Span
from mtlaerial.probe.trial import Settings, Trial
from mtlaerial.runs.plan import RunPlan
from mtlaerial.system.memory import MEGABYTE

SPAN = Span(least=3, seconds=6, most=200)
WITHOUT_TRAINING_MB = 600
"""Memory of a process that has imported torch and not begun to train."""


class Throughput(Section):
    """Updates per second of trainings that are at work at once.

    Attributes
    ----------
    settings : Settings
        Of each training.
    trainings : int
    seconds : float
        Median seconds of an update, over all of them.
    memory_mb : float
        Sum of the processes' peaks, torch itself included.
    failed : str
        Reason why nothing was measured; empty on success.
    """

    settings: Settings
    trainings: PositiveInt
    seconds: NonNegativeFloat = 0.0
    memory_mb: NonNegativeFloat = 0.0
    failed: str = ""

    @property
    def rate(self) -> float:
        """Updates per second of all trainings."""
        return self.trainings / self.seconds if self.seconds else 0.0


def divisions(cores: int, threads: tuple[int, ...]) -> Iterator[tuple[int, int]]:
    """Yield the numbers of trainings that fill the cores, more than one, each with the threads of one of them.

    Examples
    --------
    >>> list(divisions(4, (1, 2, 4)))
    [(4, 1), (2, 2)]
    """
    for count in threads:
        if cores // count > 1:
            yield cores // count, count


def measure_throughput(plan: RunPlan, alone: Trial, trainings: int, threads: int) -> Throughput:
    """Measure trainings of a plan at work at once.

    Parameters
    ----------
    plan : RunPlan
    alone : Trial
        The best training alone: the others have its settings, and take at least its memory.
    trainings, threads : int
    """
    settings = alone.settings.model_copy(update={"threads": threads})
    result = Throughput(settings=settings, trainings=trainings)
    needed, free = trainings * (alone.memory_mb + WITHOUT_TRAINING_MB), psutil.virtual_memory().available / MEGABYTE
    if needed > free:
        return result.model_copy(update={"failed": f"needs about {needed:,.0f} MB, and {free:,.0f} MB are free"})
    changed = plan.model_copy(update={"training": settings.on(plan.training)})
    with tempfile.TemporaryDirectory() as folder:
        try:
            timings = time_together(generated_job(changed, Path(folder)), trainings, SPAN)
        except UserError as error:
            return result.model_copy(update={"failed": error.found})
    seconds = median(each for timing in timings for each in timing.seconds)
    memory = sum(timing.process_mb for timing in timings)
    return result.model_copy(update={"seconds": seconds, "memory_mb": memory})
