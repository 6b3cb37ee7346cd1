"""Finished rows: taken in another folder where all keys and tiles are the same, and never in silence otherwise."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mtlaerial.errors import DataError
from mtlaerial.pipeline.finished_rows import FinishedRows, find_rows
from mtlaerial.pipeline.row_files import take_row
from mtlaerial.pipeline.run_keys import run_keys
from mtlaerial.pipeline.runs_here import RunKey
from mtlaerial.reporting.tables import build_documents
from mtlaerial.reporting.tables.render import latex, markdown
from mtlaerial.runs.status import training_states
from mtlaerial.scoring.finished_row import load_row, save_row
from mtlaerial.scoring.scores_file import load_scores
from support import tiny
from support.row_checkouts import RUN, Build, all_tiles
from support.sample_scores import experiment, run, tile
from support.tiny import Folders

RULES = {"building": {"height": ">= 2"}}


def test_row_is_taken_in_another_checkout_with_the_same_keys(build: Build, row: Path, tmp_path: Path) -> None:
    changes = {
        "datasets": {"city": {"root": str(tmp_path / "elsewhere")}},
        "resume": "states",
        "figures": {"formats": []},
    }
    rows = find_rows(build(changes, results="other"))
    assert rows.taken == {RUN: row}
    assert (rows.kept, rows.notes) == ([RunKey("city", "equal", 1)], [])


def test_new_rules_between_tasks_leave_rows_as_they_are(build: Build) -> None:
    without, ruled = (run_keys(build(**rules), *RUN) for rules in ({}, {"consistency": RULES}))
    assert ruled.difference(without.values) == without.difference(ruled.values) == ""
    assert ruled.digest == without.digest


def test_a_calibration_and_intervals_leave_rows_as_they_are(build: Build) -> None:
    calibrated = {"calibration": {"cell": 30}, "prediction": {"interval": 90}}
    without, with_intervals = (run_keys(build(changes), *RUN) for changes in ({}, calibrated))
    assert with_intervals.difference(without.values) == without.difference(with_intervals.values) == ""
    assert with_intervals.digest == without.digest


def test_row_is_taken_only_where_it_is_asked_for(build: Build, row: Path) -> None:
    assert find_rows(build({"finished": None})) == FinishedRows()


@pytest.mark.parametrize(
    ("changes", "spec", "key"),
    [
        ({"training": {"batch": 1}}, {}, "train.plan.training.batch 2 instead of 1"),
        ({"models": {"net": {"stem": 9}}}, {}, "train.plan.model.stem"),
        ({"prediction": {"stride": 64}}, {}, "predict.prediction.stride"),
        ({"scoring": {"height_bins": [3]}}, {}, "score.scoring.height_bins"),
        ({"methods": {"equal": {"weighting": {"name": "dwa"}}}}, {}, "train.plan.weighting.name"),
        ({}, {"splits": {**tiny.SPLITS, "val": [], "test": ["city_4", "city_3"]}}, "prepare.splits.val"),
        ({}, {"gsd": 0.6}, "prepare.gsd"),
        ({"datasets": {"city": {"hold_out": ["city_1"]}}}, {}, "prepare.splits.train"),
    ],
)
def test_run_of_a_changed_key_is_trained_anew_and_a_note_names_the_key(
    build: Build, row: Path, changes: dict[str, Any], spec: dict[str, Any], key: str
) -> None:
    rows = find_rows(build(changes, **spec))
    assert not rows.taken
    assert RUN in rows.kept
    (note,) = rows.notes
    assert note.startswith(f"equal on city, seed 0 is trained here: {row} is a row of other keys (")
    assert key in note


def test_run_that_is_here_is_not_replaced_by_a_row(build: Build, row: Path) -> None:
    folder = Path("results/city/runs/equal/seed0")
    folder.mkdir(parents=True)
    (folder / "scores.json").touch()
    rows = find_rows(build())
    assert (rows.taken, RUN in rows.kept) == ({}, True)


def test_training_that_another_prediction_needs_here_is_not_taken(build: Build, row: Path) -> None:
    softmax = {"trained_as": "equal", "overrides": {"prediction": {"stride": 64}}}
    rows = find_rows(build({"run": {"methods": ["equal", "softmax"], "seeds": [0]}, "methods": {"softmax": softmax}}))
    assert (rows.taken, set(rows.kept)) == ({}, {RUN, RunKey("city", "softmax", 0)})


def test_run_that_begins_with_another_run_has_no_row(build: Build, row: Path) -> None:
    rows = find_rows(build({"models": {"net": {"pretrained": "runs/first"}}}))
    assert (rows.taken, rows.kept) == ({}, [])
    assert rows.notes == ["No finished row of equal on city: no key identifies its initial weights, runs/first."]


def test_run_that_another_training_begins_with_is_not_taken(build: Build, row: Path) -> None:
    changes = {
        "run": {"methods": ["equal", "later"], "seeds": [0]},
        "models": {"begun": {**tiny.MODEL, "pretrained": "results/city/runs/equal/seed0"}},
        "methods": {"later": {"tasks": ["height"], "model": "begun"}},
    }
    rows = find_rows(build(changes))
    assert (rows.taken, rows.kept) == ({}, [RUN])


def test_key_that_a_later_version_adds_to_any_section_repeats_no_row(build: Build) -> None:
    """As of versions without the key: rows lack it, and it has its default."""
    keys = run_keys(build({"datasets": {"city": {"generate": {"noise": {"image": 0.02}}}}}), *RUN)
    later = (
        "generate.vary",
        "generate.noise.height",
        "prepare.buffer",
        "prepare.height.offset",
        "prepare.labels.encoding",
        "predict.prediction.batch",
        "score.scoring.error_unit",
        "train.plan.training.augmentation.blur",
        "train.plan.model.skips",
        "train.data.height.zero_height",
    )
    assert keys.values.keys() > set(later)
    recorded = {key: value for key, value in keys.values.items() if key not in later}
    assert keys.difference(recorded) == ""
    assert keys.digest == replace(keys, values=recorded).digest
    assert keys.digest != replace(keys, values={**recorded, "generate.size": 64}).digest
    assert "generate.noise.image" in keys.difference({**recorded, "generate.noise.image": 0.0})


def test_key_of_a_later_version_repeats_no_row_but_a_changed_default_does(build: Build, row: Path) -> None:
    recorded = load_row(row)
    added, key = dict(recorded.keys), "train.plan.training.clip_norm"
    del added[key]
    assert run_keys(build(), *RUN).difference(added) == ""
    assert key in run_keys(build({"training": {"clip_norm": 1.0}}), *RUN).difference(added)
    other_default = {**recorded.keys, key: 5.0}
    assert key in run_keys(build(), *RUN).difference(other_default)
    removed = {**recorded.keys, "train.plan.training.momentum": 0.9}
    assert "momentum" in run_keys(build(), *RUN).difference(removed)


def test_taken_scores_are_those_of_the_run_with_their_origin(row: Path, tiles: Folders) -> None:
    take_row(row, all_tiles(tiles), Path("taken.json"))
    scores, expected = load_scores(Path("taken.json")), load_scores(Path("scores.json"))
    assert scores.model_copy(update={"finished": ""}) == expected
    assert scores.finished.startswith("rows; ")
    assert f"CPU, 2 threads, mtlaerial {expected.mtlaerial}, code {expected.code}" in scores.finished


def test_status_shows_a_taken_row_as_such(build: Build, row: Path) -> None:
    config = build().config
    states = {status.name: status.state for status in training_states(config, find_rows(build()).taken)}
    assert states == {"city/equal/seed0": "taken", "city/equal/seed1": "waiting"}


def test_run_of_other_tiles_is_trained_where_they_are_known(build: Build, row: Path, tiles: Folders) -> None:
    place = Path("results/city/tiles")
    for folder in all_tiles(tiles):
        (place / folder.name).mkdir(parents=True)
        shutil.copy(folder / "tile.json", place / folder.name)
    assert find_rows(build()).taken == {RUN: row}
    change_height(place / "city_4")
    rows = find_rows(build())
    assert (rows.taken, RUN in rows.kept) == ({}, True)
    text = f"equal on city, seed 0 is trained here: {row} is a row of another height of the tile city_4."
    assert rows.notes == [text]
    (place / "city_4/tile.json").write_text("{")  # its readers say so
    assert find_rows(build()).taken == {RUN: row}


def change_height(tile: Path) -> None:
    record = json.loads((tile / "tile.json").read_text())
    record["sha256"]["height"] = "0" * 64
    (tile / "tile.json").write_text(json.dumps(record))


def test_row_of_other_tiles_is_refused(row: Path, tiles: Folders, tmp_path: Path) -> None:
    folder = tmp_path / tiles["test"][0].name
    shutil.copytree(tiles["test"][0], folder)
    change_height(folder)
    with pytest.raises(
        DataError,
        match=r"rows/city/equal\.seed0\.json: found a row of another height of the tile city_4.*: its run is then",
    ):
        take_row(row, [*tiles["train"], *tiles["val"], folder], Path("taken.json"))
    with pytest.raises(DataError, match="a row of another set of the tile city_4"):
        take_row(row, [*tiles["train"], *tiles["val"]], Path("taken.json"))
    assert not Path("taken.json").exists()


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda text: text.replace('"seed":0', '"seed":7'),
        lambda text: "[1]",
        lambda text: "",
        lambda text: "[" * 100_000,
        lambda text: text.replace('"format": 1', '"format": 9'),
    ],
)
def test_damaged_row_is_one_sentence(build: Build, row: Path, damage: Callable[[str], str]) -> None:
    before = row.read_text()
    row.write_text(damage(before))
    assert row.read_text() != before
    with pytest.raises(DataError, match=r"^rows/city/equal\.seed0\.json: found ") as caught:
        find_rows(build())
    assert "\n" not in str(caught.value)


def test_row_has_a_line_for_each_field_and_is_the_same_each_time(row: Path) -> None:
    first = row.read_bytes()
    save_row(load_row(row), row)
    assert row.read_bytes() == first
    assert first.count(b"\n") == len(json.loads(first)) + 2


def test_tables_mark_the_rows_that_were_not_trained_here() -> None:
    origin = "docs/data; a processor, mtlaerial 0.1.0, code abc"
    runs = [entry.model_copy(update={"finished": origin if entry.method == "joint" else ""}) for entry in experiment()]
    main = build_documents(runs)[0]
    text = markdown(main)
    assert "joint†" in text
    assert "only-height†" not in text
    assert f"† Not trained here, but taken as finished rows: joint (seeds 1, 2) from {origin}." in text
    assert r"joint$\dagger$" in latex(main)
    here = run("equal", 0, [tile([[1, 0, 0], [0, 1, 0]])])
    assert "†" not in markdown(build_documents([here])[0])
