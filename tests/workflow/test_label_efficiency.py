"""The workflow on shares of a task's truth: table, figure, report and records of the runs."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from mtlaerial.figures import read_caption
from support.workplace import Workplace

NOTE = "The labels were generated with the heights."
QUARTER = {"training": {"labelled": {"semantics": 25}}}
METHODS: dict[str, Any] = {
    "alone": {"tasks": ["semantics"], "model": "tiny"},
    "alone_25": {"tasks": ["semantics"], "model": "tiny", "overrides": QUARTER},
    "both": {"tasks": ["semantics", "height"], "model": "tiny"},
    "both_25": {"tasks": ["semantics", "height"], "model": "tiny", "overrides": QUARTER},
}
CHANGES: dict[str, Any] = {
    "run": {
        "methods": list(METHODS),
        "seeds": [0],
        "label_efficiency": {"semantics": {"single": ["alone", "alone_25"], "joint": ["both", "both_25"]}},
    },
    "training": {"truth_patches": "equal", "labelled_block": 16},
    "scoring": {"class_sets": {"built": ["impervious", "building"], "green": ["low vegetation", "tree"]}},
    "figures": {"formats": ["svg"]},
    "methods": METHODS,
}


@pytest.mark.full("four trainings by Snakemake")
def test_curves_are_targets_of_the_workflow(finished: Workplace, tmp_path: Path) -> None:
    place = finished.copy(tmp_path / "place")
    labels = yaml.safe_load(place.spec.read_text())["labels"]
    place.change_spec(labels={**labels, "note": NOTE})
    done = place.run(config=CHANGES)
    assert done.returncode == 0, done.stdout[-5000:]
    results = place.folder / yaml.safe_load((place.folder / "overlay.yaml").read_text())["results"]
    dataset = next(path.parent.name for path in results.glob("*/statistics.json"))
    table = (results / "tables" / f"{dataset}_label_efficiency.md").read_text(encoding="utf-8")
    assert "mIoU of class sets" in table
    assert NOTE in table
    figure = results / "figures" / dataset / "label_efficiency.png"
    assert NOTE in read_caption(figure).description
    assert figure.with_suffix(".svg").is_file()
    page = (results / "report.html").read_text(encoding="utf-8")
    assert "label efficiency of semantics" in page
    run = yaml.safe_load((results / dataset / "runs" / "both_25" / "seed0" / "run.yaml").read_text())
    assert run["labelled"]["layers"]["labels"]["percent"] == 25
    assert (
        sum(entry["pixels"] for entry in run["statistics"]["classes"]) == run["labelled"]["layers"]["labels"]["pixels"]
    )
    assert not place.planned(config=place.folder / "change.yaml")
