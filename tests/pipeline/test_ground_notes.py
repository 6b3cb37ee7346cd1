"""Notes of a dry run on tiles on ground that the runs before were trained on."""

import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from mtlaerial.datasets.catalog import Dataset
from mtlaerial.pipeline.ground_notes import project_ground_notes, start_ground_notes
from mtlaerial.pipeline.start import Start
from mtlaerial.runs.text import describe_run
from support import tiny
from support.row_checkouts import Build
from support.small_runs import placed_run
from support.tiny import Folders

SWAPPED = {"train": ["city_4"], "val": ["city_3"], "test": ["city_1", "city_2"]}
"""Splits that test on the training tiles of the run before."""


@pytest.fixture
def root(city: Dataset, tmp_path: Path) -> Path:
    """Return the city's images without the note that they are generated."""
    shutil.copytree(city.root, tmp_path / "placed", ignore=shutil.ignore_patterns("GENERATED*", "height*", "label*"))
    return tmp_path / "placed"


@pytest.fixture
def again(build: Build, city: Dataset, root: Path, tmp_path: Path) -> dict[str, Any]:
    """Return the same city under another name, with other splits."""
    spec = city.spec.model_dump(mode="json", exclude_none=True)
    (tmp_path / "again.yaml").write_text(yaml.safe_dump({**spec, "generated": False, "splits": SWAPPED}))
    return {"again": {"spec": "again.yaml", "root": str(root)}}


def begun(run: Path, names: list[str], **more: Any) -> dict[str, Any]:
    """Return a configuration in which a method begins with a run."""
    return {
        "run": {"datasets": names, "methods": ["later"], "seeds": [0]},
        "models": {"begun": {**tiny.MODEL, "pretrained": {"source": str(run), "parts": "all"}}},
        "methods": {"later": {"tasks": ["semantics", "height"], "model": "begun"}},
        **more,
    }


def test_a_transfer_to_ground_of_the_training_is_noted(build: Build, again: dict[str, Any], root: Path) -> None:
    run = {"datasets": ["city", "again"], "transfer": [{"trained_on": "city", "tested_on": "again"}]}
    data = {"run": run, "datasets": {"city": {"root": str(root)}, **again}}
    assert project_ground_notes(build(data, generated=False)) == [
        "equal (city): test tiles on ground that it was trained on, so that their scores may be too high: city_1, "
        "city_2."
    ]


@pytest.mark.full("several projects")
def test_a_run_of_another_place_is_compared_by_its_record(
    build: Build, run_folder: Path, tiles: Folders, root: Path, tmp_path: Path
) -> None:
    source = placed_run(run_folder, tmp_path / "run", tiles["train"])
    data = begun(source, ["city"], datasets={"city": {"root": str(root)}})
    assert project_ground_notes(build(data, generated=False)) == []
    assert project_ground_notes(build(data, generated=True, splits=SWAPPED)) == []
    notes = project_ground_notes(build(data, generated=False, splits=SWAPPED))
    assert notes == [
        "later: test tiles on ground that city/equal/seed0, which it began with, was trained on, so that their scores "
        "may be too high: city_1, city_2."
    ]


def test_a_run_of_the_workflow_is_compared_by_its_images(build: Build, again: dict[str, Any], root: Path) -> None:
    city = {"root": str(root), "methods": ["equal"]}
    data = begun(Path("results/city/runs/equal/seed0"), ["city", "again"])
    data["datasets"] = {"city": city, "again": {**again["again"], "methods": ["later"]}}
    (note,) = project_ground_notes(build(data, generated=False))
    assert "city/equal, which it began with" in note
    assert note.endswith("city_1, city_2.")


def test_the_ground_of_an_earlier_version_s_run_is_not_known(
    city: Dataset, run_folder: Path, tiles: Folders, tmp_path: Path
) -> None:
    placed = replace(city, spec=city.spec.model_copy(update={"generated": False}))
    run = placed_run(run_folder, tmp_path / "run", tiles["train"])
    assert start_ground_notes(Start(run), "later", placed) == []
    entries = yaml.safe_load((run / "run.yaml").read_text())
    del entries["ground"]
    (run / "run.yaml").write_text(yaml.safe_dump(entries))
    validation, test = start_ground_notes(Start(run), "later", placed)
    assert validation.startswith("later: whether validation tiles lie on ground that city/equal/seed0")
    assert test.endswith("could not be told, as the ground of that training is not known.")
    assert re.search("ground seen +not known", describe_run(run))


def test_a_start_without_a_run_has_no_notes(city: Dataset, build: Build) -> None:
    assert start_ground_notes(Start(Path("weights.pth")), "later", city) == []
    assert project_ground_notes(build()) == []
