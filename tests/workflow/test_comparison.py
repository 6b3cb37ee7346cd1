"""A comparison of weightings over folds in the workflow: verdicts, trade-off, conflict, and rows that are taken."""

import csv
from pathlib import Path
from typing import Any

import pytest
import yaml

from mtlaerial.figures import read_caption
from support.workplace import Workplace

pytestmark = pytest.mark.workflow
METHODS: dict[str, Any] = {
    "equal": {"tasks": ["semantics", "height"], "model": "tiny"},
    "uw": {"weighting": {"learning_rate": 0.025}, "model": "tiny"},
    "upgrad": {"model": "tiny"},
}
CHANGES: dict[str, Any] = {
    "run": {"methods": list(METHODS), "seeds": [0], "comparison": {"margin": 0.05}},
    "training": {"epochs": 1, "selection": "last", "log_every": 1},
    "methods": METHODS,
    "finished": "rows",
}


@pytest.mark.full("six trainings by Snakemake")
def test_folds_are_compared_drawn_and_taken_from_their_rows(finished: Workplace, tmp_path: Path) -> None:
    place = finished.copy(tmp_path / "place")
    data = yaml.safe_load(place.spec.read_text())
    data.pop("splits")
    areas = {"north": ["city_1", "city_2"], "south": ["city_3", "city_4"]}
    place.spec.write_text(yaml.safe_dump({**data, "areas": areas}, sort_keys=False))
    done = place.run("rows", "all", config=CHANGES)
    assert done.returncode == 0, done.stdout[-5000:]
    assert "Power (town, weightings beside equal; 1 seed, 4 test tiles, 2 comparisons)" in done.stdout
    results = place.folder / "results"
    table = (results / "tables" / "town_weightings.md").read_text(encoding="utf-8")
    assert "one seed: no verdict" in table
    assert read_caption(results / "figures" / "town" / "tradeoff.png").title.endswith("trade-off between the tasks")
    assert "trade-off between the tasks" in (results / "report.html").read_text(encoding="utf-8")
    with (results / "town.north/runs/upgrad/seed0/history.csv").open(newline="") as file:
        row = next(csv.DictReader(file))
    for level in ("features", "parameters"):
        assert -1 <= float(row[f"cosine_{level}_semantics_height"]) <= 1
    assert not place.planned(config=place.folder / "change.yaml")
    (place.folder / "change.yaml").write_text(yaml.safe_dump({**CHANGES, "results": "elsewhere"}))
    assert not [job for job in place.planned(config=place.folder / "change.yaml") if job.startswith("Training")]
