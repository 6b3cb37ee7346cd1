"""After a change, what depends on it is done again, and nothing else."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from workplace import SPLITS, Workplace

from mtlaerial.config.stages import STAGES

pytestmark = pytest.mark.workflow
CLOSING = ("Aggregating", "Drawing", "Writing", "Tables")
"""First words of what is drawn and written from all runs."""


def steps(place: Workplace, config: dict[str, Any] | None = None) -> set[str]:
    """Return what is planned, but for tables, figures and report."""
    return {message for message in place.planned(config) if not message.startswith(CLOSING)}


def runs(*verbs: str, methods: tuple[str, ...] = ("equal", "height"), seed: int = 0) -> set[str]:
    """Return the messages of steps of runs."""
    predicting = {f"Predicting town with {method}, seed {seed}" for method in methods}
    others = {f"{verb} {method} on town, seed {seed}" for verb in verbs if verb != "Predicting" for method in methods}
    return others | (predicting if "Predicting" in verbs else set())


RUN = ("Training", "Describing", "Predicting", "Scoring")


@pytest.fixture
def place(finished: Workplace, tmp_path: Path) -> Workplace:
    return finished.copy(tmp_path / "place")


def test_nothing_changed(finished: Workplace) -> None:
    assert finished.planned() == []


def rules_with_other_params(place: Workplace, config: dict[str, Any]) -> set[str]:
    """Return the rules that a dry run repeats since their params changed; not those that are repeated after them."""
    dry = place.run("--dry-run", config=config)
    assert dry.returncode == 0, dry.stdout
    summary = re.search(r"params have changed since last execution:\n +(.*)\n", dry.stdout)
    return set(summary[1].split(", ")) if summary else set()


def test_snakemake_repeats_the_first_rule_that_the_table_of_stages_names(place: Workplace) -> None:
    overlays: dict[str, dict[str, Any]] = {
        "training.weight_decay": {"training": {"weight_decay": 0.1}},
        "prediction.views": {"prediction": {"views": 8}},
        "scoring.error_unit": {"scoring": {"error_unit": 2}},
        "dashboard.url": {"dashboard": {"url": "http://127.0.0.1:9"}},
    }
    specification = yaml.safe_load(place.spec.read_text())
    changes = {"licence": {"licence": "CC0"}, "height.scale": {"height": {**specification["height"], "scale": 2}}}
    repeated = {key: rules_with_other_params(place, config) for key, config in overlays.items()}
    for key, change in changes.items():
        place.change_spec(**change)
        repeated[key] = rules_with_other_params(place, {})
        place.change_spec(**specification)
    assert repeated == {key: set(STAGES[key][:1]) for key in (*overlays, *changes)}


def test_learning_rate_of_a_method(place: Workplace) -> None:
    config = {"methods": {"equal": {"overrides": {"training": {"learning_rate": 0.01}}}}}
    assert steps(place, config) == runs(*RUN, methods=("equal",))


def test_another_seed(place: Workplace) -> None:
    assert steps(place, {"run": {"seeds": [0, 1]}}) == runs(*RUN, seed=1)


def test_prediction_stride(place: Workplace) -> None:
    assert steps(place, {"prediction": {"stride": 32}}) == runs("Predicting", "Scoring")


def test_height_bins(place: Workplace) -> None:
    assert steps(place, {"scoring": {"height_bins": [3, 6]}}) == runs("Scoring")


def test_folder_of_resume_files(place: Workplace) -> None:
    assert place.planned({"resume": "elsewhere"}) == []


def test_dashboard(place: Workplace) -> None:
    assert place.planned({"dashboard": {"url": "http://127.0.0.1:9", "samples": 1}}) == []


def test_memory_for_tiles(place: Workplace) -> None:
    assert place.planned({"training": {"memory_budget_mb": 1}}) == []


def test_another_test_tile(place: Workplace) -> None:
    place.change_spec(splits={**SPLITS, "test": ["city_4", "city_5"]})
    checks = {"Checking town city_5", "Preparing town city_5", "Checking that the splits of town do not overlap"}
    assert steps(place) == checks | runs("Predicting", "Scoring")


def test_a_training_tile_less(place: Workplace) -> None:
    place.change_spec(splits={**SPLITS, "train": ["city_1"]})
    checks = {"Checking that the splits of town do not overlap", "Summarising the training tiles of town"}
    assert steps(place) == checks | runs(*RUN)


def test_what_people_read(place: Workplace) -> None:
    """A licence, a name or a colour reaches the maps, but trains nothing again: by a real run."""
    labels = yaml.safe_load(place.spec.read_text())["labels"]
    labels["classes"][1] |= {"name": "house", "colour": "#ff0000"}
    place.change_spec(licence="CC0", labels=labels)
    assert steps(place) == runs("Describing", "Predicting", "Scoring")
    runs_folder = place.folder / "results/town/runs/equal/seed0"
    weights = (runs_folder / "model.safetensors").stat().st_mtime_ns
    again = place.run("results/town/runs/equal/seed0/maps")
    assert again.returncode == 0, again.stdout
    assert "CC0" in (runs_folder / "run.yaml").read_text()
    assert "house" in (runs_folder / "run.yaml").read_text()
    assert (runs_folder / "model.safetensors").stat().st_mtime_ns == weights


def test_where_to_get_the_data(place: Workplace) -> None:
    place.change_spec(obtain="Ask the town hall.")
    assert steps(place) == set()


def test_published_numbers(place: Workplace) -> None:
    """They reach tables and report alone: by a real run."""
    entry = {"name": "TownNet", "source": "A journal", "url": "https://example.org", "scores": {"OA": 0.9}}
    (place.folder / "datasets/town/GENERATED.txt").unlink()  # beside generated files they would not be shown
    place.change_spec(published=[entry])
    expected = ["Aggregating scores into tables", "Writing the report", "Tables, figures and report are in results"]
    assert sorted(place.planned()) == sorted(expected)
    again = place.run("results/tables")
    assert again.returncode == 0, again.stdout
    assert "90 \\[1\\]" in (place.folder / "results/tables/town.md").read_text()
    assert "TownNet: A journal" in (place.folder / "results/tables/everything.csv").read_text()


def test_encoding_of_the_labels(place: Workplace) -> None:
    """What decides the pixels prepares and trains again."""
    labels = yaml.safe_load(place.spec.read_text())["labels"]
    place.change_spec(labels={**labels, "ignore": [0, 6], "classes": labels["classes"][:5]})
    assert steps(place) >= runs(*RUN) | {"Preparing town city_1"}
