"""Finished rows of trainings with a budget: known by their updates, and taken until a rate is measured here."""

from pathlib import Path
from typing import Any

import pytest

from mtlaerial.errors import ConfigError
from mtlaerial.pipeline.finished_rows import find_rows, row_path
from mtlaerial.pipeline.project import Project
from mtlaerial.pipeline.row_files import keep_row
from mtlaerial.pipeline.run_keys import run_keys
from mtlaerial.pipeline.runs_here import RunKey
from mtlaerial.runs.run import load_description
from mtlaerial.scoring.finished_row import load_row
from support.rates import rate_file
from support.row_checkouts import ROWS, RUN, Build, all_tiles
from support.small_rows import write_row
from support.tiny import Folders
from support.without_torch import needs_torch


def measure(project: Project, seconds: float, path: Path) -> None:
    """Write the rate of the method as if it had been measured."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rate_file(path, project.plan("city", "equal", 0), seconds)


def budget(minutes: float, **keys: Any) -> dict[str, Any]:
    return {"training": {"budget": {"minutes": minutes, **keys}}}


HERE = Path("results/city/rates/equal.json")


@needs_torch
def test_budget_is_known_by_the_updates_that_it_becomes(build: Build) -> None:
    fast, slow = budget(5, rate="fast.json"), budget(10, rate="slow.json")
    measure(build(fast), 10, Path("fast.json"))
    measure(build(slow), 20, Path("slow.json"))
    recorded = run_keys(build(fast), *RUN).values
    assert run_keys(build(slow), *RUN).difference(recorded) == ""  # 30 core-updates of both
    given = {"training": {"epoch_patches": recorded["train.plan.training.epoch_patches"]}}
    assert run_keys(build(given), *RUN).difference(recorded) == ""
    assert run_keys(build(given), *RUN).digest == run_keys(build(slow), *RUN).digest
    measure(build(slow), 10, Path("slow.json"))
    assert run_keys(build(slow), *RUN).difference(recorded).startswith("train.plan.training.epoch_patches ")


def test_given_rate_that_is_missing_is_one_sentence(build: Build, row: Path) -> None:
    with pytest.raises(ConfigError, match=r"^none\.json: found no file; expected the rate of equal"):
        find_rows(build(budget(5, rate="none.json")))


def test_row_of_a_budget_records_what_was_trained(build: Build, row: Path, run_folder: Path, tiles: Folders) -> None:
    project = build(budget(5))
    keys = run_keys(project, *RUN)
    assert keys.unmeasured == {"train": "equal"}
    keep_row(keys, {"train": run_folder}, Path("scores.json"), None, all_tiles(tiles), row)
    recorded = load_row(row)
    trained = load_description(run_folder).plan.training.epoch_patches
    assert recorded.keys["train.plan.training.epoch_patches"] == trained
    assert recorded.config == run_keys(build({"training": {"epoch_patches": trained}}), *RUN).digest


@needs_torch
def test_row_of_a_budget_is_taken_with_a_note_until_a_rate_is_measured_here(build: Build) -> None:
    changes = {**budget(5), "run": {"seeds": [0]}}
    project = build(changes)
    write_row(project, RUN, patches=8)
    rows = find_rows(project)
    assert rows.taken == {RUN: row_path(ROWS, RUN)}
    (note,) = rows.notes
    assert note.startswith("equal on city, seed 0 is taken from rows/city/equal.seed0.json with the number of updates")
    assert "budget.minutes 5.0 instead of 6.0" in find_rows(build({**changes, **budget(6)})).notes[0]
    measure(project, 10, HERE)
    (note,) = find_rows(build(changes)).notes
    assert "train.plan.training.epoch_patches 8 instead of " in note


def test_row_of_a_budget_is_not_taken_where_another_seed_has_the_rate_measured(build: Build) -> None:
    project = build(budget(5))
    write_row(project, RUN, patches=8)
    rows = find_rows(project)
    assert (rows.taken, set(rows.kept)) == ({}, {RUN, RunKey("city", "equal", 1)})
    (note,) = rows.notes
    assert note.startswith("equal on city, seed 0 is trained here: the rate of equal is measured here, for trainings ")
    assert note.endswith("name the file of the rate that it was trained by in training.budget.rate.")
    write_row(project, RunKey("city", "equal", 1), patches=8)
    assert len(find_rows(project).taken) == 2
