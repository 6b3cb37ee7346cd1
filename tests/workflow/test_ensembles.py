"""Ensembles in the workflow: rows beside those of their members, predicted again where a member changes."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from support.workplace import Workplace

pytestmark = pytest.mark.workflow
CONFIG: dict[str, Any] = {
    "run": {"methods": ["height", "mean", "whole"], "seeds": [0, 1]},
    "methods": {
        "mean": {"ensemble": {"members": ["equal", "height"]}},
        "whole": {
            "ensemble": {"members": ["height"], "seeds": "all"},
            "overrides": {"prediction": {"views": ["mirror"]}},
        },
    },
}
OVERRIDE = {"height": {"overrides": {"training": {"learning_rate": 0.01}}}}


@pytest.mark.full("two real trainings and the steps after them")
def test_an_ensemble_is_a_row_of_the_workflow(finished: Workplace, tmp_path: Path) -> None:
    place = finished.copy(tmp_path / "place")
    run = place.run(config=CONFIG)
    assert run.returncode == 0, run.stdout
    results = place.folder / "results"
    members = yaml.safe_load((results / "town/runs/mean/seed1/run.yaml").read_text())["members"]
    assert [entry["run"] for entry in members] == ["../../equal/seed1", "../../height/seed1"]
    table = pd.read_csv(results / "tables/town.csv").set_index("method")
    assert table["seeds"].to_dict() == {"height": 2, "mean": 2, "whole": 1, "constant": 0}
    assert table["MAE (m) std"].notna().to_dict() == {"height": True, "mean": True, "whole": False, "constant": False}
    page = (results / "report.html").read_text()
    assert "whole: an ensemble, with the mean of the class scores and of the heights of height (seeds 0, 1)" in page
    assert "2 networks, " in page
    assert "h of training for one map" in page
    assert not (results / "town/runs/mean/seed0/model.safetensors").exists()
    assert place.planned(CONFIG) == []
    changed = {**CONFIG, "methods": {**CONFIG["methods"], **OVERRIDE}}
    steps = set(place.planned(changed))
    assert {"Predicting town with mean, seed 0", "Predicting town with whole, seed 0"} <= steps
    assert "Training equal on town, seed 0" not in steps
