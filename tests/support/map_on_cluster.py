"""A region that is mapped on the cluster, and what its jobs and its scheduler suffer there."""

import os
import random
import signal
import subprocess
import time
from pathlib import Path

from support.cluster import Cluster, wait_for
from support.cluster_faults import LOSSES, Loss
from support.map_workplace import MAP, TARGETS, map_workplace
from support.on_cluster import Job, OnCluster, jobs_of
from support.workplace import Workplace, kill_session

MAP_LOSSES = {name: LOSSES[name] for name in ("scancel", "limit-unwarned", "network", "power")}
NAMED_WITHIN = 300.0
"""Seconds within which a scheduler that is stuck is named."""
SLOW = """\
import time
from mtlaerial.regions.sheet_maps import SheetMapper
_map_sheet = SheetMapper._map_sheet
def slow(self, sheet, files):
    time.sleep({pause})
    return _map_sheet(self, sheet, files)
SheetMapper._map_sheet = slow
"""
"""Put before the script that maps sheets, so that a loss finds it at work."""


class UnbrokenMap:
    """A region that was mapped without a loss and without a cluster, and a copy of it before."""

    def __init__(self, root: Path) -> None:
        map_workplace(root / "prepared", root)
        self.prepared = OnCluster(root / "prepared")
        local = Workplace(self.prepared.folder).copy(root / "local")
        done = local.run(*TARGETS)
        assert done.returncode == 0, done.stdout
        self.expected = local.results()


def suffer_mapping(loss: Loss, cluster: Cluster, place: OnCluster, moments: random.Random) -> Job:
    """Map a region to its end with a loss of one of its jobs; return the record of that job."""
    slow_down(place, loss.seconds / MAP["sheets_per_job"])
    snakemake = place.start(*TARGETS)
    try:
        job = job_at_work(cluster, place, snakemake)
        time.sleep(moments.uniform(0, 5))
        loss.act(cluster, job)
        place.finish(snakemake, 600)
    finally:
        kill_session(snakemake)
    return next(each for each in cluster.jobs() if each["JobId"] == job["JobId"])


def stop_scheduler(cluster: Cluster, place: OnCluster, moments: random.Random) -> float:
    """Halt the cluster's controller while a region is mapped; return the seconds until it is named."""
    slow_down(place, 20 / MAP["sheets_per_job"])
    snakemake = place.start(*TARGETS)
    controller = int((cluster.folder / "slurmctld.pid").read_text())
    try:
        job_at_work(cluster, place, snakemake)
        time.sleep(moments.uniform(0, 5))
        begun = time.monotonic()
        os.kill(controller, signal.SIGSTOP)
        try:
            log = place.folder / "snakemake.log"
            wait_for(lambda: "no answer of the cluster's scheduler" in log.read_text(), NAMED_WITHIN, "a warning")
            seconds = time.monotonic() - begun
        finally:
            os.kill(controller, signal.SIGCONT)
        place.finish(snakemake, 600)
    finally:
        kill_session(snakemake)
    return seconds


def slow_down(place: OnCluster, pause: float) -> None:
    """Let jobs wait so many seconds before each sheet."""
    script = place.folder / "workflow/scripts/map_sheets.py"
    script.write_text(SLOW.format(pause=pause) + script.read_text())


def job_at_work(cluster: Cluster, place: OnCluster, snakemake: subprocess.Popen[bytes]) -> Job:
    """Return a job that maps sheets, once one is complete."""

    def begun() -> bool:
        return snakemake.poll() is not None or any(place.folder.rglob("results/map/sheets/*/stac_item.json"))

    wait_for(begun, 300, "the first sheet")
    running = [job for job in jobs_of(cluster, place) if job["JobState"] == "RUNNING"]
    return next(job for job in running if job["Comment"].startswith("rule_map_sheets"))
