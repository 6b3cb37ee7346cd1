"""Fixtures of most tests (a generated city, its prepared tiles, a run trained on them), and rules for all tests."""

import os
import signal
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from mtlaerial.datasets.catalog import Dataset
from mtlaerial.runs.run import save_description
from mtlaerial.synthetic.generate import synthesise
from mtlaerial.tiles.measure import summarise
from mtlaerial.tiles.prepare import prepare_tile
from mtlaerial.tiles.statistics import Statistics
from support import budget, crashed_workers, tiny
from support.quick_cases import leave_cases_to_the_full_tier
from support.shared import made_once
from support.tiny import Folders
from support.without_torch import TORCH, left_out, require_torch

if TORCH:
    import torch

    torch.set_num_threads(1)
else:
    collect_ignore = ["training", "prediction/blending"]  # whose conftest.py imports it


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--accelerator", default="cpu", choices=["cpu", "cuda"], help="what tests train and predict on")


@pytest.hookimpl(trylast=True)  # after pytest's own handler of faults
def pytest_configure(config: pytest.Config) -> None:
    crashed_workers.register(config)
    tiny.TRAINING["accelerator"] = config.getoption("--accelerator")
    if TORCH:
        torch.backends.cudnn.allow_tf32 = False  # all the digits of float32, as on the CPU
    # A shell without job control starts background commands with SIGINT ignored, and their children inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # Where bytecode is not written, each of the hundreds of processes compiles the package anew, for half a second.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests that take longest: else one would still be at work when all others are done."""
    leave_cases_to_the_full_tier(items)
    for item in items:
        for name in budget.EXEMPT:
            marker = item.get_closest_marker(name)
            if marker and not marker.args:
                raise pytest.UsageError(f'{item.nodeid}: found no reason; expected @pytest.mark.{name}("why")')
    items.sort(key=lambda item: [item.get_closest_marker(name) is None for name in ("full", "workflow", "slow")])


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Iterator[None]:
    """Leave out the modules that need torch where it is not installed."""
    report = yield
    return left_out(report, str(collector.path) if isinstance(collector, pytest.Module) else "")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip tests of extras that are not installed."""
    for marker in item.iter_markers("extras"):
        for package in marker.args:
            if find_spec(package) is None:
                pytest.skip(f"no package {package}: make test-extras has it")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Measure a test's CPU time, which JUnit reports show, and hold it to the budget."""
    begin = budget.cpu_seconds()
    yield
    seconds = budget.cpu_seconds() - begin
    item.user_properties.append(("cpu_seconds", round(seconds, 2)))
    budget.check(item, seconds)


@pytest.fixture(scope="session")
def city(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Return a generated data set of four tiles; not to be written to."""

    def make(folder: Path) -> None:
        synthesise(Dataset("city", tiny.city_spec(), folder), seed=1, size=tiny.SIZE, ground_truth_gsd={"height": 1.0})

    return Dataset("city", tiny.city_spec(), made_once(tmp_path_factory, "city", make))


@pytest.fixture(scope="session")
def tiles(city: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Folders:
    """Return the folders of prepared tiles by split; not to be written to."""

    def make(folder: Path) -> None:
        for tile in city.spec.tiles:
            prepare_tile(city, tile, folder / tile)

    root = made_once(tmp_path_factory, "tiles", make)
    folders = {}
    for split, names in tiny.SPLITS.items():
        folders[split] = [root / tile for tile in names]
    return folders


@pytest.fixture(scope="session")
def statistics(city: Dataset, tiles: Folders) -> Statistics:
    return summarise(city, tiles["train"])


@pytest.fixture(scope="session")
def run_folder(tiles: Folders, statistics: Statistics, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a trained run of both tasks; not to be written to."""
    require_torch()
    from mtlaerial.training.train import train

    def make(folder: Path) -> None:
        plan = tiny.run_plan()
        train(tiny.job(plan, statistics, tiles["train"], tiles["val"], folder))
        save_description(folder, plan, statistics)

    return made_once(tmp_path_factory, "run", make)
