"""Trainings that begin with a run: what they record, what decides them, and what is warned of."""

import logging
from pathlib import Path
from typing import Any

import pytest

from mtlaerial.errors import UserError
from mtlaerial.runs.plan import RunPlan
from mtlaerial.runs.prepared_ground import recorded_footprints
from mtlaerial.runs.run import load_description, save_description
from mtlaerial.runs.text import describe_run
from mtlaerial.tiles.statistics import Statistics
from mtlaerial.training.initial_network import initial_network
from mtlaerial.training.train import identity, train
from support import tiny
from support.small_runs import drawn_run, placed_run
from support.tiny import Folders


def plan_from(run: Path, **start: Any) -> RunPlan:
    model = tiny.model_spec(pretrained={"source": str(run), "parts": "all", **start})
    return tiny.run_plan(epochs=1).model_copy(update={"model": model})


def test_a_run_says_what_it_came_from_and_what_that_came_from(
    tiles: Folders, statistics: Statistics, tmp_path: Path, run_folder: Path
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder, source in ((first, run_folder), (second, first)):
        plan = plan_from(source)
        train(tiny.job(plan, statistics, tiles["train"], folder=folder, pretrained=source))
        save_description(folder, plan, statistics)
    start = load_description(second).start
    assert start
    assert start.start
    assert (start.kind, start.parts, start.licence) == ("run", "all", statistics.licence)
    assert [start.sha256, start.start.sha256] == [load_description(run).sha256 for run in (first, run_folder)]
    assert start.start.start is None
    text = describe_run(second)
    origin = f"city/equal/seed0 (all), trained on {statistics.title}, licence {statistics.licence}, SHA-256"
    assert f"{origin} {start.sha256[:12]}…; that run began with {origin} {start.start.sha256[:12]}…" in text


@pytest.mark.full("a training")
def test_validation_on_ground_of_the_run_before_is_noted_in_the_run(
    tiles: Folders, statistics: Statistics, tmp_path: Path, run_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source, folder = placed_run(run_folder, tmp_path / "source", tiles["train"]), tmp_path / "run"
    plan, placed = plan_from(source), statistics.model_copy(update={"generated": False})
    train(tiny.job(plan, placed, tiles["train"], tiles["train"], folder, pretrained=source))
    save_description(folder, plan, placed)
    run, before = load_description(folder), load_description(source)
    assert run.ground
    assert run.start
    assert [each.tile for each in recorded_footprints(run.ground)] == [tile.name for tile in tiles["train"]]
    assert run.start.ground == before.ground
    (note,) = run.ground_notes
    assert "validation tiles on ground that city/equal/seed0, which it began with, was trained on" in note
    assert note in caplog.text
    assert note in describe_run(folder)
    assert before.ground_notes == ()


def test_weights_and_names_of_the_run_decide_the_training_and_its_titles_do_not(
    tiles: Folders, statistics: Statistics, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    job = tiny.job(plan_from(source), statistics, tiles["train"], folder=tmp_path / "run", pretrained=source)

    def begun(seed: int = 3, **changes: Any) -> str:
        drawn_run(source, tiny.run_plan(), statistics.model_copy(update=changes), seed)
        return identity(job)

    renamed = [entry.model_copy(update={"name": f"{entry.name} area"}) for entry in statistics.classes]
    before = begun()
    assert begun(title="Another title", licence="CC0") == before
    assert before not in (begun(seed=4), begun(classes=tuple(renamed)))


@pytest.mark.parametrize(("parts", "decides"), [("all", True), ("trunk", False)])
def test_names_of_classes_decide_a_training_that_takes_their_channels(
    tiles: Folders, statistics: Statistics, run_folder: Path, parts: str, decides: bool
) -> None:
    """A class that is renamed takes another channel of the run, or a random one."""
    plan = plan_from(run_folder, parts=parts)
    first, *others = statistics.classes
    renamed = statistics.model_copy(update={"classes": (first.model_copy(update={"name": "rail"}), *others)})
    before, after = (
        identity(tiny.job(plan, each, tiles["train"], pretrained=run_folder)) for each in (statistics, renamed)
    )
    assert (before != after) == decides


def test_a_run_cannot_begin_with_itself(tiles: Folders, statistics: Statistics, tmp_path: Path) -> None:
    run = drawn_run(tmp_path / "run", tiny.run_plan(), statistics)
    job = tiny.job(plan_from(run), statistics, tiles["train"], folder=run, pretrained=run, replace=True)
    with pytest.raises(UserError, match="the run that is trained; expected the folder of another run"):
        train(job)


def test_layers_frozen_with_random_weights_are_warned_of(
    statistics: Statistics, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = drawn_run(tmp_path / "source", tiny.run_plan(), statistics)
    caplog.set_level(logging.WARNING)
    frozen = plan_from(source, freeze={"encoder": 1, "heads": 1})
    initial_network(tiny.job(frozen, statistics, [], pretrained=source))
    assert caplog.text == ""
    classes = [entry.model_copy(update={"name": "rail"}) for entry in statistics.classes[:1]]
    changed = statistics.model_copy(update={"classes": (*classes, *statistics.classes[1:])})
    initial_network(tiny.job(frozen, changed, [], pretrained=source))
    assert "1 frozen layers have random weights (heads.semantics.last.weight)" in caplog.text
