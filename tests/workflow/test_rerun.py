"""Reruns: after a change, exactly the steps that depend on it run again."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from mtlaerial.config import merge
from mtlaerial.config.decisive_keys import STAGES
from support.workplace import SPLITS, Workplace

pytestmark = pytest.mark.workflow
BY_THE_TABLE = pytest.mark.full("the quick tier has a plan by the table of stages")
CLOSING = ("Aggregating", "Drawing", "Writing", "Tables")
"""First words of the figures' and tables' messages, which are made from all runs."""


Planned = Callable[..., set[str]]


@pytest.fixture
def planned(finished: Workplace, tmp_path: Path) -> Planned:
    """Return a function that plans the finished workflow with changes, and leaves its folder as it is."""

    def plan(config: dict[str, Any] | None = None, **spec: Any) -> set[str]:
        """Return the steps for keys of the configuration and of the data set's specification; not the closing ones."""
        return {
            message for message in finished.planned(changed(finished, tmp_path, config, spec)) if not closing(message)
        }

    return plan


def changed(finished: Workplace, folder: Path, config: dict[str, Any] | None, spec: dict[str, Any]) -> Path:
    """Write a changed specification, and an overlay that names it; return the overlay."""
    overlay, path = folder / "change.yaml", folder / "city4.yaml"
    path.write_text(yaml.safe_dump({**yaml.safe_load(finished.spec.read_text()), **spec}, sort_keys=False))
    named = {"datasets": {"town": {"spec": str(path)}}} if spec else {}
    overlay.write_text(yaml.safe_dump(merge(named, config or {})))
    return overlay


def closing(message: str) -> bool:
    return message.startswith(CLOSING)


def runs(*verbs: str, methods: tuple[str, ...] = ("equal", "height"), seed: int = 0) -> set[str]:
    """Return the messages of steps of runs."""
    predicting = {f"Predicting town with {method}, seed {seed}" for method in methods}
    others = {f"{verb} {method} on town, seed {seed}" for verb in verbs if verb != "Predicting" for method in methods}
    return others | (predicting if "Predicting" in verbs else set())


RUN = ("Training", "Describing", "Predicting", "Scoring")


@pytest.fixture
def place(finished: Workplace, tmp_path: Path) -> Workplace:
    return finished.copy(tmp_path / "place")


def test_nothing_runs_again_without_a_change(finished: Workplace) -> None:
    assert finished.planned() == []


def rules_with_other_params(place: Workplace, config: dict[str, Any]) -> set[str]:
    """Return the rules that a dry run repeats since their params changed; not those that are repeated after them."""
    dry = place.run("--dry-run", config=config)
    assert dry.returncode == 0, dry.stdout
    summary = re.search(r"params have changed since last execution:\n +(.*)\n", dry.stdout)
    return set(summary[1].split(", ")) if summary else set()


@pytest.mark.full("six plans by Snakemake")
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


@pytest.mark.quick_cases(1, "a plan a case")
@pytest.mark.parametrize(
    "config",
    [
        pytest.param({"resume": "elsewhere"}, id="folder of resume files"),
        pytest.param({"dashboard": {"url": "http://127.0.0.1:9", "samples": 1}}, id="dashboard"),
        pytest.param({"training": {"memory_budget_mb": 1}}, id="memory for tiles"),
    ],
)
def test_settings_without_influence_on_results_run_nothing_again(
    finished: Workplace, tmp_path: Path, config: dict[str, Any]
) -> None:
    assert finished.planned(changed(finished, tmp_path, config, {})) == []


@BY_THE_TABLE
def test_a_learning_rate_trains_its_method_again(planned: Planned) -> None:
    config = {"methods": {"equal": {"overrides": {"training": {"learning_rate": 0.01}}}}}
    assert planned(config) == runs(*RUN, methods=("equal",))


@BY_THE_TABLE
def test_another_seed_is_trained_beside_the_first(planned: Planned) -> None:
    assert planned({"run": {"seeds": [0, 1]}}) == runs(*RUN, seed=1)


@BY_THE_TABLE
def test_a_stride_of_prediction_predicts_again(planned: Planned) -> None:
    assert planned({"prediction": {"stride": 32}}) == runs("Describing", "Predicting", "Scoring")


@pytest.mark.full("one more plan")
def test_bins_of_heights_score_again(planned: Planned) -> None:
    assert planned({"scoring": {"height_bins": [3, 6]}}) == runs("Scoring")


@pytest.mark.full("one more plan")
def test_another_test_tile_is_prepared_and_predicted(planned: Planned) -> None:
    checks = {"Checking town city_5", "Preparing town city_5", "Checking that the splits of town do not overlap"}
    assert planned(splits={**SPLITS, "test": ["city_4", "city_5"]}) == checks | runs("Predicting", "Scoring")


@BY_THE_TABLE
def test_a_training_tile_less_trains_again(planned: Planned) -> None:
    checks = {"Checking that the splits of town do not overlap", "Summarising the training tiles of town"}
    assert planned(splits={**SPLITS, "train": ["city_1"]}) == checks | runs(*RUN)


@pytest.mark.full("plans a copy of a finished workflow")
def test_a_raw_file_that_is_replaced_by_an_older_one_is_prepared_again(place: Workplace) -> None:
    path = place.folder / "datasets/town/images/city_4.tif"
    os.utime(path, (0, 1_000_000_000))
    steps = {message for message in place.planned() if not closing(message)}
    checks = {"Checking town city_4", "Preparing town city_4", "Checking that the splits of town do not overlap"}
    assert steps == checks | runs("Predicting", "Scoring")


@BY_THE_TABLE
def test_where_to_get_the_data_is_no_matter(planned: Planned) -> None:
    assert planned(obtain="Ask the town hall.") == set()


@BY_THE_TABLE
def test_the_encoding_of_labels_prepares_and_trains_again(finished: Workplace, planned: Planned) -> None:
    labels = yaml.safe_load(finished.spec.read_text())["labels"]
    steps = planned(labels={**labels, "ignore": [0, 6], "classes": labels["classes"][:5]})
    assert steps >= runs(*RUN) | {"Preparing town city_1"}


@pytest.fixture
def renamed(finished: Workplace) -> dict[str, Any]:
    """Return changes of the specification that people read: a licence, a name and a colour."""
    labels = yaml.safe_load(finished.spec.read_text())["labels"]
    labels["classes"][1] |= {"name": "house", "colour": "#ff0000"}
    return {"licence": "CC0", "labels": labels}


def test_names_and_colours_train_nothing_again(planned: Planned, renamed: dict[str, Any]) -> None:
    assert planned(**renamed) == runs("Describing", "Predicting", "Scoring")


@pytest.mark.full("a real run; the plan is tested above")
def test_names_and_colours_reach_the_maps(place: Workplace, renamed: dict[str, Any]) -> None:
    place.change_spec(**renamed)
    folder = place.folder / "results/town/runs/equal/seed0"
    weights = (folder / "model.safetensors").stat().st_mtime_ns
    again = place.run("results/town/runs/equal/seed0/maps")
    assert again.returncode == 0, again.stdout
    assert "CC0" in (folder / "run.yaml").read_text()
    assert "house" in (folder / "run.yaml").read_text()
    assert (folder / "model.safetensors").stat().st_mtime_ns == weights


@pytest.mark.full("a real run of the last steps, by Snakemake")
def test_published_numbers_reach_tables_and_report_alone(place: Workplace) -> None:
    entry = {"name": "TownNet", "source": "A journal", "url": "https://example.org", "scores": {"OA": 0.9}}
    (place.folder / "datasets/town/GENERATED.txt").unlink()  # beside generated files they would not be shown
    place.change_spec(published=[entry])
    expected = ["Aggregating scores into tables", "Writing the report", "Tables, figures and report are in results"]
    assert sorted(place.planned()) == sorted(expected)
    again = place.run("results/tables")
    assert again.returncode == 0, again.stdout
    assert "TownNet \\[1\\]" in (place.folder / "results/tables/town.md").read_text()
    assert "TownNet: A journal" in (place.folder / "results/tables/everything.csv").read_text()
