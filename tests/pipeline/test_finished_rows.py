"""Finished rows: taken in another folder where all keys and tiles are the same, and never in silence otherwise."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from mtlaerial.config import ScoringSpec, merge
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.errors import ConfigError, DataError
from mtlaerial.pipeline.finished_rows import FinishedRows, find_rows, row_path, taken_runs
from mtlaerial.pipeline.project import Project
from mtlaerial.pipeline.row_files import keep_row, take_row
from mtlaerial.pipeline.run_keys import run_keys
from mtlaerial.pipeline.runs_here import RunKey
from mtlaerial.reporting.tables import build_documents
from mtlaerial.reporting.tables.render import latex, markdown
from mtlaerial.runs.cost import Cost, save_cost
from mtlaerial.runs.run import load_description
from mtlaerial.runs.status import training_states
from mtlaerial.scoring.finished_row import load_row, save_row
from mtlaerial.scoring.run_scores import score_maps
from mtlaerial.scoring.scores import load_scores, save_scores
from support import tiny
from support.rates import rate_file
from support.sample_scores import experiment, run, tile
from support.small_rows import write_row
from support.trainings import Folders

RUN = RunKey("city", "equal", 0)
ROWS = Path("rows")
CONFIG = Path("config.yaml")
"""The configuration that was built last."""
RULES = {"building": {"height": ">= 2"}}
Build = Callable[..., Project]


@pytest.fixture
def build(city: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Build:
    """Return a function that makes the project of a checkout: a configuration, with changes, in a folder of results."""
    monkeypatch.chdir(tmp_path)
    spec = city.spec.model_dump(mode="json", exclude_none=True)

    def project(*changes: dict[str, Any], results: str = "results", **of_spec: Any) -> Project:
        Path("city.yaml").write_text(yaml.safe_dump({**spec, **of_spec}))
        data = {
            "run": {"datasets": ["city"], "methods": ["equal"], "seeds": [0, 1]},
            "results": results,
            "finished": str(ROWS),
            "datasets": {"city": {"spec": "city.yaml", "root": str(city.root)}},
            "models": {"net": tiny.MODEL},
            "methods": {"equal": {"tasks": ["semantics", "height"], "model": "net"}},
            "training": tiny.TRAINING,
        }
        merged = merge(data, *changes)
        CONFIG.write_text(yaml.safe_dump(merged))
        return Project.of(merged)

    return project


@pytest.fixture
def row(build: Build, run_folder: Path, tiles: Folders) -> Path:
    """Return the file of a row that a first checkout wrote."""
    scores = score_maps(load_description(run_folder), run_folder / "maps", [], ScoringSpec())
    save_scores(scores, Path("scores.json"))
    save_cost(Cost(seconds_per_step=0.25, peak_memory_mb=100, device="CPU, 2 threads"), Path("cost.json"))
    path = row_path(ROWS, RUN)
    keep_row(
        run_keys(build(), *RUN), {"train": run_folder}, Path("scores.json"), Path("cost.json"), all_tiles(tiles), path
    )
    return path


def all_tiles(tiles: Folders) -> list[Path]:
    return [folder for folders in tiles.values() for folder in folders]


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


def test_ensemble_is_known_by_the_keys_of_its_members(build: Build) -> None:
    ensemble = {"methods": {"mean": {"ensemble": {"members": ["equal"], "seeds": "all"}}}, "run": {"methods": ["mean"]}}
    keys, (run,) = run_keys(build(ensemble), "city", "mean", 0), find_rows(build(ensemble)).kept
    assert run == RunKey("city", "mean", 0)
    assert not keys.difference(run_keys(build(ensemble), "city", "mean", 0).values)
    changed = keys.difference(run_keys(build(ensemble, {"training": {"batch": 1}}), "city", "mean", 0).values)
    assert changed.startswith("train.equal.seed0.plan.training.batch 1 instead of 2, train.equal.seed1.")


def test_row_of_an_ensemble_without_the_average_of_heights_is_one_of_means(build: Build) -> None:
    mean = {"methods": {"mean": {"ensemble": {"members": ["equal"]}}}, "run": {"methods": ["mean"]}}
    median = {"methods": {"mean": {"ensemble": {"heights": "median"}}}}
    of_mean, of_median = (run_keys(build(mean, change), "city", "mean", 0) for change in ({}, median))
    earlier = {key: value for key, value in of_mean.values.items() if key != "predict.heights"}
    assert len(earlier) == len(of_mean.values) - 1
    assert not of_mean.difference(earlier)
    assert of_median.difference(of_mean.values) == "predict.heights mean instead of median"
    assert of_median.difference(earlier)
    assert of_mean.digest == replace(of_mean, values=earlier).digest != of_median.digest


def test_run_that_begins_with_another_run_has_no_row(build: Build, row: Path) -> None:
    rows = find_rows(build({"models": {"net": {"pretrained": "runs/first"}}}))
    assert (rows.taken, rows.kept) == ({}, [])
    assert rows.notes == ["No finished row of equal on city: no key identifies its initial weights, runs/first."]


MEAN = {"mean": {"ensemble": {"members": ["equal", "later"]}}}


def test_training_that_an_ensemble_without_a_row_needs_here_is_not_taken(build: Build, row: Path) -> None:
    """The weights of its other member begin with a file, so that it has no row itself."""
    changes = {
        "run": {"methods": ["equal", "mean"], "seeds": [0]},
        "models": {"begun": {**tiny.MODEL, "pretrained": "runs/first"}},
        "methods": {"later": {"tasks": ["height"], "model": "begun"}, **MEAN},
    }
    rows = find_rows(build(changes))
    assert (rows.taken, rows.kept) == ({}, [RUN])


def test_run_that_another_training_begins_with_is_not_taken(build: Build, row: Path) -> None:
    changes = {
        "run": {"methods": ["equal", "later"], "seeds": [0]},
        "models": {"begun": {**tiny.MODEL, "pretrained": "results/city/runs/equal/seed0"}},
        "methods": {"later": {"tasks": ["height"], "model": "begun"}},
    }
    rows = find_rows(build(changes))
    assert (rows.taken, rows.kept) == ({}, [RUN])


def measure(project: Project, seconds: float, path: Path) -> None:
    """Write the rate of the method as if it had been measured."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rate_file(path, project.plan("city", "equal", 0), seconds)


def budget(minutes: float, **keys: Any) -> dict[str, Any]:
    return {"training": {"budget": {"minutes": minutes, **keys}}}


HERE = Path("results/city/rates/equal.json")


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


def test_status_waits_for_no_member_of_a_taken_ensemble(build: Build) -> None:
    changes = {
        "run": {"methods": ["mean"], "seeds": [0]},
        "methods": {"later": {"tasks": ["height"], "model": "net"}, **MEAN},
    }
    project, run = build(changes), RunKey("city", "mean", 0)
    assert taken_runs([CONFIG]) == set()
    write_row(project, run)
    assert find_rows(project).taken == {run: row_path(ROWS, run)}
    assert taken_runs([CONFIG]) == {RUN, RunKey("city", "later", 0)}


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
