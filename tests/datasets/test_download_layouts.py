"""Downloads of the public data sets as people have them: taken where harmless, else named in the message."""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from mtlaerial.config import PREPARED_LAYERS, DatasetSpec, Layer, Task, load_dataset
from mtlaerial.datasets.archives import unpack_pending
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.errors import DataError
from mtlaerial.pipeline.missing_files import missing_text
from support import tiny
from support.tiny import write_zip

PHASE2 = "2018IEEE_Contest/Phase2"
DSM, DTM = "Lidar GeoTiff Rasters/DSM_C12/UH17c_GEF051.tif", "Lidar GeoTiff Rasters/DEM_C123_TLI/UH17_GEG05.tif"
COMPLETE = "ISPRS_semantic_labeling_Vaihingen_ground_truth_COMPLETE"
MAIN = "ISPRS_semantic_labeling_Vaihingen"
LAYERS: dict[Task, Layer] = {"semantics": "labels", "height": "height"}
BOTH: frozenset[Task] = frozenset(LAYERS)
HEIGHT: frozenset[Task] = frozenset({"height"})


def spec_of(name: str) -> DatasetSpec:
    """Return a shipped specification with few tiles, whose archives may be any."""
    spec = load_dataset(tiny.CONFIG / "datasets" / f"{name}.yaml")
    archives = tuple(archive.model_copy(update={"md5": None}) for archive in spec.archives)
    splits = {"train": spec.splits["train"][:2], "test": spec.splits["test"][:1]}
    return spec.model_copy(update={"archives": archives, "splits": splits})


SPECS = {name: spec_of(name) for name in ("dfc2018", "vaihingen")}

TRAINING = SPECS["vaihingen"].splits["train"]


def files_of(name: str) -> list[str]:
    """Return the files of a data set where its specification expects them first."""
    spec = SPECS[name]
    if name == "dfc2018":
        images = [f"{PHASE2}/Final RGB HR Imagery/{tile}.tif" for tile in spec.tiles]
        truth = [f"{PHASE2}/{DSM}", f"{PHASE2}/{DTM}", f"{PHASE2}/TrainingGT/2018_IEEE_GRSS_DFC_GT_TR.tif"]
        return [*images, *truth, "TestingGT/Test_Labels.tif"]
    patterns = ("top/top_mosaic_09cm_{}.tif", "gts/top_mosaic_09cm_{}.tif", "nDSM/dsm_09cm_matching_{}_normalized.jpg")
    eroded = [f"gts_eroded/top_mosaic_09cm_{tile}_noBoundary.tif" for tile in spec.splits["test"]]
    return [*(pattern.format(tile) for pattern in patterns for tile in spec.tiles), *eroded]


@dataclass(frozen=True)
class Layout:
    """A download: its differences from the specification, and what becomes of it.

    Attributes
    ----------
    dataset : str
    moves : dict of str to str
        Replacements in the paths of its files, by regular expressions; ``ARCHIVE.zip!PATH`` is a path in an archive,
        and the word ``nowhere`` takes a file out.
    outcome : frozenset or tuple
        The tasks that can be scored if the data set is complete, else words of the message.
    more : tuple of str
        More files.
    """

    dataset: str
    moves: dict[str, str]
    outcome: frozenset[Task] | tuple[str, ...] = BOTH
    more: tuple[str, ...] = ()


LAYOUTS = {
    "dfc: as expected": Layout("dfc2018", {}),
    "dfc: folders with underscores": Layout("dfc2018", {"Lidar GeoTiff Rasters": "Lidar_GeoTiff_Rasters"}),
    "dfc: folders without spaces": Layout("dfc2018", {" ": ""}),
    "dfc: folders in small letters": Layout(
        "dfc2018", {"Final RGB HR Imagery": "final rgb hr imagery", "Phase2": "phase2"}
    ),
    "dfc: endings in capitals": Layout("dfc2018", {r"\.tif$": ".TIF"}),
    "dfc: the root is the contest's folder": Layout("dfc2018", {"^2018IEEE_Contest/": ""}),
    "dfc: the root is phase 2": Layout("dfc2018", {f"^{PHASE2}/": ""}),
    "dfc: the contest one folder deeper": Layout("dfc2018", {"^2018IEEE": "DFC 2018/2018IEEE"}),
    "dfc: the contest two folders deeper": Layout("dfc2018", {"^2018IEEE": "downloads/DFC 2018/2018IEEE"}),
    "dfc: the contest in a folder of its name": Layout("dfc2018", {"^": "2018IEEE_Contest/"}),
    "dfc: all one folder deeper": Layout("dfc2018", {"^": "data/"}),
    "dfc: all three folders deeper": Layout(
        "dfc2018", {"^": "a/b/c/"}, ("11 required files", "as the data set's folder (--root, or root)", "a/b/c")
    ),
    "dfc: unpacked in a folder of the archive's name": Layout("dfc2018", {"^2018IEEE": "phase2/2018IEEE"}),
    "dfc: images in an inner folder": Layout("dfc2018", {"Imagery/": "Imagery/tiles/"}),
    "dfc: surface and ground without their folders": Layout(
        "dfc2018", {"DSM_C12/": "", "DEM_C123_TLI/": ""}, ("height: 6 missing", "one of that name is", "Move it to")
    ),
    "dfc: later downloads": Layout("dfc2018", {"^2018IEEE": "ImageryAndTrainingGT/2018IEEE"}),
    "dfc: the archive": Layout("dfc2018", {"^2018IEEE": "phase2.zip!2018IEEE"}),
    "dfc: the archive in the folder archives": Layout("dfc2018", {"^2018IEEE": "archives/phase2.zip!2018IEEE"}),
    "dfc: the archive beside what was unpacked": Layout("dfc2018", {}, more=("phase2.zip!readme.txt",)),
    "dfc: an archive with one folder more": Layout("dfc2018", {"^2018IEEE": "phase2.zip!DFC/2018IEEE"}),
    "dfc: an archive of another name": Layout(
        "dfc2018",
        {"^2018IEEE": "2018_DFC_download.zip!2018IEEE"},
        ("11 required", "2018_DFC_download.zip holds 11 of the 11 missing files: rename it to phase2.zip."),
    ),
    "dfc: an archive of a name in capitals": Layout(
        "dfc2018", {"^2018IEEE": "PHASE2.ZIP!2018IEEE"}, ("PHASE2.ZIP holds 11 of the 11", "rename it to phase2.zip.")
    ),
    "dfc: an archive of another name, elsewhere": Layout(
        "dfc2018", {"^2018IEEE": "zips/all.zip!in/2018IEEE"}, ("all.zip holds 11 of the 11 missing files: move it to",)
    ),
    "dfc: an archive in an archive": Layout(
        "dfc2018",
        {"^2018IEEE.*": "nowhere"},
        ("phase2.zip holds archives: unpack it, and put 2018IEEE_Contest.zip into",),
        ("phase2.zip!2018IEEE_Contest.zip",),
    ),
    "dfc: with what macOS adds": Layout(
        "dfc2018",
        {"^2018IEEE": "phase2.zip!2018IEEE"},
        more=(f"phase2.zip!__MACOSX/{PHASE2}/Final RGB HR Imagery/._UH_NAD83_272056_3289689.tif", ".DS_Store"),
    ),
    "dfc: unpacked with what macOS adds": Layout(
        "dfc2018",
        {"^2018IEEE": "in/2018IEEE"},
        more=(f"__MACOSX/{PHASE2}/Final RGB HR Imagery/UH_NAD83_272056_3289689.tif",),
    ),
    "dfc: test labels in the root": Layout("dfc2018", {"TestingGT/": ""}),
    "dfc: test labels in phase 2": Layout("dfc2018", {"TestingGT": f"{PHASE2}/TestingGT"}),
    "dfc: test labels in a folder of the contest": Layout("dfc2018", {"TestingGT": f"TestingGT/{PHASE2}/TestingGT"}),
    "dfc: test labels in an archive": Layout("dfc2018", {"TestingGT": "TestingGT.zip!TestingGT"}, HEIGHT),
    "dfc: no test labels": Layout("dfc2018", {"TestingGT.*": "nowhere"}, HEIGHT),
    "dfc: a copy in two folders": Layout(
        "dfc2018",
        {"^2018IEEE": "first/2018IEEE"},
        ("in first/2018IEEE_Contest/Phase2/Final RGB HR Imagery and in second/", "Move one of them away"),
        tuple(f"second/{path}" for path in files_of("dfc2018")[:2]),
    ),
    "dfc: two spellings of a folder": Layout(
        "dfc2018",
        {"Final RGB HR Imagery/UH_NAD83_27": "Final_RGB_HR_Imagery/UH_NAD83_27"},
        ("found the folders FinalRGBHRImagery and Final_RGB_HR_Imagery", "Move one of them away"),
        (f"{PHASE2}/FinalRGBHRImagery/UH_NAD83_272056_3289689.tif",),
    ),
    "vaihingen: as expected": Layout("vaihingen", {}),
    "vaihingen: without _normalized": Layout("vaihingen", {"_normalized": ""}),
    "vaihingen: endings in capitals": Layout("vaihingen", {r"\.tif$": ".TIF", r"\.jpg$": ".JPG"}),
    "vaihingen: file names in capitals": Layout(
        "vaihingen",
        {"top/top_mosaic": "top/TOP_Mosaic"},
        ("image: 3 missing", "For 3 of them, one of that name", "the name expected: upper and lower case differ."),
    ),
    "vaihingen: heights as TIFF": Layout("vaihingen", {r"\.jpg$": ".tif"}),
    "vaihingen: heights in an inner folder": Layout("vaihingen", {"nDSM/": "nDSM/Normalized_DSM/"}),
    "vaihingen: heights in a folder of another name": Layout(
        "vaihingen", {"nDSM/": "heights/"}, ("height: 3 missing", "one of that name is", "Move it to where it is")
    ),
    "vaihingen: heights as TIFF in another folder": Layout(
        "vaihingen",
        {"nDSM/": "heights/", r"_normalized\.jpg$": ".tif"},
        ("height: 3 missing", "heights/dsm_09cm_matching_area1.tif", "Move it to where it is expected"),
    ),
    "vaihingen: no heights": Layout(
        "vaihingen", {"nDSM/.*": "nowhere"}, ("height: 3 missing", "Heights above ground are not in the archives")
    ),
    "vaihingen: an archive of heights without ending": Layout(
        "vaihingen",
        {"nDSM/": "Normalized_DSM!"},
        ("Normalized_DSM holds 3 of the 3 missing files: rename it to Normalized_DSM.zip.",),
    ),
    "vaihingen: an archive of heights with a folder": Layout("vaihingen", {"nDSM/": "Normalized_DSM.zip!nDSM/"}),
    "vaihingen: unpacked in a folder of its own": Layout("vaihingen", {"^(top|gts)/": rf"{MAIN}/\1/"}),
    "vaihingen: one folder deeper": Layout("vaihingen", {"^(top|gts)/": rf"{MAIN}/{MAIN}/\1/"}),
    "vaihingen: labels of all areas in the root": Layout("vaihingen", {"gts/": ""}),
    "vaihingen: labels in a folder of the archive's name": Layout("vaihingen", {"gts/": f"{COMPLETE}/"}),
    "vaihingen: labels in an inner folder": Layout("vaihingen", {"gts/": f"gts/{COMPLETE}/"}),
    "vaihingen: the archive of labels": Layout("vaihingen", {"gts/": f"{COMPLETE}.zip!"}),
    "vaihingen: the archive of labels, renamed": Layout(
        "vaihingen",
        {"gts/": "labels.zip!"},
        (f"labels.zip holds 2 of the 2 missing files: rename it to {COMPLETE}.zip.",),
    ),
    "vaihingen: labels of the training areas alone": Layout(
        "vaihingen",
        {rf"gts/(.*({'|'.join(TRAINING)})\.)": r"gts_for_participants/\1", "^gts/.*": "nowhere"},
        HEIGHT,
    ),
    "vaihingen: eroded labels alone": Layout("vaihingen", {"gts/.*": "nowhere"}, ("labels: 2 missing", "COMPLETE.zip")),
    "vaihingen: eroded labels beside the others": Layout("vaihingen", {"gts_eroded/": "gts/"}),
    "vaihingen: images of the same names are no labels": Layout(
        "vaihingen", {"gts/.*": "nowhere", "top/": f"{MAIN}/top/"}, ("labels: 2 missing",)
    ),
}  # fmt: skip


def lay_out(layout: Layout, root: Path) -> Dataset:
    """Write a download's files and archives, all empty."""
    archives: dict[str, list[str]] = {}
    root.mkdir(exist_ok=True)
    for path in [*files_of(layout.dataset), *(f"={path}" for path in layout.more)]:
        moved = path.removeprefix("=") if path.startswith("=") else _moved(path, layout.moves)
        archive, _, member = moved.rpartition("!")
        if archive:
            archives.setdefault(archive, []).append(member)
        elif moved != "nowhere":
            (root / moved).parent.mkdir(parents=True, exist_ok=True)
            (root / moved).touch()
    for archive, members in archives.items():
        write_zip(root / archive, dict.fromkeys(members, b""))
    return Dataset(layout.dataset, SPECS[layout.dataset], root)


def _moved(path: str, moves: dict[str, str]) -> str:
    for pattern, replacement in moves.items():
        path = re.sub(pattern, replacement, path)
    return path


def message(dataset: Dataset) -> str:
    """Return what the workflow says of missing or ambiguous files; empty for a complete data set."""
    try:
        gaps = dataset.missing()
    except DataError as error:
        return str(error)
    return missing_text(dataset, gaps) if gaps else ""


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_download_is_taken_or_its_fault_is_named(name: str, tmp_path: Path) -> None:
    layout = LAYOUTS[name]
    dataset = lay_out(layout, tmp_path / "data")
    text = message(dataset)
    if isinstance(layout.outcome, tuple):
        assert text
        for words in layout.outcome:
            assert words in text, text
        return
    assert text == ""
    assert scored(dataset) == layout.outcome
    paths = paths_of(dataset)
    unpack_pending(dataset.archives)
    unpacked = Dataset(dataset.name, dataset.spec, dataset.root)
    assert message(unpacked) == ""
    assert paths_of(unpacked) == paths
    assert all(path.exists() for path in paths)


def paths_of(dataset: Dataset) -> list[Path]:
    return [path for tile in dataset.spec.tiles for layer in PREPARED_LAYERS for path in dataset.files(layer, tile)]


def scored(dataset: Dataset) -> set[Task]:
    """Return the tasks with truth in the test tiles."""
    tiles = dataset.spec.splits["test"]
    return {task for task, layer in LAYERS.items() if any(dataset.files(layer, tile) for tile in tiles)}


@pytest.mark.parametrize("link", ["data", "data/2018IEEE_Contest", f"data/{PHASE2}/Lidar GeoTiff Rasters", "data/in"])
def test_a_download_may_lie_behind_links(link: str, tmp_path: Path) -> None:
    moves = {"^2018IEEE": "in/2018IEEE"} if link == "data/in" else {}
    dataset = lay_out(Layout("dfc2018", moves), tmp_path / "data")
    (tmp_path / link).rename(tmp_path / "elsewhere")
    (tmp_path / link).symlink_to(tmp_path / "elsewhere")
    assert message(dataset) == ""
    assert scored(dataset) == BOTH


def test_links_in_a_circle_end_the_search(tmp_path: Path) -> None:
    dataset = lay_out(LAYOUTS["vaihingen: no heights"], tmp_path / "data")
    (tmp_path / "data/top/again").symlink_to(tmp_path / "data")
    assert "height: 3 missing" in message(dataset)


def test_nothing_is_written_below_the_root_of_an_unpacked_download(tmp_path: Path) -> None:
    dataset = lay_out(LAYOUTS["dfc: the contest one folder deeper"], tmp_path / "data")
    before = sorted(dataset.root.rglob("*"))
    assert message(dataset) == ""
    unpack_pending(dataset.archives)
    assert sorted(dataset.root.rglob("*")) == before


def test_a_copy_elsewhere_does_not_stand_for_a_disk_that_is_not_mounted(tmp_path: Path) -> None:
    dataset = lay_out(Layout("vaihingen", {"nDSM/": "old/nDSM/"}), tmp_path / "data")
    assert message(dataset) == ""
    (tmp_path / "data/nDSM").symlink_to(tmp_path / "disk")
    assert "height: 3 missing" in message(Dataset(dataset.name, dataset.spec, dataset.root))
