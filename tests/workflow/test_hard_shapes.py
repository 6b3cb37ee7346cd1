"""Data sets with the shapes of hard real ones, from files to report: see :mod:`support.hard_shapes`."""

import pandas as pd
import pytest
import yaml

from mtlaerial.config import merge
from mtlaerial.figures import read_caption
from support.hard_shapes import HARD_SETS
from support.workplace import TINY, Workplace

pytestmark = pytest.mark.workflow
METHODS = ("semantics", "height", "equal")
"""In the set of heights alone the first has no truth, and the last would repeat the second: both are left out there."""
SCORES = {
    "three_grids": {"semantics": {"mIoU"}, "height": {"MAE"}, "equal": {"mIoU", "MAE"}},
    "zones": {"height": {"MAE"}},
}
TEST_TILES = {"three_grids": "D3", "zones": "plot_18"}
PLACES = {"three_grids": "up to 31 km apart: arranged in rows", "zones": "arranged in rows"}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    folder = tmp_path_factory.mktemp("hard")
    entries = {}
    for hard in HARD_SETS:
        entries[hard.name] = {"spec": f"config/datasets/{hard.name}.yaml", "root": f"datasets/{hard.name}"}
    changes = {
        "run": {"datasets": list(entries), "methods": list(METHODS)},
        "datasets": entries,
        "methods": {"semantics": {"model": "tiny"}},
    }
    changes["figures"] = {"formats": ["svg", "pdf"]}
    overlay = folder / "overlay.yaml"
    overlay.write_text(yaml.safe_dump(merge(yaml.safe_load(TINY.read_text()), changes)))
    place = Workplace(folder / "place", overlay)
    for hard in HARD_SETS:
        hard.write(place.folder / "datasets" / hard.name, place.folder / "config/datasets" / f"{hard.name}.yaml")
    return place


@pytest.mark.full("two data sets from the check to the report")
def test_hard_shapes_run_from_check_to_report(place: Workplace) -> None:
    run = place.run()
    assert run.returncode == 0, run.stdout[-5000:]
    results = place.folder / "results"
    table = pd.read_csv(results / "tables" / "scores.csv")
    overall = table[(table.group == "overall") & (table.pooling == "pooled") & (table["mask"] == "all")]
    for dataset, methods in SCORES.items():
        folder = results / "figures" / dataset
        names = {path.relative_to(path.parents[1]).as_posix() for path in folder.rglob("*.*")}
        stems = {f"{dataset}/tiles", *(f"{method}/curves" for method in methods), f"maps/{TEST_TILES[dataset]}"}
        assert names >= {f"{stem}.{suffix}" for stem in stems for suffix in ("png", "svg", "pdf")}
        assert PLACES[dataset] in read_caption(folder / "tiles.png").description
        for method, scores in methods.items():
            rows = overall[(overall.dataset == dataset) & (overall.method == method)]
            assert set(rows.score) & {"mIoU", "MAE"} == scores
    assert [path.name for path in (results / "zones" / "runs").iterdir()] == ["height"]
    assert "Plots in zones of their own" in (results / "report.html").read_text()
    assert place.planned() == []
