"""The workflow trains on one data set and tests on another: scores, tables and notes."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from mtlaerial.pipeline.score_runs import score_runs
from mtlaerial.scoring.scores import Scores
from mtlaerial.scoring.scores_file import load_scores
from support.workplace import Workplace

pytestmark = pytest.mark.workflow
ORDER = ("tree", "water", "impervious", "building", "low vegetation", "car")
"""Of the classes in the other city, where two have other names."""
NAMES = {"tree": "wood", "car": "vehicle"}
GENERATED = {"seed": 5, "size": 64, "style": "organic", "ground_truth_gsd": {"height": 1.0}}
CHANGES: dict[str, Any] = {
    "run": {
        "datasets": ["city", "other"],
        "methods": ["equal"],
        "transfer": [{"trained_on": "city", "tested_on": "other", "classes": NAMES}],
    },
    "datasets": {
        "other": {"spec": "config/datasets/other.yaml", "root": "datasets/other", "generate": GENERATED},
    },
    "training": {"learning_rate": 3.0e-3, "epochs": 4, "epoch_patches": 32},
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    """Return a finished workflow of two cities, one with other names and another order of classes."""
    place = Workplace(tmp_path_factory.mktemp("transfer") / "place")
    spec = yaml.safe_load(place.spec.read_text())
    classes = {entry["name"]: entry for entry in spec["labels"]["classes"]}
    renamed = [{**classes[name], "name": NAMES.get(name, name)} for name in ORDER]
    other = {**spec, "title": "Other city", "labels": {**spec["labels"], "classes": renamed}}
    (place.spec.parent / "other.yaml").write_text(yaml.safe_dump(other, sort_keys=False))
    run = place.run(config=CHANGES)
    assert run.returncode == 0, run.stdout[-5000:]
    return place


def run_on(place: Workplace, dataset: str) -> Path:
    return place.folder / "results" / dataset / "runs/equal/seed0"


def scored_alone(place: Workplace, out: Path) -> Scores:
    """Score the run of the first city on the other one by the command, with the classes as the first has them."""
    spec = out / "other.yaml"
    spec.write_text(place.spec.read_text())
    (scores,) = score_runs([run_on(place, "city")], spec, place.folder / "datasets/other", out / "out")
    return scores


@pytest.mark.full("two trainings by Snakemake")
def test_a_run_is_tested_on_another_city(place: Workplace, tmp_path: Path) -> None:
    scores = load_scores(run_on(place, "city") / "transfer/other/scores.json")
    assert (scores.dataset, scores.method) == ("other", "equal (city)")
    assert scores.classes == tuple(NAMES.get(name, name) for name in ORDER)
    expected = scored_alone(place, tmp_path)
    columns = [expected.classes.index(name) for name in ORDER]
    confusion = np.array(expected.confusion())
    np.testing.assert_array_equal(scores.confusion(), confusion[columns][:, [*columns, len(columns)]])
    np.testing.assert_array_equal(scores.height("all")["overall"], expected.height("all")["overall"])
    assert (confusion.sum(axis=0)[:-1] > 0).sum() > 1  # more than one class is predicted
    of_other_city = load_scores(run_on(place, "other") / "scores.json")
    assert of_other_city.tiles.keys() == scores.tiles.keys()
    assert list(of_other_city.height("all")["overall"]) != list(scores.height("all")["overall"])

    tables = place.folder / "results/transfer"
    table = (tables / "other.md").read_text()
    header = next(line for line in table.splitlines() if line.startswith("|"))
    assert {"equal", "equal (city)", "constant"} <= {cell.strip() for cell in header.split("|")}
    assert "Rows with (city) were trained on Generated city" in table
    assert "tree counts as wood, car counts as vehicle" in table
    assert "resampled" not in table
    assert not (tables / "city.md").exists()
    page = (place.folder / "results/report.html").read_text(encoding="utf-8")
    assert page.count("Runs of other data sets on these tiles") == 1
    assert "equal (city)" in page
    assert not place.planned(config=CHANGES)

    mapping = {**NAMES, "water": "low vegetation"}
    changed = [{**CHANGES["run"]["transfer"][0], "classes": mapping}]
    jobs = place.planned(config={**CHANGES, "run": {**CHANGES["run"], "transfer": changed}})
    assert {job.split()[0] for job in jobs} == {"Predicting", "Scoring", "Comparing", "Writing", "Tables,"}
