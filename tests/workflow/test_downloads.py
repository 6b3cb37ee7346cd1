"""The original's data sets from the archives of their downloads to the tables; generated, small, with both recipes."""

from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pandas as pd
import pytest
import yaml

from mtlaerial.config import load_dataset, merge
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.synthetic.generate import synthesise
from support.workplace import Workplace

pytestmark = pytest.mark.workflow
ORIGINAL = yaml.safe_load(Path(__file__).with_name("original.yaml").read_text())
METHODS = {"semantics": ("semantics",), "equal": ("semantics", "height")}
SCORES = {"semantics": "OA", "height": "MAE"}
VAIHINGEN = "ISPRS_semantic_labeling_Vaihingen"
ARCHIVES = {
    "dfc2018": {"2018IEEE_Contest/": ("phase2.zip", "download/2018IEEE_Contest/")},
    "vaihingen": {
        "top/": (f"{VAIHINGEN}.zip", "top/"),
        "gts/": (f"{VAIHINGEN}_ground_truth_COMPLETE.zip", ""),
        "gts_eroded/": (f"{VAIHINGEN}_ground_truth_eroded_COMPLETE.zip", ""),
        "nDSM/": ("Normalized_DSM.zip", "Normalized DSM/"),
    },
}
"""The archive of each folder, and its place there."""


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    """Return a workplace with the archives, and specifications of few tiles without published hashes."""
    overlay = tmp_path / "overlay.yaml"
    datasets = {name: {"generate": None, "recipe": ORIGINAL["datasets"][name].get("recipe", {})} for name in ARCHIVES}
    change = {"run": {"methods": list(METHODS)}, "datasets": datasets}
    overlay.write_text(yaml.safe_dump(merge(ORIGINAL, change)))
    place = Workplace(tmp_path / "place", overlay)
    for name, archives in ARCHIVES.items():
        path = place.folder / f"config/datasets/{name}.yaml"
        spec: dict[str, Any] = yaml.safe_load(path.read_text())
        for archive in spec["archives"]:
            archive.pop("md5", None)
        splits = {split: tiles[:2] for split, tiles in spec["splits"].items()}
        path.write_text(yaml.safe_dump({**spec, "splits": splits}, sort_keys=False))
        options = ORIGINAL["datasets"][name]["generate"]
        city = Dataset(name, load_dataset(path), tmp_path / name)
        synthesise(city, seed=0, size=options["size"], ground_truth_gsd=options.get("ground_truth_gsd", {}))
        pack(city.root, place.folder / "datasets" / name, archives)
    return place


def pack(source: Path, target: Path, archives: dict[str, tuple[str, str]]) -> None:
    """Put the rasters of a generated data set into archives."""
    target.mkdir(parents=True)
    for file in sorted(path for path in source.rglob("*") if path.suffix in (".tif", ".jpg")):
        name = file.relative_to(source).as_posix()
        folder = next(folder for folder in archives if name.startswith(folder))
        archive, prefix = archives[folder]
        with ZipFile(target / archive, "a") as packed:
            packed.write(file, prefix + name.removeprefix(folder))


@pytest.mark.full("two data sets from archives to tables")
def test_both_downloads_go_from_their_archives_to_the_tables(place: Workplace) -> None:
    run = place.run()
    assert run.returncode == 0, run.stdout[-5000:]
    scores = pd.read_csv(place.folder / "results/tables/everything.csv")
    whole = scores[(scores.group == "overall") & (scores.pooling == "pooled")]
    for dataset, archives in ARCHIVES.items():
        for method, tasks in METHODS.items():
            rows = whole[(whole.dataset == dataset) & (whole.method == method)]
            assert {SCORES[task] for task in tasks} <= set(rows.score)
        table = (place.folder / f"results/tables/{dataset}.md").read_text()
        assert "generated" not in table  # it is taken for the real place, whose recipe applies
        for archive, _ in archives.values():
            (place.folder / "datasets" / dataset / archive).unlink()
    assert place.planned() == []
