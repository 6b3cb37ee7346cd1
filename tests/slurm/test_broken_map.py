"""Broken jobs of a region, and a controller that is stuck: the maps are those of an unbroken region."""

import random
from pathlib import Path

import pytest

from support.cluster import Cluster
from support.map_on_cluster import MAP_LOSSES, NAMED_WITHIN, UnbrokenMap, stop_scheduler, suffer_mapping

pytestmark = pytest.mark.slurm


@pytest.fixture(scope="module")
def unbroken_map(tmp_path_factory: pytest.TempPathFactory) -> UnbrokenMap:
    return UnbrokenMap(tmp_path_factory.mktemp("unbroken_map"))


@pytest.mark.parametrize("name", MAP_LOSSES)
def test_loss(name: str, cluster: Cluster, unbroken_map: UnbrokenMap, folder: Path) -> None:
    place = unbroken_map.prepared.copy(folder)
    job = suffer_mapping(MAP_LOSSES[name], cluster, place, random.Random(0))
    assert place.results() == unbroken_map.expected
    assert job["JobState"] in MAP_LOSSES[name].states


def test_a_controller_that_is_stuck_is_named(cluster: Cluster, unbroken_map: UnbrokenMap, folder: Path) -> None:
    place = unbroken_map.prepared.copy(folder)
    assert stop_scheduler(cluster, place, random.Random(0)) < NAMED_WITHIN
    assert place.results() == unbroken_map.expected
