"""Measurement of a training's rate: the time of its updates on this machine, which should be idle."""

import logging
import os
from collections.abc import Sequence
from statistics import fmean, quantiles

from mtlaerial.errors import ConfigError
from mtlaerial.probe.side_by_side import time_together
from mtlaerial.probe.timing import Span, Timing
from mtlaerial.runs.code_hash import code_hash
from mtlaerial.runs.rate import Rate, rate_recipe
from mtlaerial.system.processor import usable_cores
from mtlaerial.training.job import TrainingJob
from mtlaerial.version import __version__

SPAN = Span(least=12, seconds=40, most=400)
BUSY = 0.25
"""Cores kept busy by other programs above which the machine counts as not idle."""
log = logging.getLogger(__name__)


def measure_rate(job: TrainingJob, span: Span = SPAN) -> Rate:
    """Time the updates of a training with a budget, on its tiles, beside as many others as the budget says.

    Initial weights are not read, as they change no time. Validation is not timed.

    Parameters
    ----------
    job : TrainingJob
    span : Span
        Number of updates to time.

    Raises
    ------
    ConfigError
        When the machine has too few cores for the trainings side by side.
    TrainingError
        When the training fails.
    """
    plan = job.plan
    budget, threads = plan.training.budget, plan.training.threads
    if budget is None:
        raise ConfigError("training.budget", "none", "a budget to measure the rate for", "Set training.budget.minutes.")
    _require_cores(budget.side_by_side, threads)
    load = _load_average()
    log.info("timing updates of %s, %d at once: let the machine be idle", plan.method, budget.side_by_side)
    timings = time_together(job.model_copy(update={"pretrained": None, "start": None}), budget.side_by_side, span)
    machine = timings[0].machine
    if machine.gpu and budget.side_by_side > 1:
        found, remedy = f"{budget.side_by_side} on a GPU", "Write 1."
        raise ConfigError("training.budget.side_by_side", found, "1, as a training has its GPU to itself", remedy)
    every = int(plan.weighting.model_dump().get("every", 1))
    seconds = [each for timing in timings for each in _means(timing.seconds, every)]
    low, median, high = quantiles(seconds, n=4, method="inclusive") if len(seconds) > 1 else 3 * seconds
    others = _others(timings)
    warning = _not_idle(others, machine.cores)
    if warning:
        log.warning("%s", warning)
    return Rate(
        machine=machine,
        device="cuda" if machine.gpu else "cpu",
        threads=threads,
        side_by_side=budget.side_by_side,
        seconds=median,
        quartiles=(low, high),
        timed=sum(len(timing.seconds) for timing in timings),
        patches=plan.training.batch,
        load_average=load,
        busy_cores=others,
        warning=warning,
        mtlaerial=__version__,
        code=code_hash("training"),
        recipe=rate_recipe(plan),
    )


def _means(seconds: Sequence[float], every: int) -> list[float]:
    """Return the mean seconds of an update over each ``every`` in a row, of which one computes weights for all."""
    starts = range(0, max(1, len(seconds) - every + 1), every)
    return [fmean(seconds[start : start + every]) for start in starts]


def _require_cores(trainings: int, threads: int) -> None:
    cores = len(usable_cores())
    if trainings > 1 and trainings * threads > cores:
        work = f"{trainings} trainings of {threads} threads" if threads > 1 else f"{trainings} trainings of 1 thread"
        remedy = "Lower it, or training.threads."
        raise ConfigError("training.budget.side_by_side", f"{work} on {cores} cores", "a core for each thread", remedy)


def _load_average() -> float | None:
    """Return the mean number of processes at work over the last minute; None where the system tells none."""
    try:
        return round(os.getloadavg()[0], 2)
    except (AttributeError, OSError):
        return None


def _others(timings: Sequence[Timing]) -> float:
    """Return the mean number of cores that other programs kept busy."""
    busy = sum(timing.busy_cores for timing in timings) / len(timings)
    return round(max(0.0, busy - sum(timing.own_cores for timing in timings)), 2)


def _not_idle(others: float, cores: int) -> str:
    if others <= BUSY:
        return ""
    return (
        f"The machine was not idle: other programs kept {others:.1f} of {cores} cores busy while the rate was "
        "measured, so that a budget buys too few updates"
    )
