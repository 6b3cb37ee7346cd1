"""Finished rows in the workflow: written by one folder, taken by another, trained where a key differs."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from mtlaerial.config.recipe_overlay import merge_files
from mtlaerial.pipeline.project import Project
from mtlaerial.pipeline.runs_here import RunKey
from mtlaerial.scoring.finished_row import load_row, save_row
from support.small_rows import write_row
from support.workplace import Workplace

pytestmark = pytest.mark.workflow
full = pytest.mark.full("real runs by Snakemake")
ROWS: dict[str, Any] = {"finished": "docs/data"}


@pytest.fixture(scope="module")
def kept(finished: Workplace, tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    """Return a copy of the finished workflow that has written its rows."""
    place = finished.copy(tmp_path_factory.mktemp("kept") / "place")
    rows = place.run("rows", config=ROWS)
    assert rows.returncode == 0, rows.stdout
    assert "Training" not in rows.stdout
    return place


@pytest.fixture
def elsewhere(kept: Workplace, tmp_path: Path) -> Workplace:
    """Return another folder with the rows and the prepared tiles, without runs."""
    place = kept.copy(tmp_path / "place")
    for name in ("town/runs", "tables", "figures", "logs"):
        shutil.rmtree(place.folder / "results" / name)
    return place


def of_runs(messages: list[str]) -> set[str]:
    return {message for message in messages if message.startswith(("Training", "Taking", "Predicting"))}


def numbers(table: str, row: str) -> str:
    """Return the first row of a table in Markdown that begins with a name, without the name."""
    line = next(line for line in table.splitlines() if line.startswith(f"| {row} "))
    return line.split("|", maxsplit=2)[2].replace(" ", "")


@full
def test_rows_are_written_and_repeat_nothing_where_the_runs_are(kept: Workplace) -> None:
    files = sorted(path.name for path in (kept.folder / "docs/data/town").iterdir())
    assert files == ["equal.seed0.json", "height.seed0.json"]
    assert kept.planned(config=ROWS) == []
    assert kept.planned(config=ROWS, targets=["rows"]) in ([], ["Finished rows are in docs/data"])


@full
def test_another_folder_takes_the_rows_and_marks_them(elsewhere: Workplace, kept: Workplace) -> None:
    taking = {f"Taking the finished row of {method} on town, seed 0" for method in ("equal", "height")}
    assert of_runs(elsewhere.planned(config=ROWS)) == taking
    done = elsewhere.run(config=ROWS)
    assert done.returncode == 0, done.stdout
    table = (elsewhere.folder / "results/tables/town.md").read_text()
    before = (kept.folder / "results/tables/town.md").read_text()
    assert "equal†" in table
    assert "† Not trained here, but taken as finished rows: equal (seeds 0), height (seeds 0) from docs/data; " in table
    assert "†" not in before
    assert numbers(table, "equal†") == numbers(before, "equal")
    assert (elsewhere.folder / "results/report.html").exists()
    assert not (elsewhere.folder / "results/town/runs").exists()


@pytest.mark.full("plans a workflow twice")
def test_rows_are_taken_before_any_tile_is_prepared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a fresh checkout, whose tiles are newer than its rows; nor are members of taken ensembles trained."""
    place = Workplace(tmp_path / "place")
    mean = {"ensemble": {"members": ["equal", "height"]}}
    config = {**ROWS, "run": {"methods": ["height", "mean"]}, "methods": {"mean": mean}}
    planned = place.planned(config=config)
    assert {"Training equal on city, seed 0", "Training height on city, seed 0"} <= of_runs(planned)
    monkeypatch.chdir(place.folder)
    project = Project.of(merge_files([Path(name) for name in ("config/config.yaml", "overlay.yaml", "change.yaml")]))
    for dataset, method in project.runs():
        write_row(project, RunKey(dataset, method, 0))
    taking = {f"Taking the finished row of {method} on city, seed 0" for method in ("height", "mean")}
    assert of_runs(place.planned(config=config)) == taking


@full
def test_rows_are_taken_only_where_the_configuration_says_so(elsewhere: Workplace) -> None:
    training = {f"Training {method} on town, seed 0" for method in ("equal", "height")}
    assert of_runs(elsewhere.planned()) >= training


@full
def test_run_of_a_changed_key_is_trained_and_the_note_names_it(elsewhere: Workplace) -> None:
    overrides = {"methods": {"equal": {"overrides": {"training": {"learning_rate": 0.01}}}}}
    config = {**ROWS, **overrides}
    planned = of_runs(elsewhere.planned(config=config))
    assert "Training equal on town, seed 0" in planned
    assert "Taking the finished row of height on town, seed 0" in planned
    dry = elsewhere.run("--dry-run", config=config)
    note = "equal on town, seed 0 is trained here: docs/data/town/equal.seed0.json is a row of other keys"
    assert f"{note} (train.plan.training.learning_rate 0.001 instead of 0.01)." in dry.stdout


@full
def test_run_of_other_tiles_is_trained_by_the_second_call(elsewhere: Workplace) -> None:
    """Tiles that are not prepared yet cannot be compared before: the first call says what the second does."""
    path = elsewhere.folder / "docs/data/town/equal.seed0.json"
    row = load_row(path)
    tiles = {name: {**hashes, "image": "0" * 64} for name, hashes in row.tiles.items()}
    save_row(row.model_copy(update={"tiles": tiles}), path)
    note = (
        "equal on town, seed 0 is trained here: docs/data/town/equal.seed0.json is a row of another image of the tile"
    )
    assert note in elsewhere.run("--dry-run", config=ROWS).stdout
    shutil.rmtree(elsewhere.folder / "results/town/tiles")
    first = elsewhere.run(config=ROWS)
    assert first.returncode != 0
    assert "Give the same command again: its run is then trained here." in first.stdout
    assert "Traceback" not in first.stdout
    planned = of_runs(elsewhere.planned(config=ROWS))
    assert "Training equal on town, seed 0" in planned
    assert not any("row of equal" in message for message in planned)


@full
def test_damaged_row_ends_the_plan_with_a_sentence(elsewhere: Workplace) -> None:
    path = elsewhere.folder / "docs/data/town/equal.seed0.json"
    path.write_text(path.read_text()[:1000])
    dry = elsewhere.run("--dry-run", config=ROWS)
    assert dry.returncode != 0
    assert "docs/data/town/equal.seed0.json: found a damaged file" in dry.stdout
    assert "Get the file anew, or delete it: the row is then trained." in dry.stdout
    assert "Traceback" not in dry.stdout


@full
def test_recipe_is_chosen_by_name(elsewhere: Workplace) -> None:
    """The option comes last: its recipe wins over the overlay, whose own keys win over the recipe that it names."""
    dry = elsewhere.run("--dry-run", config={"recipe": "best"})
    assert "change.yaml, key recipe: found 'best'; expected one of best-10min, " in dry.stdout
    assert "Traceback" not in dry.stdout
    compact = elsewhere.run("--dry-run", "--printshellcmds", config={"recipe": "compact", "training": {"patch": 64}})
    assert compact.returncode == 0, compact.stdout
    described = elsewhere.run("results/town/runs/height/seed0/run.yaml", config={"recipe": "compact", "training": TINY})
    assert described.returncode == 0, described.stdout
    text = (elsewhere.folder / "results/town/runs/height/seed0/run.yaml").read_text()
    assert "recipe:\n  name: compact\n" in text
    assert "- training.epochs" in text


TINY: dict[str, Any] = {"patch": 32, "epochs": 1, "epoch_patches": 8, "precision": "32-true", "threads": 1}
