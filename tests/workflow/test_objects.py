"""Objects in the workflow: polygons of each run's maps and their scores, where they are configured."""

from pathlib import Path
from typing import Any

import pytest

from mtlaerial.scoring.finished_row import load_row
from mtlaerial.scoring.scores_file import load_scores
from support.workplace import Workplace

pytestmark = pytest.mark.workflow
CONFIG: dict[str, Any] = {"objects": {"min_area": 1.0, "min_hole": 0.5}}


@pytest.mark.full("runs Snakemake, beside a finished workflow")
def test_configured_objects_are_made_and_scored_of_finished_maps(finished: Workplace, tmp_path: Path) -> None:
    import geopandas as gpd

    place = finished.copy(tmp_path / "place")
    steps = set(place.planned(CONFIG))
    assert {"Vectorising equal on town, seed 0", "Scoring equal on town, seed 0"} <= steps
    assert not [step for step in steps if step.startswith(("Training", "Predicting"))]
    run = "results/town/runs/equal/seed0"
    before = load_scores(place.folder / run / "scores.json")
    config = {**CONFIG, "finished": "rows"}
    row = "rows/town/equal.seed0.json"
    done = place.run(row, config=config)
    assert done.returncode == 0, done.stdout
    objects = gpd.read_file(place.folder / run / "objects.gpkg")
    assert set(objects["class"]) <= {"building"}
    assert (objects.area >= 1.0).all()
    scores = load_scores(place.folder / run / "scores.json")
    assert scores.objects
    assert scores.objects.classes["building"]["all"].true > 0
    assert scores.model_copy(update={"objects": None}) == before
    assert load_row(place.folder / row).scores.objects == scores.objects
    assert place.planned(CONFIG, [f"{run}/scores.json"]) == []
    larger = {"objects": {**CONFIG["objects"], "min_area": 2.0}}
    again = place.planned(larger, [f"{run}/scores.json"])
    assert again == ["Vectorising equal on town, seed 0", "Scoring equal on town, seed 0"]
    whole = place.run("--dry-run", config={"objects": {"classes": ["tower"]}})
    assert "No objects of town: it has no class tower (objects.classes), but" in whole.stdout
    assert "Vectorising" not in whole.stdout
