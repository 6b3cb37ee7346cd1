"""A workflow on the cluster, and SLURM's records of its jobs."""

import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from subprocess import TimeoutExpired
from typing import Any

import yaml

from mtlaerial.config import merge
from support.cluster import Cluster
from support.workplace import TINY, Workplace, kill_session

MINE = {
    "default-resources": {"slurm_partition": "mapping"},
    "slurm-status-command": "squeue",
    "slurm-init-seconds-before-status-checks": 2,
}
"""The profile of a user of this cluster, which has no accounts."""
SLOW = """\
import time
from mtlaerial.training.train_step import TrainStep
update = TrainStep.__call__
def slow(self, *args, **kwargs):
    time.sleep({pause})
    return update(self, *args, **kwargs)
TrainStep.__call__ = slow
"""
"""Put before the training's script, so that a fault finds it at work."""
MOMENT = "%Y-%m-%dT%H:%M:%S"
Job = dict[str, str]
"""A job as ``scontrol`` shows it."""


class OnCluster(Workplace):
    """A workplace whose jobs run on the cluster, by the profile of the repository and the user's own."""

    def __init__(self, folder: Path, overlay: Path = TINY) -> None:
        super().__init__(folder, overlay)
        self.mine = folder / "my_cluster" / "profile.yaml"
        if not self.mine.exists():
            self.mine.parent.mkdir()
            self.ask_for({})
        self.execution = ("--workflow-profile", "profiles/slurm", "--profile", str(self.mine.parent))

    def ask_for(self, resources: dict[str, Any]) -> None:
        """Let trainings ask for other resources than their rule says."""
        settings = {"set-resources": {"train": resources}} if resources else {}
        self.mine.write_text(yaml.safe_dump({**MINE, **settings}))

    def slow_down(self, pause: float) -> None:
        """Let trainings wait so many seconds before each step."""
        script = self.folder / "workflow/scripts/train.py"
        script.write_text(SLOW.format(pause=pause) + script.read_text())

    def finish(self, snakemake: Any, seconds: float) -> None:
        """Wait for Snakemake's exit code 0; kill the processes that are then left."""
        try:
            with suppress(TimeoutExpired):
                snakemake.wait(seconds)
            ended = snakemake.poll()
        finally:
            kill_session(snakemake)
        log = (self.folder / "snakemake.log").read_text()
        assert ended == 0, f"Snakemake ended with {ended} in {self.folder}:\n{log[-5000:]}"

    def kept(self) -> list[int]:
        """Return the steps after which trainings saved their state because they were asked to end, by SLURM's logs."""
        logs = sorted((self.folder / ".snakemake/slurm_logs/rule_train").rglob("*.log"))
        return [int(step) for log in logs for step in re.findall(r"state kept after step (\d+)", log.read_text())]

    def gone_on(self) -> list[int]:
        """Return the steps after which the last attempts of trainings resumed."""
        logs = sorted(self.folder.rglob("results/logs/*/train/*.log"))
        return [int(step) for log in logs for step in re.findall(r"going on after step (\d+)", log.read_text())]


def jobs_of(cluster: Cluster, place: Workplace) -> list[Job]:
    """Return the records of a workplace's jobs."""
    return [job for job in cluster.jobs() if job["WorkDir"] == str(place.folder)]


def trainings(jobs: Sequence[Job]) -> list[Job]:
    """Return those that train."""
    return [job for job in jobs if job["Comment"].startswith("rule_train")]


def at_once(jobs: Sequence[Job]) -> bool:
    """Whether any two were at work at the same time."""
    spans = sorted((moment(job, "StartTime"), moment(job, "EndTime")) for job in jobs)
    return any(later[0] < earlier[1] for earlier, later in pairwise(spans))


def moment(job: Job, key: str) -> datetime:
    """Return one of a job's times."""
    return datetime.strptime(job[key], MOMENT)


def overlay_of(path: Path, changes: dict[str, Any], base: Path = TINY) -> Path:
    """Write an overlay with changes, and with trainings that take a GPU where there is one; return its path."""
    everything = merge(merge(yaml.safe_load(base.read_text()), {"training": {"accelerator": "auto"}}), changes)
    path.write_text(yaml.safe_dump(everything))
    return path
