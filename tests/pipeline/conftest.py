"""A configuration of one data set and three methods, and a checkout whose method has a finished row."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from mtlaerial.config import ScoringSpec, merge
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.pipeline.finished_rows import row_path
from mtlaerial.pipeline.project import Project
from mtlaerial.pipeline.row_files import keep_row
from mtlaerial.pipeline.run_keys import run_keys
from mtlaerial.runs.cost import Cost, save_cost
from mtlaerial.runs.run import load_description
from mtlaerial.scoring.run_scores import score_maps
from mtlaerial.scoring.scores_file import save_scores
from support import tiny
from support.city_project import SPEC
from support.row_checkouts import CONFIG, ROWS, RUN, Build, all_tiles
from support.tiny import Folders


@pytest.fixture
def data(tmp_path: Path) -> dict[str, Any]:
    """Return a configuration of one data set and three methods."""
    (tmp_path / "city.yaml").write_text(yaml.safe_dump(SPEC), encoding="utf-8")
    return {
        "run": {"datasets": ["city"], "methods": ["both", "classes"], "seeds": [0, 1]},
        "datasets": {"city": {"spec": str(tmp_path / "city.yaml"), "root": str(tmp_path / "data")}},
        "models": {"net": tiny.MODEL},
        "methods": {
            "both": {"tasks": ["semantics", "height"], "model": "net"},
            "classes": {"tasks": ["semantics"], "model": "net", "overrides": {"training": {"batch": 9}}},
            "metres": {"tasks": ["height"], "model": "net"},
        },
    }


@pytest.fixture
def build(city: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Build:
    """Return a function that makes the project of a checkout: a configuration, with changes, in a folder of results."""
    monkeypatch.chdir(tmp_path)
    spec = city.spec.model_dump(mode="json", exclude_none=True)

    def project(*changes: dict[str, Any], results: str = "results", **of_spec: Any) -> Project:
        Path("city.yaml").write_text(yaml.safe_dump({**spec, **of_spec}))
        data = {
            "run": {"datasets": ["city"], "methods": ["equal"], "seeds": [0, 1]},
            "results": results,
            "finished": str(ROWS),
            "datasets": {"city": {"spec": "city.yaml", "root": str(city.root)}},
            "models": {"net": tiny.MODEL},
            "methods": {"equal": {"tasks": ["semantics", "height"], "model": "net"}},
            "training": tiny.TRAINING,
        }
        merged = merge(data, *changes)
        CONFIG.write_text(yaml.safe_dump(merged))
        return Project.of(merged)

    return project


@pytest.fixture
def row(build: Build, run_folder: Path, tiles: Folders) -> Path:
    """Return the file of a row that a first checkout wrote."""
    scores = score_maps(load_description(run_folder), run_folder / "maps", [], ScoringSpec())
    save_scores(scores, Path("scores.json"))
    save_cost(Cost(seconds_per_step=0.25, peak_memory_mb=100, device="CPU, 2 threads"), Path("cost.json"))
    path = row_path(ROWS, RUN)
    keep_row(
        run_keys(build(), *RUN), {"train": run_folder}, Path("scores.json"), Path("cost.json"), all_tiles(tiles), path
    )
    return path
