"""Objects in the workflow: polygons of each run's maps, where they are configured."""

from pathlib import Path
from typing import Any

import pytest

from support.workplace import Workplace

pytestmark = pytest.mark.workflow
CONFIG: dict[str, Any] = {"objects": {"min_area": 1.0, "min_hole": 0.5}}


@pytest.mark.full("runs Snakemake, beside a finished workflow")
def test_configured_objects_are_made_of_finished_maps(finished: Workplace, tmp_path: Path) -> None:
    import geopandas as gpd

    place = finished.copy(tmp_path / "place")
    steps = set(place.planned(CONFIG))
    assert "Vectorising equal on town, seed 0" in steps
    assert not [step for step in steps if step.startswith(("Training", "Predicting", "Scoring"))]
    path = "results/town/runs/equal/seed0/objects.gpkg"
    done = place.run(path, config=CONFIG)
    assert done.returncode == 0, done.stdout
    objects = gpd.read_file(place.folder / path)
    assert set(objects["class"]) <= {"building"}
    assert (objects.area >= 1.0).all()
    assert place.planned(CONFIG, [path]) == []
    larger = {"objects": {**CONFIG["objects"], "min_area": 2.0}}
    assert place.planned(larger, [path]) == ["Vectorising equal on town, seed 0"]
    whole = place.run("--dry-run", config={"objects": {"classes": ["tower"]}})
    assert "No objects of town: it has no class tower (objects.classes), but" in whole.stdout
    assert "Vectorising" not in whole.stdout
