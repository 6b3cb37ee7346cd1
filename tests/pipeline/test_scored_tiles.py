"""Tiles of scores without Snakemake: none that decided a training, and a note where areas differ."""

import shutil
from pathlib import Path

import pytest
import yaml

from mtlaerial.datasets.catalog import Dataset
from mtlaerial.errors import UserError
from mtlaerial.pipeline.score_runs import score_runs
from mtlaerial.runs.run import load_description
from support.small_runs import changed_run
from support.tiny import write_spec


def trained_on_fold(run_folder: Path, folder: Path, area: str, images: dict[str, str] | None = None) -> Path:
    """Write a copy of a run as if it had been trained with an area left out, on tiles of certain images."""
    shutil.copytree(run_folder, folder)
    data = yaml.safe_load((folder / "run.yaml").read_text())
    data["plan"]["dataset"] = data["statistics"]["dataset"] = f"town.{area}"
    data["statistics"] |= {"tiles": {"elsewhere": "0" * 64}, "images": images or {}}
    (folder / "run.yaml").write_text(yaml.safe_dump(data))
    return folder


@pytest.fixture
def town(city: Dataset, tmp_path: Path) -> Path:
    areas = {"north": ["city_3"], "mid": ["city_1"], "south": ["city_4"]}
    spec = write_spec(city, tmp_path / "town.yaml", areas=areas)
    spec.write_text(yaml.safe_dump({**yaml.safe_load(spec.read_text()), "splits": {}}))
    return spec


def test_runs_on_areas_are_scored_on_what_they_left_out_and_joined(
    city: Dataset, town: Path, run_folder: Path, tmp_path: Path
) -> None:
    runs = [trained_on_fold(run_folder, tmp_path / area, area) for area in ("north", "south")]
    scores = score_runs(runs, town, city.root, tmp_path / "out")
    assert [(run.dataset, set(run.tiles)) for run in scores] == [
        ("town.north", {"city_3"}),
        ("town.south", {"city_4"}),
    ]
    table = (tmp_path / "out" / "tables" / "town.md").read_text()
    assert "2 test tiles" in table
    assert "Split: north, south of 3 areas, each tested by a training on all others, no buffer." in table
    assert table.count("One seed") == 2  # one row of one seed in each table, not two seeds


def test_a_tile_that_a_run_was_trained_on_is_refused_whatever_its_truth_was(
    city: Dataset, town: Path, run_folder: Path, tmp_path: Path
) -> None:
    """A buffer, or label files of their own, make the truth of a training tile another one."""
    with pytest.raises(UserError, match=r"a test tile that .* was trained on, as city_1.*--name"):
        score_runs([run_folder], town, city.root, tmp_path / "other")
    images = load_description(run_folder).statistics.images
    run = trained_on_fold(run_folder, tmp_path / "mid", "mid", {"north_1": images["city_1"]})
    with pytest.raises(UserError, match=r"city_1: found a test tile that .* was trained on, as north_1"):
        score_runs([run], town, city.root, tmp_path / "out")


def table_text(folder: Path, dataset: str) -> str:
    """Return the Markdown of a data set's main table, without its escapes."""
    return (folder / "tables" / f"{dataset}.md").read_text().replace("\\", "")


@pytest.fixture
def validated(city: Dataset, tmp_path: Path) -> Path:
    """Return a specification whose test tile is the validation tile of the run."""
    splits = {"train": ["city_1", "city_2"], "val": ["city_4"], "test": ["city_3"]}
    return write_spec(city, tmp_path / "city.yaml", splits=splits)


def test_a_tile_that_chose_the_weights_is_refused(
    city: Dataset, validated: Path, run_folder: Path, tmp_path: Path
) -> None:
    run = changed_run(run_folder, tmp_path / "best", "best")
    refusal = r"city_3: found a test tile that .*best chose its weights by \(training.selection: best\)"
    with pytest.raises(UserError, match=refusal):
        score_runs([run], validated, city.root, tmp_path / "out")
    assert not (tmp_path / "out" / "tables").exists()


def test_test_tiles_that_only_watched_a_training_are_noted_below_the_tables(
    city: Dataset, validated: Path, run_folder: Path, tmp_path: Path
) -> None:
    score_runs([run_folder], validated, city.root, tmp_path / "out")
    note = "equal: validated on test tiles (city_3); its weights are the last, not chosen by them."
    assert note in table_text(tmp_path / "out", "city")


def test_a_run_without_a_record_of_its_validation_tiles_is_noted_below_the_tables(
    city: Dataset, validated: Path, run_folder: Path, tmp_path: Path
) -> None:
    run = changed_run(run_folder, tmp_path / "earlier", "best")
    data = yaml.safe_load((run / "run.yaml").read_text())
    assert set(data.pop("validation")) == {"city_3"}
    (run / "run.yaml").write_text(yaml.safe_dump(data))
    score_runs([run], validated, city.root, tmp_path / "out")
    table = table_text(tmp_path / "out", "city")
    assert "whether its weights were selected on test tiles could not be told" in table


@pytest.mark.full("scores several runs")
def test_runs_for_unequal_sets_of_areas_are_noted_below_the_tables(
    city: Dataset, town: Path, run_folder: Path, tmp_path: Path
) -> None:
    runs = [trained_on_fold(run_folder, tmp_path / area, area) for area in ("north", "south")]
    one = trained_on_fold(changed_run(run_folder, tmp_path / "uw", method="uw"), tmp_path / "one", "north")
    score_runs([*runs, one], town, city.root, tmp_path / "out")
    table = table_text(tmp_path / "out", "town")
    assert "not comparable: equal seed 0 on city_3, city_4; uw seed 0 on city_3." in table
