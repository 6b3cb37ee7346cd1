"""Files in archives count as present before they are unpacked."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from mtlaerial.cli import app
from mtlaerial.config import DatasetSpec, load_dataset
from mtlaerial.config.layers import PREPARED_LAYERS
from mtlaerial.datasets.archives import unpack_pending
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.errors import ConfigError
from support import tiny
from support.tiny import write_zip

CITY = [f"{folder}/city_{number}.tif" for folder in ("images", "height", "labels") for number in (1, 2, 3, 4)]
PHASE2 = [
    "TrainingGT/2018_IEEE_GRSS_DFC_GT_TR.tif",
    "{0}/DSM_C12/UH17c_GEF051.tif",
    "{0}/DEM_C123_TLI/UH17_GEG05.tif",
]


def city_of(root: Path, *archives: dict[str, Any]) -> Dataset:
    described = [{"page": "https://example.org", "holds": "a city", **archive} for archive in archives]
    return Dataset("city", tiny.city_spec(archives=described), root)


def files_of(dataset: Dataset) -> list[Path]:
    return [file for tile in dataset.spec.tiles for layer in PREPARED_LAYERS for file in dataset.files(layer, tile)]


def test_unpacking_or_losing_the_archive_changes_no_file_and_no_mark(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "city.zip", dict.fromkeys(CITY, b"pixels"))
    before, after, without = (city_of(tmp_path, {"file": "city.zip"}) for _ in range(3))
    assert before.missing() == []
    file_marks = [(file, before.provided[file]) for file in files_of(before)]
    assert {mark for _, mark in file_marks} == {tmp_path / ".unpacked/city.zip.json"}
    unpack_pending(before.archives)
    assert [(file, after.provided[file]) for file in files_of(after)] == file_marks
    path.unlink()
    assert [(file, without.provided[file]) for file in files_of(without)] == file_marks
    assert without.missing() == []


def test_files_in_no_archive_are_missing(tmp_path: Path) -> None:
    write_zip(tmp_path / "city.zip", dict.fromkeys(CITY[1:], b""))
    dataset = city_of(tmp_path, {"file": "city.zip"}, {"file": "absent.zip"})
    assert [(gap.layer, gap.tile) for gap in dataset.missing()] == [("image", "city_1")]


def test_of_two_archives_with_a_file_the_first_provides_it(tmp_path: Path) -> None:
    for name in ("a.zip", "b.zip"):
        write_zip(tmp_path / name, dict.fromkeys(CITY, b""))
    dataset = city_of(tmp_path, {"file": "b.zip"}, {"file": "a.zip"})
    assert set(dataset.provided.values()) == {tmp_path / ".unpacked/b.zip.json"}
    with pytest.raises(ConfigError, match="each file once"):
        city_of(tmp_path, {"file": "b.zip"}, {"file": "B.zip"})


def unhashed(name: str) -> DatasetSpec:
    """Return a shipped specification whose archives may be any."""
    spec = load_dataset(tiny.CONFIG / "datasets" / f"{name}.yaml")
    archives = tuple(archive.model_copy(update={"md5": None}) for archive in spec.archives)
    return spec.model_copy(update={"archives": archives})


@pytest.mark.parametrize("folder", ["", "archives"])
def test_vaihingen_in_its_archives(folder: str, tmp_path: Path) -> None:
    spec = unhashed("vaihingen")
    top = [f"top_mosaic_09cm_{tile}.tif" for tile in spec.tiles]
    images_of_all = [f"top/{name}" for name in top]
    labels_of_training = [f"gts_for_participants/top_mosaic_09cm_{tile}.tif" for tile in spec.splits["train"]]
    eroded_labels = [name.replace(".tif", "_noBoundary.tif") for name in top]
    ndsm = [f"dsm_09cm_matching_{tile}_normalized.jpg" for tile in spec.tiles]
    archives = {
        "ISPRS_semantic_labeling_Vaihingen.zip": images_of_all + labels_of_training,
        "ISPRS_semantic_labeling_Vaihingen_ground_truth_COMPLETE.zip": top,
        "ISPRS_semantic_labeling_Vaihingen_ground_truth_eroded_COMPLETE.zip": eroded_labels,
        "Normalized_DSM.zip": ndsm,
    }
    for name, files in archives.items():
        write_zip(tmp_path / folder / name, dict.fromkeys(files, b""))
    dataset = Dataset("vaihingen", spec, tmp_path)
    assert dataset.missing() == []
    marks = {layer: dataset.provided[dataset.files(layer, "area2")[0]].name for layer in PREPARED_LAYERS}
    images, labels, eroded, heights = (f"{name}.json" for name in archives)
    assert marks == {"image": images, "labels": labels, "eroded": eroded, "height": heights}
    assert dataset.provided[dataset.files("labels", "area1")[0]].name == labels


@pytest.mark.parametrize("above", ["", "ImageryAndTrainingGT/"])
@pytest.mark.parametrize("spelling", [" ", "_", ""])
def test_the_contest_in_its_archive_however_its_folders_are_spelled(above: str, spelling: str, tmp_path: Path) -> None:
    spec = unhashed("dfc2018")
    lidar, images = (name.replace(" ", spelling) for name in ("Lidar GeoTiff Rasters", "Final RGB HR Imagery"))
    files = [file.format(lidar) for file in PHASE2]
    files += [f"{images}/{tile}.tif" for tile in spec.tiles]
    write_zip(tmp_path / "phase2.zip", {f"{above}2018IEEE_Contest/Phase2/{file}": b"" for file in files})
    before, after = (Dataset("dfc2018", spec, tmp_path) for _ in range(2))
    assert before.missing() == []
    paths = files_of(before)
    unpack_pending(before.archives)
    assert files_of(after) == paths
    assert all(file.exists() for file in paths)


def test_the_command_line_unpacks_before_it_checks(city: Dataset, tmp_path: Path) -> None:
    files = {path.relative_to(city.root).as_posix(): path.read_bytes() for path in city.root.rglob("*.tif")}
    write_zip(tmp_path / "root/city.zip", files)
    spec = city_of(tmp_path, {"file": "city.zip"}).spec
    (tmp_path / "city.yaml").write_text(yaml.safe_dump(spec.model_dump(mode="json")), encoding="utf-8")
    done = CliRunner().invoke(app, ["check", str(tmp_path / "city.yaml"), "--root", str(tmp_path / "root")])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "root/.unpacked/city.zip.json").exists()
