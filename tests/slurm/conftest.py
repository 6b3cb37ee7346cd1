"""A SLURM cluster, and a workflow that ran without it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.cluster import Cluster, NoCluster, running_cluster
from support.cluster_faults import Unbroken
from support.workplace import TINY


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--overlay", type=Path, help="configuration of the whole workflow, for example config/demo.yaml")


@pytest.fixture
def overlay(request: pytest.FixtureRequest) -> Path:
    """Return the overlay of the whole workflow: the smallest, or the one asked for."""
    return request.config.getoption("overlay", None) or TINY


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Yield a cluster of one node and one GPU; this whole machine is its node."""
    try:
        with running_cluster(tmp_path_factory.mktemp("slurm") / "cluster") as running:
            yield running
    except NoCluster as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture(scope="session")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> Unbroken:
    """Return a workflow that ran on this machine alone."""
    return Unbroken(tmp_path_factory.mktemp("unbroken"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder for a workplace."""
    return tmp_path / "place"
