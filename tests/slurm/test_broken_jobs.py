"""Broken jobs on a cluster: the workflow ends with the results of an unbroken one."""

import random
from pathlib import Path

import pytest

from support.cluster import Cluster
from support.cluster_faults import LOSSES, Unbroken, suffer

pytestmark = pytest.mark.slurm


@pytest.mark.parametrize("name", LOSSES)
def test_loss(name: str, cluster: Cluster, unbroken: Unbroken, folder: Path) -> None:
    loss, place = LOSSES[name], unbroken.prepared.copy(folder)
    job = suffer(loss, cluster, place, random.Random(0))
    assert place.results() == unbroken.expected
    assert job["JobState"] in loss.states
    assert len(place.gone_on()) == 1
    if loss.asked:
        assert place.kept() == place.gone_on()
    if loss.states == ("COMPLETED",):
        assert job["Restarts"] == "1"  # SLURM itself put it back into the queue
