"""Weights that are chosen on validation tiles without truth of some tasks."""

import logging
from pathlib import Path

import pytest
import torch

from mtlaerial.datasets.catalog import Dataset
from mtlaerial.tiles.prepare import prepare_tile
from mtlaerial.tiles.statistics import Statistics
from mtlaerial.tiles.tile import load_tiles
from mtlaerial.training.evaluation import unscored_tasks, warn_of_unscored_tasks
from mtlaerial.training.validation import Validator
from support import tiny


@pytest.mark.parametrize(("selection", "said"), [("best", True), ("last", False)])
def test_weights_that_are_chosen_by_one_task_alone_are_said(
    city: Dataset, statistics: Statistics, tmp_path: Path, caplog: pytest.LogCaptureFixture, selection: str, said: bool
) -> None:
    without = Dataset("city", tiny.city_spec(labels=None), city.root)
    prepare_tile(without, "city_3", tmp_path / "city_3")
    validator = Validator(load_tiles([tmp_path / "city_3"], torch.device("cpu"), 10), statistics)
    assert unscored_tasks(tiny.run_plan(), validator) == ["semantics"]
    with caplog.at_level(logging.WARNING):
        warn_of_unscored_tasks(tiny.run_plan(selection=selection), validator)
    words = "no validation tile has truth of semantics: weights are chosen by height alone"
    assert (words in caplog.text) == said


def test_weights_that_are_chosen_by_all_tasks_need_no_word(
    tiles: tiny.Folders, statistics: Statistics, caplog: pytest.LogCaptureFixture
) -> None:
    validator = Validator(load_tiles(tiles["val"], torch.device("cpu"), 10), statistics)
    warn_of_unscored_tasks(tiny.run_plan(selection="best"), validator)
    assert caplog.text == ""
    assert unscored_tasks(tiny.run_plan(), validator) == []
    assert unscored_tasks(tiny.run_plan(), None) == ["semantics", "height"]
