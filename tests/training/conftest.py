"""Trainings of the generated city."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mtlaerial.tiles.statistics import Statistics
from mtlaerial.training.train import train
from mtlaerial.training.trainer import Trainer
from support import tiny
from support.tiny import Folders
from support.weightings import OPTIONS


@pytest.fixture
def trained(tiles: Folders, statistics: Statistics, tmp_path: Path) -> Callable[..., Path]:
    """Return a function that trains in a new folder, or an old one, and returns it."""

    def run(
        name: str = "run", resume: Path | None = None, tasks: tuple[str, ...] = ("semantics", "height"), **o: Any
    ) -> Path:
        train(
            tiny.job(
                tiny.run_plan(tasks, **o), statistics, tiles["train"], tiles["val"], tmp_path / name, resume=resume
            )
        )
        return tmp_path / name

    return run


@pytest.fixture
def make_trainer(tiles: Folders, statistics: Statistics) -> Callable[..., Trainer]:
    """Return a function that builds a trainer for some weighting and recipe."""

    def build(name: str = "equal", **training: Any) -> Trainer:
        plan = tiny.run_plan(weighting={"name": name, **OPTIONS.get(name, {})}, **training)
        return Trainer(tiny.job(plan, statistics, tiles["train"], []))

    return build
