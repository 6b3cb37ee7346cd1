"""Archives in the workflow: verified and unpacked once, and not needed afterwards."""

import hashlib
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from mtlaerial.config import load_dataset, merge
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.datasets.safe_zip import MARKS
from mtlaerial.synthetic.generate import synthesise
from support.workplace import TINY, TOWN, Workplace

pytestmark = pytest.mark.workflow
TARGETS = ("results/town/checks.json", "results/town/statistics.json")
UNPACKING = {f"Unpacking datasets/town/{name}" for name in ("archives/truth.zip", "images.zip")}


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    """Return a workplace whose data set is two archives: images, and all else."""
    overlay = tmp_path / "overlay.yaml"
    overlay.write_text(yaml.safe_dump(merge(yaml.safe_load(TINY.read_text()), TOWN)))
    place = Workplace(tmp_path / "place", overlay)
    city, root = tmp_path / "city", place.folder / "datasets/town"
    synthesise(Dataset("town", load_dataset(place.spec), city), seed=0, size=64)
    images = write_zip(root / "images.zip", city / "images", city)
    truth = write_zip(root / "archives/truth.zip", city, city, skip="images")
    place.change_spec(archives=[described(images, "images"), described(truth, "heights and labels")])
    return place


def write_zip(path: Path, folder: Path, root: Path, skip: str = "-") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as target:
        for file in sorted(folder.rglob("*.tif")):
            if skip not in file.parts:
                target.write(file, file.relative_to(root))
    return path


def described(archive: Path, holds: str) -> dict[str, Any]:
    md5 = hashlib.md5(archive.read_bytes(), usedforsecurity=False).hexdigest()
    return {"file": archive.name, "page": "https://example.org", "holds": holds, "md5": md5}


@pytest.mark.full("five plans and real jobs")
def test_archives_are_unpacked_once_and_may_then_move_or_go(place: Workplace) -> None:
    """Neither a touched, nor a moved, nor a deleted archive makes a tile be prepared again."""
    root = place.folder / "datasets/town"
    planned = place.planned(targets=TARGETS)
    assert {message for message in planned if message.startswith("Unpacking")} == UNPACKING
    run = place.run(*TARGETS)
    assert run.returncode == 0, run.stdout
    assert (root / "images/city_1.tif").exists()
    assert place.planned(targets=TARGETS) == []
    (root / "images.zip").touch()
    assert place.planned(targets=TARGETS) == []
    shutil.move(root / "images.zip", root / "archives/images.zip")
    assert place.planned(targets=TARGETS) == []
    shutil.rmtree(root / "archives")
    assert place.planned(targets=TARGETS) == []


@pytest.mark.full("a real job; unpacking is in the quick tier")
def test_a_lost_file_is_named_and_unpacked_again(place: Workplace) -> None:
    """The error names it; with the mark deleted, as the error asks, it is unpacked again."""
    root = place.folder / "datasets/town"
    mark = root / MARKS / "images.zip.json"
    unpacked = place.run("datasets/town/.unpacked/images.zip.json")
    assert unpacked.returncode == 0, unpacked.stdout
    (root / "images/city_1.tif").unlink()
    run = place.run("--dry-run")
    assert run.returncode == 1
    message = f"Of images.zip, 1 unpacked files are gone; delete {mark.relative_to(place.folder)}"
    for words in ("images/city_1.tif", message):
        assert words in run.stdout
    mark.unlink()
    assert "Unpacking datasets/town/images.zip" in place.planned(targets=TARGETS)


@pytest.mark.full("a real job; unpacking is in the quick tier")
def test_another_archive_is_refused(place: Workplace) -> None:
    archive = place.folder / "datasets/town/images.zip"
    with zipfile.ZipFile(archive, "a") as target:
        target.writestr("more.txt", "more")
    run = place.run(*TARGETS)
    assert run.returncode == 1
    assert run.stdout.count("images.zip: found the MD5") >= 1
    assert "get it anew from https://example.org" in "\n".join(run.stdout.splitlines()[-60:])
    assert "Traceback" not in run.stdout
    assert not (archive.parent / MARKS / "images.zip.json").exists()
    assert not (archive.parent / "images").exists()


def test_an_archive_that_is_cut_off(place: Workplace) -> None:
    archive = place.folder / "datasets/town/images.zip"
    archive.write_bytes(archive.read_bytes()[:1000])
    run = place.run("--dry-run")
    assert run.returncode == 1
    assert "images.zip: found File is not a zip file" in run.stdout
    assert "Traceback" not in run.stdout


def test_missing_archives_are_listed(place: Workplace) -> None:
    (place.folder / "datasets/town/images.zip").unlink()
    run = place.run("--dry-run")
    assert run.returncode == 1
    for words in ("image: 4 missing", "Archive images.zip: images; MD5", "https://example.org", "datasets/town"):
        assert words in run.stdout
    assert "truth.zip" not in run.stdout


@pytest.mark.full("two more plans; tests/pipeline has the sentence")
def test_a_plan_of_what_could_not_be_scored_asks_first(place: Workplace) -> None:
    root = place.folder / "datasets/town"
    images, truth = root / "images.zip", root / "archives/truth.zip"
    kept = {name: content for name, content in members(truth).items() if name != "labels/city_4.tif"}
    with zipfile.ZipFile(truth, "w") as target:
        for name, content in kept.items():
            target.writestr(name, content)
    labels = {**yaml.safe_load(place.spec.read_text())["labels"], "optional": ["test"]}
    archives = [described(images, "images"), described(truth, "heights and labels")]
    place.change_spec(archives=archives, labels=labels)
    alone = {"run": {"methods": ["semantics", "equal"]}, "methods": {"semantics": {"model": "tiny"}}}
    refused = place.run("--dry-run", config=alone)
    assert refused.returncode == 1
    assert "run.methods: found semantics on town, which could not be scored: no test tile has labels" in refused.stdout
    assert "Traceback" not in refused.stdout
    confirmed = place.run("--dry-run", config=merge(alone, {"run": {"train_unscored": True}}))
    assert confirmed.returncode == 0, confirmed.stdout
    assert "Without a score of semantics, as no test tile of town has labels: semantics, equal." in confirmed.stdout
    assert "Training semantics on town" in confirmed.stdout


@pytest.mark.full("two more plans; tests/datasets has the sentences")
def test_a_root_that_nothing_may_be_unpacked_to_ends_the_plan(place: Workplace, tmp_path: Path) -> None:
    root = place.folder / "datasets/town"
    (root / "images").symlink_to(tmp_path)
    run = place.run("--dry-run")
    assert run.returncode == 1
    assert f"town/images: found a link to {tmp_path}; expected a folder below the data root" in run.stdout
    (root / "images").unlink()
    (root / "Snakefile").touch()
    run = place.run("--dry-run")
    assert run.returncode == 1
    assert "town: found a project's folder (with Snakefile)" in run.stdout
    assert "Traceback" not in run.stdout


def members(path: Path) -> dict[str, bytes]:
    """Return the files of an archive by their names."""
    with zipfile.ZipFile(path) as source:
        return {name: source.read(name) for name in source.namelist()}
