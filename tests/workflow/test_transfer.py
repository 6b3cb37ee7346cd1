"""The workflow trains on one data set and tests on others: scores, resampling, tables and notes."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import yaml

from mtlaerial.pipeline.score_runs import score_runs
from mtlaerial.prediction.image_options import ImageOptions
from mtlaerial.prediction.predictor import Predictor
from mtlaerial.scoring.scores import Scores, load_scores
from support.workplace import Workplace

pytestmark = pytest.mark.workflow
ORDER = ("tree", "water", "impervious", "building", "low vegetation", "car")
"""Of the classes in the other city, where two have other names."""
NAMES = {"tree": "wood", "car": "vehicle"}
GENERATED = {"seed": 5, "style": "organic", "ground_truth_gsd": {"height": 1.0}}
CHANGES: dict[str, Any] = {
    "run": {
        "datasets": ["city", "other", "fine"],
        "methods": ["equal"],
        "transfer": [
            {"trained_on": "city", "tested_on": "other", "classes": NAMES},
            {"trained_on": "city", "tested_on": "fine"},
        ],
    },
    "datasets": {
        "other": {
            "spec": "config/datasets/other.yaml",
            "root": "datasets/other",
            "generate": {**GENERATED, "size": 64},
        },
        "fine": {"spec": "config/datasets/fine.yaml", "root": "datasets/fine", "generate": {**GENERATED, "size": 128}},
    },
    "training": {"learning_rate": 3.0e-3, "epochs": 4, "epoch_patches": 32},
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    """Return a finished workflow of three cities: one of other names and order of classes, one of finer pixels."""
    place = Workplace(tmp_path_factory.mktemp("transfer") / "place")
    spec = yaml.safe_load(place.spec.read_text())
    classes = {entry["name"]: entry for entry in spec["labels"]["classes"]}
    renamed = [{**classes[name], "name": NAMES.get(name, name)} for name in ORDER]
    other = {**spec, "title": "Other city", "labels": {**spec["labels"], "classes": renamed}}
    fine = {**spec, "title": "Fine city", "gsd": 0.25}
    for name, data in (("other", other), ("fine", fine)):
        (place.spec.parent / f"{name}.yaml").write_text(yaml.safe_dump(data, sort_keys=False))
    run = place.run(config=CHANGES)
    assert run.returncode == 0, run.stdout[-5000:]
    return place


def transferred(place: Workplace, tested: str) -> Path:
    return run_on(place, "city") / "transfer" / tested


def run_on(place: Workplace, dataset: str) -> Path:
    return place.folder / "results" / dataset / "runs/equal/seed0"


def scored_alone(place: Workplace, out: Path) -> Scores:
    """Score the run of the first city on the other one by the command, with the classes as the first has them."""
    spec = yaml.safe_load(place.spec.read_text())
    path = out / "other.yaml"
    path.write_text(yaml.safe_dump(spec))
    (scores,) = score_runs([run_on(place, "city")], path, place.folder / "datasets/other", out / "out")
    return scores


@pytest.mark.full("three trainings by Snakemake")
def test_scores_are_those_of_the_command_with_the_classes_of_the_tested_city(place: Workplace, tmp_path: Path) -> None:
    scores = load_scores(transferred(place, "other") / "scores.json")
    assert (scores.dataset, scores.method) == ("other", "equal (city)")
    assert scores.classes == tuple(NAMES.get(name, name) for name in ORDER)
    expected = scored_alone(place, tmp_path)
    columns = [expected.classes.index(name) for name in ORDER]
    confusion = np.array(expected.confusion())
    np.testing.assert_array_equal(scores.confusion(), confusion[columns][:, [*columns, len(columns)]])
    assert scores.height("all") == expected.height("all")
    assert (confusion.sum(axis=0)[:-1] > 0).sum() > 1  # more than one class is predicted
    own = load_scores(run_on(place, "other") / "scores.json")
    assert own.tiles.keys() == scores.tiles.keys()
    assert own.height("all") != scores.height("all")


@pytest.mark.full("three trainings by Snakemake")
def test_finer_images_are_resampled_and_mapped_on_the_grid_of_the_truth(place: Workplace, tmp_path: Path) -> None:
    maps = transferred(place, "fine") / "maps"
    assert json.loads((maps / "resampled.json").read_text()) == {"trained": 0.5, "tiles": {"city_4": 0.25}}
    image = place.folder / "datasets/fine/images/city_4.tif"
    Predictor(run_on(place, "city")).predict_image(image, tmp_path, options=ImageOptions(resample=True))
    with rasterio.open(maps / "city_4/height.tif") as cells, rasterio.open(tmp_path / "height.tif") as pixels:
        assert cells.shape == (32, 32)
        heights, scaled = cells.read(1), pixels.read(1) * pixels.scales[0]
    means = scaled.reshape(32, 4, 32, 4).mean(axis=(1, 3))
    kept = heights > 0.05  # maps of images have no heights below 0
    assert kept.mean() > 0.2
    assert np.abs(heights - means)[kept].mean() < 0.25 * heights[kept].std() + 0.02


@pytest.mark.full("three trainings by Snakemake")
def test_the_tables_have_rows_of_both_and_say_what_was_done(place: Workplace) -> None:
    tables = place.folder / "results/transfer"
    text = {name: (tables / f"{name}.md").read_text() for name in ("other", "fine")}
    for table in text.values():
        assert "| equal |" in table.replace("  ", "")
        assert "equal (city)" in table
        assert "Rows with (city) were trained on Generated city" in table
    assert "tree counts as wood, car counts as vehicle" in text["other"]
    assert "resampled" not in text["other"]
    assert "images of 1 test tile with pixels of 0.25 m were resampled to the 0.5 m of its training" in text["fine"]
    assert not (tables / "city.md").exists()
    assert not place.planned(config=CHANGES)


@pytest.mark.full("plans after three trainings")
def test_another_mapping_of_classes_repeats_the_transfer_alone(place: Workplace) -> None:
    transfer = [{**CHANGES["run"]["transfer"][0], "classes": {**NAMES, "water": "low vegetation"}}]
    config = {**CHANGES, "run": {**CHANGES["run"], "transfer": [*transfer, CHANGES["run"]["transfer"][1]]}}
    jobs = place.planned(config=config)
    assert [job.split()[0] for job in jobs] == ["Predicting", "Scoring", "Comparing", "Tables,"]
