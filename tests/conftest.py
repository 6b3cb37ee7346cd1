"""What most tests start from: a generated city, its prepared tiles, and a run trained on them."""

from pathlib import Path

import pytest
import torch

import tiny
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.runs.run import save_description
from mtlaerial.synthetic.generate import synthesise
from mtlaerial.tiles.measure import summarise
from mtlaerial.tiles.prepare import prepare_tile
from mtlaerial.tiles.statistics import Statistics
from mtlaerial.training.train import train

torch.set_num_threads(1)
Folders = dict[str, list[Path]]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--accelerator", default="cpu", choices=["cpu", "cuda"], help="what tests train and predict on")


def pytest_configure(config: pytest.Config) -> None:
    tiny.TRAINING["accelerator"] = config.getoption("--accelerator")
    torch.backends.cudnn.allow_tf32 = False  # all the digits of float32, as on the CPU


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with those that take longest: else one would still be at work when all others are done."""
    items.sort(key=lambda item: [item.get_closest_marker(mark) is None for mark in ("minutes", "workflow")])


@pytest.fixture(scope="session")
def city(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Return a generated data set of four tiles; not to be written to."""
    dataset = Dataset("city", tiny.city_spec(), tmp_path_factory.mktemp("city"))
    synthesise(dataset, seed=1, size=tiny.SIZE, ground_truth_gsd={"height": 1.0})
    return dataset


@pytest.fixture(scope="session")
def tiles(city: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Folders:
    """Return the folders of prepared tiles by split; not to be written to."""
    root = tmp_path_factory.mktemp("tiles")
    for tile in city.spec.tiles:
        prepare_tile(city, tile, root / tile)
    return {split: [root / tile for tile in names] for split, names in tiny.SPLITS.items()}


@pytest.fixture(scope="session")
def statistics(city: Dataset, tiles: Folders) -> Statistics:
    return summarise(city, tiles["train"])


@pytest.fixture(scope="session")
def run_folder(tiles: Folders, statistics: Statistics, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a trained run of both tasks; not to be written to."""
    folder = tmp_path_factory.mktemp("run")
    plan = tiny.run_plan()
    train(tiny.job(plan, statistics, tiles["train"], tiles["val"], folder))
    save_description(folder, plan, statistics)
    return folder
