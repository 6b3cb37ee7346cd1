"""Two processes train as one process does with the same batch."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest
import torch
from torch import Tensor

from mtlaerial.datasets.catalog import Dataset
from mtlaerial.errors import TrainingError
from mtlaerial.tiles.measure import summarise
from mtlaerial.tiles.prepare import prepare_tile
from mtlaerial.training.process_group import Group
from support.paths import environment
from support.shared import made_once
from support.trainings import file_names
from support.weightings import every_weighting

TWO_PROCESSES = pytest.mark.full("two trainings; tests/training/test_torchrun.py has one in the quick tier")
Gradients = dict[str, dict[str, Tensor]]


def flat(gradients: dict[str, Tensor]) -> Tensor:
    return torch.cat([gradient.flatten().double() for gradient in gradients.values()])


def names_asked_for(request: pytest.FixtureRequest) -> set[str]:
    """Return the weightings of this module's tests that are selected, or one where none is."""
    of_module = [item for item in request.session.items if item.path == request.path]
    specs = [item.callspec for item in of_module if isinstance(item, pytest.Function) and hasattr(item, "callspec")]
    return {str(spec.params["name"]) for spec in specs if "name" in spec.params} or {"equal"}


@pytest.fixture(scope="module")
def folder(city: Dataset, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """Return the folder with the runs of one process and of two processes on the same tiles."""
    names = sorted(names_asked_for(request))
    return made_once(tmp_path_factory, "together", lambda folder: train_alone_and_together(city, folder, names))


def train_alone_and_together(city: Dataset, folder: Path, names: Sequence[str]) -> None:
    for tile in ("city_1", "city_3"):
        prepare_tile(city, tile, folder / tile)
    statistics = summarise(city, [folder / "city_1"])
    (folder / "statistics.json").write_text(statistics.model_dump_json(), encoding="utf-8")
    together = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    for command in ([sys.executable], together):
        done = subprocess.run(
            [*command, "-m", "support.two_processes", str(folder), *names], env=environment(OMP_NUM_THREADS="1"),
            capture_output=True, text=True, timeout=1800, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]


@pytest.fixture(scope="module")
def outcomes(folder: Path) -> tuple[Gradients, Gradients]:
    return torch.load(folder / "1.pt"), torch.load(folder / "2.pt")


ON_NETWORKS = [
    "cagrad, features on gated",
    "equal on attention",
    *(
        pytest.param(f"{name} on {network}", marks=pytest.mark.full("a large network"))
        for name in ("equal", "cagrad")
        for network in ("efficientnet_lite0", "convnext_tiny", "swin_v2_t")
    ),
]


@TWO_PROCESSES
@pytest.mark.parametrize("name", [*every_weighting(), "cagrad, features", "upgrad, features", *ON_NETWORKS])
def test_gradients_agree_with_those_of_one_process(outcomes: tuple[Gradients, Gradients], name: str) -> None:
    alone, together = (flat(gradients[name]) for gradients in outcomes)
    assert alone.norm() > 0
    assert (alone - together).norm() < 1e-5 * alone.norm()


@TWO_PROCESSES
def test_the_processes_write_one_run(folder: Path) -> None:
    alone, together = (pd.read_csv(folder / f"run{size}" / "history.csv") for size in (1, 2))
    assert together["step"].tolist() == alone["step"].tolist()
    # Layers normalise by the half that each process sees, so numbers are near, not equal.
    assert together["loss_height"].tolist() == pytest.approx(alone["loss_height"].tolist(), rel=0.2)
    assert file_names(folder / "run2") == file_names(folder / "run1")


def test_a_batch_that_cannot_be_shared_is_refused() -> None:
    with pytest.raises(TrainingError, match=r"training.batch.*6 patches for 4 processes"):
        Group(0, 4).share(6, 1)
    assert [Group(rank, 3).share(6, 2) for rank in range(3)] == [slice(0, 2), slice(2, 4), slice(4, 6)]
