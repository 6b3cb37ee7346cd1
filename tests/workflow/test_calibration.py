"""Calibration in the workflow: between training and scores, on validation tiles alone."""

import json
from pathlib import Path
from typing import Any

import pytest

from support.workplace import SPLITS, Workplace

pytestmark = pytest.mark.workflow
CONFIG: dict[str, Any] = {"calibration": {"cell": 8}, "prediction": {"layers": ["probabilities"]}}
"""Tiles of 32 m: 16 cells each."""


@pytest.mark.full("predicts by Snakemake, beside a finished workflow")
def test_a_calibrated_run_has_intervals_in_its_scores_and_a_table_of_uncertainty(
    finished: Workplace, tmp_path: Path
) -> None:
    place = finished.copy(tmp_path / "place")
    steps = set(place.planned({"calibration": {"cell": 8}}))
    assert {"Calibrating equal on town, seed 0", "Scoring equal on town, seed 0"} <= steps
    assert not [step for step in steps if step.startswith(("Training", "Predicting"))]
    done = place.run("results/tables", config=CONFIG)
    assert done.returncode == 0, done.stdout
    results = place.folder / "results"
    calibration = json.loads((results / "town/runs/equal/seed0/calibration.json").read_text())
    assert list(calibration["tiles"]) == SPLITS["val"]
    table = (results / "tables/town_uncertainty.md").read_text()
    assert "Calibrated on 1 validation tile, in cells of at least 8 m." in table
    assert "No 95 % intervals: 16 calibration cells; at least 19 needed." in table
    assert place.planned({**CONFIG, "run": {"methods": ["equal", "height"]}}, ["results/tables"]) == []
    place.change_spec(splits={**SPLITS, "val": []})
    without = place.run("--dry-run", "results/tables", config={**CONFIG, "training": {"selection": "last"}})
    assert "No calibration, hence no intervals, on town: no validation tiles." not in without.stdout  # not a full plan
    whole = place.run("--dry-run", config={**CONFIG, "training": {"selection": "last"}})
    assert "No calibration, hence no intervals, on town: no validation tiles." in whole.stdout
    assert "Calibrating" not in whole.stdout
