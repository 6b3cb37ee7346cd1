"""Times of updates of a training in this process; nothing of the training is kept."""

from time import perf_counter, process_time
from typing import Any

import psutil
from pydantic import NonNegativeFloat, PositiveInt

from mtlaerial.config import Section
from mtlaerial.runs.machine import Machine
from mtlaerial.system.memory import peak_process_memory_mb
from mtlaerial.system.processor import usable_cores
from mtlaerial.training.job import TrainingJob

ENDLESS = 1_000_000
"""Updates per epoch of a training that is timed: more than are timed."""
WARM_UP = 3
"""First updates that are not timed: they reserve memory, choose kernels and fill caches."""


class Span(Section):
    """Number of updates to time: until the seconds are over, but not fewer or more than stated."""

    least: PositiveInt
    seconds: NonNegativeFloat = 0.0
    most: PositiveInt = 1000


class Timing(Section):
    """Times of updates in one process, and what it and the machine did meanwhile."""

    machine: Machine
    first: NonNegativeFloat
    """Seconds of the first update, in which a network is compiled."""
    seconds: tuple[NonNegativeFloat, ...]
    """Of each timed update."""
    memory_mb: NonNegativeFloat
    """Peak above the memory before the first update: the process's, or on a GPU torch's allocations."""
    process_mb: NonNegativeFloat
    """Peak of the process's memory, with all that torch takes by itself."""
    own_cores: NonNegativeFloat
    """Cores that this process kept busy, on average."""
    busy_cores: NonNegativeFloat
    """Cores that anything kept busy, this process included, of those that it may use."""


class TimedTraining:
    """A training whose updates are timed.

    Parameters
    ----------
    job : TrainingJob
        Its budget may be undecided, as it is what the timing is for.
    """

    def __init__(self, job: TrainingJob) -> None:
        from mtlaerial.training.cost_meter import machine_of
        from mtlaerial.training.trainer import Trainer

        spec = job.plan.training
        endless = spec.model_copy(update={"budget": None, "epoch_patches": ENDLESS * spec.batch})
        self._trainer = Trainer(job.model_copy(update={"plan": job.plan.model_copy(update={"training": endless})}))
        self.machine = machine_of(self._trainer.device)
        # As in the last epoch: parts that are frozen in the first ones only take part.
        self._trainer.update.begin_epoch(spec.epochs - 1)
        self._step = 0

    def warm_up(self, updates: int = WARM_UP) -> float:
        """Make the first updates; return the seconds of the very first."""
        begun = perf_counter()
        self._update()
        first = perf_counter() - begun
        for _ in range(updates - 1):
            self._update()
        return first

    def time(self, first: float, span: Span) -> Timing:
        """Time updates.

        Parameters
        ----------
        first : float
            Seconds of the first update, from :meth:`warm_up`.
        span : Span
        """
        meter, cores = self._trainer.meter, usable_cores()
        begun, own, busy, updates = perf_counter(), process_time(), _busy_seconds(cores), 0
        while updates < span.least or (updates < span.most and perf_counter() - begun < span.seconds):
            meter.begin()
            self._update()
            meter.end(1)
            updates += 1
        wall = perf_counter() - begun
        return Timing(
            machine=self.machine,
            first=first,
            seconds=tuple(meter.state_dict()["intervals"]),
            memory_mb=max(meter.cost().peak_memory_mb, 0),
            process_mb=peak_process_memory_mb(),
            own_cores=(process_time() - own) / wall,
            busy_cores=max(_busy_seconds(cores) - busy, 0) / wall,
        )

    def close(self) -> None:
        """End the thread that prefetches patches."""
        self._trainer.update.batches.close()

    def _update(self) -> None:
        self._trainer.update(self._step).losses.tolist()  # reading the losses waits for the device
        self._step += 1


def _busy_seconds(cores: list[int]) -> float:
    """Return the seconds that some cores have been at work for anything since the machine started."""
    times: list[Any] = psutil.cpu_times(percpu=True)
    return sum(_busy(times[core]) for core in cores if core < len(times))


def _busy(times: Any) -> float:
    idle = ("idle", "iowait", "guest", "guest_nice")  # a guest's time is in that of its user too
    return float(sum(seconds for name, seconds in times._asdict().items() if name not in idle))
