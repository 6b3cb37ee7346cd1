"""Both data sets of the original from their archives to tables: rows of equal budget, then the original's schedules."""

import re
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from mtlaerial.config import Generation, load_dataset, merge, read_yaml
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.synthetic.generate import synthesise
from support.paths import ROOT
from support.workplace import Workplace, shorten_original

pytestmark = pytest.mark.workflow
ORIGINAL = Path(__file__).with_name("original.yaml")
METHODS = ["semantics", "height", "equal_noskips"]
ARCHIVES = {
    "dfc2018": {"phase2.zip": "2018IEEE_Contest/Phase2"},
    "vaihingen": {
        "ISPRS_semantic_labeling_Vaihingen.zip": "top",
        "ISPRS_semantic_labeling_Vaihingen_ground_truth_COMPLETE.zip": "gts",
        "ISPRS_semantic_labeling_Vaihingen_ground_truth_eroded_COMPLETE.zip": "gts_eroded",
        "Normalized_DSM.zip": "nDSM",
    },
}
"""The folder of each archive's files."""
TARGET = "tables"
"""The rule that is asked for: figures of every tile would take most of the time."""
LONGER = {"training": {"epochs": 3}}
SCHEDULES = {
    "dfc2018": {"semantics": LONGER, "height": {"training": {"epochs": 2}}},
    "vaihingen": dict.fromkeys(("semantics", "height"), merge(LONGER, {"prediction": {"stride": 64}})),
}
"""Numbers of epochs, and a stride, in place of those of the overlay, which would take long or not fit the window."""


def overlay_of_downloads() -> dict[str, Any]:
    """Return the overlay of the original's rows with small networks, without generating the data."""
    data = dict(read_yaml(ORIGINAL))
    for entry in data["datasets"].values():
        del entry["generate"]
    return merge(data, {"run": {"methods": METHODS}})


def download(specification: Path, root: Path, folder: Path) -> None:
    """Generate a data set in its layout in a folder, and put its archives into the root as a user would."""
    name = specification.stem
    options = Generation.parse(read_yaml(ORIGINAL)["datasets"][name]["generate"], "generate")
    synthesise(Dataset(name, load_dataset(specification), folder), **options.model_dump())
    root.mkdir(parents=True)
    if name == "dfc2018":
        (labels,) = folder.rglob("Test_Labels.tif")  # a download of its own
        (root / "TestingGT").mkdir()
        shutil.move(labels, root / "TestingGT" / labels.name)
    for archive, contents in ARCHIVES[name].items():
        above = folder / contents if name == "vaihingen" and contents != "top" else folder
        with zipfile.ZipFile(root / archive, "w") as target:
            for file in sorted((folder / contents).rglob("*.*")):
                target.write(file, file.relative_to(above))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    folder = tmp_path_factory.mktemp("archives")
    (folder / "overlay.yaml").write_text(yaml.safe_dump(overlay_of_downloads()))
    place = Workplace(folder / "place", folder / "overlay.yaml")
    for name in ARCHIVES:
        spec = place.folder / "config" / "datasets" / f"{name}.yaml"
        shorten_original(spec)
        download(spec, place.folder / "datasets" / name, folder / name)
    return place


def trainings(place: Workplace) -> dict[tuple[str, str], int]:
    """Return the number of updates of each training."""
    histories = (place.folder / "results").glob("*/runs/*/seed0/history.csv")
    return {(path.parts[-5], path.parts[-3]): int(pd.read_csv(path).step.max()) for path in histories}


@pytest.mark.full("trains the original's rows in both layouts, twice")
def test_archives_become_tables_by_either_recipe(place: Workplace) -> None:
    run = place.run(TARGET)
    assert run.returncode == 0, run.stdout[-5000:]
    assert run.stdout.count("Unpacking datasets/") == sum(map(len, ARCHIVES.values()))
    equal_budgets = trainings(place)
    assert set(equal_budgets) == {(dataset, method) for dataset in ARCHIVES for method in METHODS}
    assert {dataset: len({n for (d, _), n in equal_budgets.items() if d == dataset}) for dataset in ARCHIVES} == {
        "dfc2018": 1, "vaihingen": 1,
    }  # fmt: skip
    for dataset, archives in ARCHIVES.items():
        for archive in archives:
            (place.folder / "datasets" / dataset / archive).unlink()
        described = yaml.safe_load((place.folder / f"results/{dataset}/runs/equal_noskips/seed0/run.yaml").read_text())
        assert described["plan"]["model"]["initialisation"] == "normal"

    original = merge(read_yaml(ROOT / "config" / "original_single.yaml"), {"results": "results"})
    reduced = {"datasets": {name: {"overrides": overrides} for name, overrides in SCHEDULES.items()}}
    schedules = merge(original, reduced)
    planned = [message for message in place.planned(schedules, [TARGET]) if message.startswith("Training")]
    assert len(planned) == 4, planned
    run = place.run(TARGET, config=schedules)
    assert run.returncode == 0, run.stdout[-5000:]
    longer = {run for run, steps in trainings(place).items() if steps != equal_budgets[run]}
    assert longer == {(dataset, method) for dataset in ARCHIVES for method in ("semantics", "height")}
    for dataset in ARCHIVES:
        table = (place.folder / "results" / "tables" / f"{dataset}.md").read_text()
        assert "generated" not in table  # it is taken for the real place, whose recipe applies
        assert re.search(r"training\.epochs \d instead of \d", table), table
        assert "times the training pixels" in table
        assert "skips False instead of True" in table
