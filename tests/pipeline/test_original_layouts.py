"""Layouts of the original's data sets as downloaded or copied, and messages on missing files."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from mtlaerial.config import IGNORED, DatasetSpec, load_dataset
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.datasets.check import Finding, check_dataset, check_tile
from mtlaerial.pipeline.project import Project
from mtlaerial.rasters.geotiff import open_raster
from mtlaerial.reporting.tables import build_documents
from mtlaerial.reporting.tables.render import markdown
from mtlaerial.synthetic.generate import synthesise
from mtlaerial.tiles.prepare import ABSENT, prepare_tile
from support import tiny
from support.whole_way import trained_and_scored

HOUSTON = [f"UH_NAD83_{500_000 + 16 * column}_{5_400_000 - 16 * (row + 1)}" for row in range(2) for column in range(2)]
"""Names of four tiles of 16 m, where the generated town has them."""
PHASE2 = Path("2018IEEE_Contest") / "Phase2"
TEST_LABELS = PHASE2 / "TestingGT" / "Test_Labels.tif"
IMAGES = PHASE2 / "Final RGB HR Imagery"
LIDAR = PHASE2 / "Lidar GeoTiff Rasters"


def spec_of(name: str, train: list[str], test: list[str]) -> DatasetSpec:
    spec = load_dataset(tiny.CONFIG / "datasets" / f"{name}.yaml")
    return spec.model_copy(update={"splits": {"train": tuple(train), "test": tuple(test)}})


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Dataset]:
    """Return both data sets, generated; not to be written to."""
    root = tmp_path_factory.mktemp("made")
    houston = Dataset("dfc2018", spec_of("dfc2018", HOUSTON[:2], HOUSTON[2:]), root / "dfc2018")
    vaihingen = Dataset("vaihingen", spec_of("vaihingen", ["area1", "area3"], ["area2", "area4"]), root / "vaihingen")
    synthesise(houston, seed=1, size=320, ground_truth_gsd={"height": 0.5, "labels": 0.5})
    assert vaihingen.spec.labels
    whole = vaihingen.spec.model_copy(update={"labels": vaihingen.spec.labels.model_copy(update={"eroded": None})})
    synthesise(Dataset("vaihingen", whole, vaihingen.root), seed=1, size=192)
    return {"dfc2018": houston, "vaihingen": vaihingen}


def copy_of(dataset: Dataset, root: Path) -> Dataset:
    shutil.copytree(dataset.root, root)
    return Dataset(dataset.name, dataset.spec, root)


@pytest.fixture
def houston(generated: dict[str, Dataset], tmp_path: Path) -> Dataset:
    return copy_of(generated["dfc2018"], tmp_path / "data")


@pytest.fixture
def vaihingen(generated: dict[str, Dataset], tmp_path: Path) -> Dataset:
    return copy_of(generated["vaihingen"], tmp_path / "data")


def findings(dataset: Dataset, *tiles: str) -> list[Finding]:
    return [finding for tile in tiles or dataset.spec.tiles for finding in check_tile(dataset, tile).findings]


def assert_complete(dataset: Dataset) -> None:
    assert dataset.missing() == []
    report = check_dataset(dataset)
    assert all(tile.findings == () for tile in report.tiles)
    assert report.ok, report.splits  # warnings only: a town so small lacks classes


def assert_one(reported: list[Finding], level: str, where: Path, *words: str) -> None:
    text = "\n".join(map(str, reported))
    assert [(finding.level, finding.where) for finding in reported] == [(level, str(where))], text
    for word in words:
        assert word in str(reported[0])


def move(root: Path, source: str | Path, target: str | Path) -> None:
    (root / target).parent.mkdir(parents=True, exist_ok=True)
    shutil.move(root / source, root / target)


def missing_text(dataset: Dataset) -> str:
    """Return the project's message on files missing from a data set."""
    entry = {"spec": str(tiny.CONFIG / "datasets" / f"{dataset.name}.yaml"), "root": str(dataset.root)}
    return Project.of({
        "run": {"datasets": [dataset.name], "methods": ["both"], "seeds": [0]},
        "datasets": {dataset.name: entry},
        "models": {"net": tiny.MODEL},
        "methods": {"both": {"tasks": ["semantics", "height"], "model": "net"}},
    }).missing()  # fmt: skip


# DFC2018


MOVES: dict[str, dict[str | Path, str | Path]] = {
    "spaces": {},
    "no spaces": {LIDAR: PHASE2 / "LidarGeoTiffRasters", IMAGES: PHASE2 / "FinalRGBHRImagery"},
    "underscores": {LIDAR: PHASE2 / "Lidar_GeoTiff_Rasters", IMAGES: PHASE2 / "Final_RGB_HR_Imagery"},
    "Phase2 in the root": {PHASE2: "Phase2"},
    "test labels beside the contest": {TEST_LABELS: "TestingGT/Test_Labels.tif"},
    "test labels without their folder": {TEST_LABELS: "Test_Labels.tif"},
}


@pytest.mark.quick_cases(1, "generates a whole layout a case")
@pytest.mark.parametrize("layout", MOVES)
def test_houston_is_found(houston: Dataset, layout: str) -> None:
    for source, target in MOVES[layout].items():
        move(houston.root, source, target)
    assert_complete(houston)


@pytest.mark.parametrize("folder", ["2018IEEE_Contest", PHASE2])
def test_the_root_of_houston_may_be_a_folder_of_the_download(houston: Dataset, folder: str | Path) -> None:
    assert_complete(Dataset(houston.name, houston.spec, houston.root / folder))


def test_a_tile_of_houston_is_missing(houston: Dataset) -> None:
    path = houston.files("image", HOUSTON[2])[0]
    path.unlink()
    assert [(gap.layer, gap.tile, gap.looked_for[0]) for gap in houston.missing()] == [("image", HOUSTON[2], path)]
    assert_one(findings(houston), "error", path, "no file", "IEEE DataPort")


@pytest.mark.parametrize("index", [0, 1])
def test_a_lidar_raster_is_truncated(houston: Dataset, index: int) -> None:
    path = houston.files("height", HOUSTON[0])[index]
    path.write_bytes(path.read_bytes()[:-200])
    errors = [finding for finding in findings(houston) if finding.level == "error"]
    assert {finding.where for finding in errors} == {str(path)}
    assert all("truncated or damaged" in str(finding) for finding in errors)
    assert max(len(check_tile(houston, tile).findings) for tile in HOUSTON) == 1


@pytest.mark.full("generates a whole layout")
def test_the_test_raster_has_the_whole_grid_and_is_read_for_test_tiles_alone(houston: Dataset, tmp_path: Path) -> None:
    with open_raster(houston.root / TEST_LABELS) as source:
        south = source.read(1)[-32:]
    whole = np.concatenate([np.zeros_like(south), south])
    tiny.write_raster(houston.root / TEST_LABELS, whole, 0.5, 500_000, 5_400_000, houston.crs)
    assert_complete(houston)
    for tile in HOUSTON:
        prepare_tile(houston, tile, tmp_path / tile)
        with open_raster(tmp_path / tile / "labels.tif") as labels:
            assert labels.shape == (32, 32)
            assert np.mean(labels.read(1) != IGNORED) > 0.9


def test_a_tile_lies_where_its_name_says(houston: Dataset) -> None:
    path, neighbour = (houston.files("image", tile)[0] for tile in HOUSTON[2:])
    path.rename(path.with_suffix(".swap"))
    neighbour.rename(path)
    path.with_suffix(".swap").rename(neighbour)
    assert_one(findings(houston, HOUSTON[2]), "error", path, "500016.00 5399968.00", "500000.00 5399968.00", "its name")


@pytest.mark.full("trains on a whole layout")
def test_without_test_labels_semantics_is_trained_and_not_scored(houston: Dataset, tmp_path: Path) -> None:
    path = houston.root / TEST_LABELS
    path.unlink()
    assert houston.missing() == []
    for tile in HOUSTON[2:]:
        words = ("semantics is neither trained nor scored there", "TestingGT/Test_Labels.tif beside 2018IEEE_Contest")
        assert_one(findings(houston, tile), "warning", path, *words)

    scores = trained_and_scored(houston, tmp_path)
    assert not scores.confusion().any()
    assert scores.height("all")["overall"][0] > 1900

    main = build_documents([scores])[0]
    cells = {
        frozenset((row[0].text, name)): cell.text
        for panel in main.panels
        for row in panel.rows
        for name, cell in zip(panel.header[1:], row[1:], strict=True)
    }
    for method in ("equal", "constant"):
        assert not {frozenset((method, name)) for name in ("OA (%)", "mIoU (%)")} & cells.keys()
        assert float(cells[frozenset((method, "MAE (m)"))]) > 0
    assert "No scores of semantics: the test tiles have no truth for it." in markdown(main)


# Vaihingen


@pytest.mark.quick_cases(1, "generates a whole layout a case")
@pytest.mark.parametrize("name", ["nDSM/{}_normalized.jpg", "nDSM/{}.jpg", "nDSM/{}.tif", "ndsm/{}_normalized.tif"])
def test_heights_of_vaihingen_are_found(vaihingen: Dataset, name: str) -> None:
    before = {tile: check_tile(vaihingen, tile).height for tile in vaihingen.spec.tiles}
    move(vaihingen.root, "nDSM", "original")
    for tile in vaihingen.spec.tiles:
        source = vaihingen.root / "original" / f"dsm_09cm_matching_{tile}_normalized.jpg"
        target = vaihingen.root / name.format(f"dsm_09cm_matching_{tile}")
        if target.suffix == ".jpg":
            move(vaihingen.root, source, target)
        else:
            with open_raster(source) as jpeg:
                tiny.write_raster(target, jpeg.read(), pixel=0)
    renamed = Dataset(vaihingen.name, vaihingen.spec, vaihingen.root)
    assert_complete(renamed)
    assert {tile: check_tile(renamed, tile).height for tile in renamed.spec.tiles} == before


COMPLETE = "ISPRS_semantic_labeling_Vaihingen_ground_truth_COMPLETE"


@pytest.mark.parametrize("folder", [".", "gts", COMPLETE, "gts_for_participants"])
def test_labels_of_vaihingen_are_found(vaihingen: Dataset, folder: str) -> None:
    for path in sorted((vaihingen.root / "gts").iterdir()):
        move(vaihingen.root, f"gts/{path.name}", f"{folder}/{path.name}")
    assert_complete(vaihingen)


def test_vaihingen_may_be_in_a_folder_of_its_archive(vaihingen: Dataset) -> None:
    for name in ("top", "gts", "nDSM"):
        move(vaihingen.root, name, f"ISPRS_semantic_labeling_Vaihingen/{name}")
    assert_complete(vaihingen)


def test_heights_of_vaihingen_are_missing(vaihingen: Dataset) -> None:
    shutil.rmtree(vaihingen.root / "nDSM")
    path = vaihingen.root / "nDSM" / "dsm_09cm_matching_area2_normalized.jpg"
    assert {gap.layer for gap in vaihingen.missing()} == {"height"}
    assert_one(findings(vaihingen, "area2"), "error", path, "no file", "M. Gerke", "nDSM/")
    text = missing_text(vaihingen)
    assert "height: 33 missing" in text
    assert text.count("M. Gerke") == 1


def test_only_the_participants_labels_are_there(vaihingen: Dataset) -> None:
    move(vaihingen.root, "gts", "gts_for_participants")
    for tile in ("area2", "area4"):
        (vaihingen.root / "gts_for_participants" / f"top_mosaic_09cm_{tile}.tif").unlink()
    assert vaihingen.missing() == []
    assert findings(vaihingen, "area1", "area3") == []
    where = vaihingen.root / "gts" / "top_mosaic_09cm_area2.tif"
    assert_one(findings(vaihingen, "area2"), "warning", where, "semantics is neither", f"{COMPLETE}.zip")
    shutil.rmtree(vaihingen.root / "gts_for_participants")
    assert {(gap.layer, gap.tile) for gap in vaihingen.missing()} == {("labels", "area1"), ("labels", "area3")}
    assert f"{COMPLETE}.zip" in missing_text(vaihingen)


def erode(dataset: Dataset, tile: str, target: Path, border: tuple[int, int, int] = (0, 0, 0)) -> None:
    """Write a tile's labels again, with a frame in the colour of borders."""
    with open_raster(dataset.files("labels", tile)[0]) as source:
        raw = source.read()
    for edge in (np.s_[:, :3], np.s_[:, -3:], np.s_[:, :, :3], np.s_[:, :, -3:]):
        raw[edge] = np.array(border, np.uint8)[:, None, None]
    tiny.write_raster(target, raw, pixel=0)


ERODED = "ISPRS_semantic_labeling_Vaihingen_ground_truth_eroded_COMPLETE"


@pytest.mark.parametrize("folder", [".", "gts", "gts_eroded", ERODED])
def test_eroded_labels_are_prepared_for_test_tiles_that_have_them(
    vaihingen: Dataset, tmp_path: Path, folder: str
) -> None:
    for tile in ("area1", "area2"):
        erode(vaihingen, tile, vaihingen.root / folder / f"top_mosaic_09cm_{tile}_noBoundary.tif")
    assert_complete(vaihingen)
    layers = {}
    for tile in ("area1", "area2", "area4"):
        prepare_tile(vaihingen, tile, tmp_path / tile)
        with open_raster(tmp_path / tile / "eroded.tif") as eroded, open_raster(tmp_path / tile / "labels.tif") as full:
            layers[tile] = eroded.read(1), full.read(1)
            absent = eroded.tags().get("MTLAERIAL") == ABSENT["MTLAERIAL"]
        assert absent == (tile != "area2")
    eroded, full = layers["area2"]
    np.testing.assert_array_equal(eroded[3:-3, 3:-3], full[3:-3, 3:-3])
    assert (np.delete(eroded, np.s_[3:-3], axis=0) == IGNORED).all()
    assert (full != IGNORED).all()
    assert [layers[tile][0].tolist() for tile in ("area1", "area4")] == [[[IGNORED]]] * 2


def test_eroded_labels_are_checked(vaihingen: Dataset) -> None:
    path = vaihingen.root / "gts" / "top_mosaic_09cm_area2_noBoundary.tif"
    erode(vaihingen, "area2", path, border=(1, 2, 3))
    assert_one(findings(vaihingen), "error", path, "unknown colours: (1, 2, 3)")
    tiny.write_raster(path, np.zeros((3, 191, 192), np.uint8), pixel=0)
    assert_one(findings(vaihingen), "error", path, "191 x 192 pixels", "192 x 192 pixels")
    path.write_bytes(b"404")
    assert_one(findings(vaihingen), "error", path, "a GeoTIFF")


def test_heights_that_are_a_pixel_short_are_refused(vaihingen: Dataset) -> None:
    path = vaihingen.files("height", "area2")[0]
    tiny.write_raster(path, np.zeros((1, 191, 192), np.uint8), pixel=0, driver="JPEG")
    assert_one(findings(vaihingen), "error", path, "191 x 192 pixels", "192 x 192 pixels", "resample the file")


def test_a_world_file_places_images_and_layers_without_one(vaihingen: Dataset, tmp_path: Path) -> None:
    for layer in ("image", "labels"):
        path = vaihingen.files(layer, "area2")[0]  # type: ignore[arg-type]  # a parameter is a string
        with open_raster(path) as source:
            pixels = source.read()
        tiny.write_raster(path, pixels, pixel=0)
    vaihingen.files("image", "area2")[0].with_suffix(".tfw").write_text("0.09\n0\n0\n-0.09\n496000.045\n5419000.0\n")
    assert_complete(vaihingen)
    prepare_tile(vaihingen, "area2", tmp_path / "area2")
    for layer in ("image", "height", "labels"):
        with open_raster(tmp_path / "area2" / f"{layer}.tif") as source:
            assert source.transform.c == pytest.approx(496_000)


def test_a_joint_training_on_vaihingen_is_scored_in_both_tasks(vaihingen: Dataset, tmp_path: Path) -> None:
    scores = trained_and_scored(vaihingen, tmp_path)
    assert scores.confusion().any()
    assert scores.height("all")["overall"][0] > 1900
