"""Faults of a cluster during a training, and the recovery of its workflow."""

import random
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.cluster import Cluster, say, wait_for
from support.on_cluster import Job, OnCluster, jobs_of, overlay_of, trainings
from support.workplace import TINY, Workplace, kill_session

TARGET = "results/tables"
STEPS = 80
"""Of each training, as :data:`CHANGES` has it."""
PREPARED = ("results/city/statistics.json", "results/city/checks.json")
CHANGES = {"run": {"methods": ["equal"]}, "training": {"epochs": STEPS // 2}}
"""Of the overlay."""


@dataclass(frozen=True)
class Loss:
    """A fault of a cluster.

    Parameters
    ----------
    act : callable
        Does it to a job.
    seconds : float
        How long a training has to last so that it is met at work.
    states : tuple of str
        Which of them the job is in afterwards.
    asked : bool
        Whether the training is asked to end, and therefore keeps its state at that very step.
    resources : dict
        Resources of trainings in the user's profile.
    """

    act: Callable[[Cluster, Job], None]
    seconds: float
    states: tuple[str, ...]
    asked: bool = False
    resources: dict[str, Any] = field(default_factory=dict)


def cancel(_cluster: Cluster, job: Job) -> None:
    """Cancel it."""
    say("scancel", job["JobId"])


def limit_to(minutes: int) -> Callable[[Cluster, Job], None]:
    """Return the loss that so many minutes after a job's start its time is over."""

    def act(_cluster: Cluster, job: Job) -> None:
        say("scontrol", "update", f"JobId={job['JobId']}", f"TimeLimit={minutes}")

    return act


def node_down(with_jobs: bool) -> Callable[[Cluster, Job], None]:
    """Return the loss of the node, which comes back after a while."""

    def act(cluster: Cluster, _job: Job) -> None:
        cluster.kill_node(with_jobs)
        cluster.wait_for_node("DOWN")
        cluster.start_node()

    return act


LOSSES = {
    "scancel": Loss(cancel, 30, ("CANCELLED",), asked=True),
    # The signal comes up to half a minute earlier or later than asked for, when SLURM looks at its clocks.
    "limit": Loss(limit_to(2), 50, ("FAILED",), asked=True),
    "limit-unwarned": Loss(limit_to(1), 100, ("TIMEOUT",), asked=True, resources={"slurm_extra": "--nice=0"}),
    "network": Loss(node_down(with_jobs=False), 60, ("COMPLETED",)),
    "power": Loss(node_down(with_jobs=True), 60, ("COMPLETED",)),
}


class Unbroken:
    """A workflow that ran without a loss and without a cluster, and a copy of it with prepared tiles alone.

    Parameters
    ----------
    root : Path
        Where both lie.
    overlay : Path
        What to change :data:`CHANGES` in.
    """

    def __init__(self, root: Path, overlay: Path = TINY) -> None:
        self.prepared = OnCluster(root / "prepared", overlay_of(root / "overlay.yaml", CHANGES, overlay))
        done = Workplace(self.prepared.folder).run(*PREPARED)
        assert done.returncode == 0, done.stdout
        local = Workplace(self.prepared.folder).copy(root / "local")
        done = local.run(TARGET)
        assert done.returncode == 0, done.stdout
        self.expected = local.results()


def suffer(loss: Loss, cluster: Cluster, place: OnCluster, moments: random.Random) -> Job:
    """Run a workflow to its end with a loss during its training; return the record of that job."""
    place.slow_down(loss.seconds / STEPS)
    place.ask_for(loss.resources)
    snakemake = place.start(TARGET)
    try:
        job = training_at_work(cluster, place, snakemake)
        time.sleep(moments.uniform(0, 5))
        loss.act(cluster, job)
        place.finish(snakemake, 400)
    finally:
        kill_session(snakemake)
    return next(each for each in cluster.jobs() if each["JobId"] == job["JobId"])


def training_at_work(cluster: Cluster, place: OnCluster, snakemake: subprocess.Popen[bytes]) -> Job:
    """Return the job of a training that has stored its first state."""

    def begun() -> bool:
        return snakemake.poll() is not None or any(place.folder.rglob("*.resume.pt"))

    wait_for(begun, 200, "the first state of a training")
    (job,) = trainings(jobs_of(cluster, place))
    return job
