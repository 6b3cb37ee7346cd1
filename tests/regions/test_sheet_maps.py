"""Maps of a region by sheets: the same whatever the images, the sheets and the jobs are, and after interruptions."""

import copy
import logging
import os
import shutil
from collections.abc import Sequence
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine

from mtlaerial.errors import DataError
from mtlaerial.maps.cog_writer import CogWriter
from mtlaerial.prediction.predictor import Predictor
from mtlaerial.regions.index import index_sheets
from mtlaerial.regions.mapping_job import map_sheets
from mtlaerial.regions.planning import plan_region
from mtlaerial.regions.region import Region
from mtlaerial.regions.sheet_maps import SheetMapper
from mtlaerial.regions.sheets import EMPTY, jobs_of
from support import tiny

LAYERS = ("height", "semantics")


def mapped(
    predictor: Predictor, paths: Sequence[Path], folder: Path, side: int, sheets_per_job: int = 100
) -> dict[str, np.ndarray]:
    """Return the maps of a region, layer by layer, as its index shows them."""
    region = plan_region(paths, predictor.description, side)
    for sheets in jobs_of(region.sheets, sheets_per_job):
        assert SheetMapper(predictor, region, folder / "sheets").map(sheets) == []
    index_sheets(region, folder, "a run")
    return read(folder)


def read(folder: Path) -> dict[str, np.ndarray]:
    values = {}
    for layer in LAYERS:
        with rasterio.open(folder / f"{layer}.vrt") as source:
            values[layer] = source.read(1)
    return values


@pytest.fixture(scope="module")
def whole(predictor: Predictor, pixels: np.ndarray, place: dict, tmp_path_factory: pytest.TempPathFactory) -> dict:
    """Return the maps of the region from one image, as one sheet."""
    folder = tmp_path_factory.mktemp("whole")
    mosaic = tiny.write_raster(folder / "mosaic.tif", pixels, **place)
    return mapped(predictor, [mosaic], folder / "maps", side=512)


def assert_equal(maps: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> None:
    for layer in LAYERS:
        assert np.array_equal(maps[layer], expected[layer], equal_nan=layer == "height"), layer


def test_pixels_that_are_no_image_are_no_map(whole: dict) -> None:
    assert np.isnan(whole["height"][:20, :20]).all()
    assert np.isfinite(whole["height"][20:]).all()
    assert (whole["semantics"][:20, :20] == 255).all()


@pytest.mark.parametrize(("side", "sheets_per_job"), [(64, 100), (80, 1), (512, 3)])
def test_maps_do_not_depend_on_images_sheets_and_jobs(
    predictor: Predictor, images: list[Path], whole: dict, tmp_path: Path, side: int, sheets_per_job: int
) -> None:
    assert_equal(mapped(predictor, images, tmp_path, side, sheets_per_job), whole)


def test_overlapping_images_give_the_same_maps(
    predictor: Predictor, pixels: np.ndarray, place: dict, whole: dict, tmp_path: Path
) -> None:
    paths = []
    for index, (top, left) in enumerate([(0, 0), (0, 60), (60, 0), (60, 60)]):
        moved = {**place, "transform": place["transform"] @ Affine.translation(left, top)}
        part = pixels[:, top : top + 90, left : left + 90]
        paths.append(tiny.write_raster(tmp_path / f"{index}.tif", part, **moved))
    assert_equal(mapped(predictor, paths[::-1], tmp_path / "maps", side=64), whole)


def test_interrupted_work_goes_on_with_the_sheets_that_are_missing(
    predictor: Predictor, images: list[Path], whole: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    region = plan_region(images, predictor.description, 64)
    mapper = SheetMapper(predictor, region, tmp_path / "sheets")
    written = CogWriter.write
    calls = 0

    def interrupted(self: CogWriter, *block: object) -> None:
        nonlocal calls
        calls += 1
        if calls == 12:
            raise KeyboardInterrupt
        written(self, *block)

    monkeypatch.setattr(CogWriter, "write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        mapper.map(region.sheets)
    done = [sheet for sheet in region.sheets if mapper.is_mapped(sheet)]
    assert 0 < len(done) < len(region.sheets)
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "sheets").glob("*/*.tif")}
    assert mapper.map(region.sheets) == []
    assert all(
        path.stat().st_mtime_ns == time for path, time in times.items() if path.parent.name in {s.name for s in done}
    )
    index_sheets(region, tmp_path, "a run")
    assert_equal(read(tmp_path), whole)
    assert not list(tmp_path.rglob(".*"))


def test_a_damaged_image_costs_its_sheets_alone(
    predictor: Predictor, images: list[Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    copies = [Path(shutil.copy2(image, tmp_path)) for image in images]
    region = plan_region(copies, predictor.description, 36)
    copies[-1].unlink()
    with caplog.at_level(logging.ERROR):
        failures = SheetMapper(predictor, region, tmp_path / "sheets").map(region.sheets)
    failed = {failure.sheet for failure in failures}
    assert failed == {sheet for sheet in region.sheets if min(sheet) >= 1}, "those whose windows see the image"
    assert all(str(copies[-1]) in failure.reason for failure in failures)
    assert "sheet r0004_c0004: " in caplog.text


def test_damaged_pixels_are_told_of_their_image(
    predictor: Predictor, pixels: np.ndarray, place: dict, tmp_path: Path
) -> None:
    image = tiny.write_raster(tmp_path / "damaged.tif", pixels, **place, compress="deflate")
    region = plan_region([image], predictor.description, 512)
    content = image.read_bytes()
    image.write_bytes(content[: len(content) // 2] + b"\xff" * 2000 + content[len(content) // 2 + 2000 :])
    os.utime(image, ns=(image.stat().st_atime_ns, region.images[0].modified))
    (failure,) = SheetMapper(predictor, region, tmp_path / "sheets").map(region.sheets)
    assert failure.reason.startswith(f"{image}: ")


def test_a_sheet_is_mapped_anew_when_its_image_changes_and_others_are_not(
    predictor: Predictor, images: list[Path], tmp_path: Path
) -> None:
    copies = [Path(shutil.copy2(image, tmp_path)) for image in images]
    region = plan_region(copies, predictor.description, 36)
    SheetMapper(predictor, region, tmp_path / "sheets").map(region.sheets)
    with rasterio.open(copies[-1], "r+") as image:
        image.write(255 - image.read())
    region = plan_region(copies, predictor.description, 36)
    mapper = SheetMapper(predictor, region, tmp_path / "sheets")
    assert {sheet for sheet in region.sheets if not mapper.is_mapped(sheet)} == {
        sheet for sheet in region.sheets if min(sheet) >= 1
    }


def test_a_sheet_without_image_has_no_maps_and_is_done(predictor: Predictor, place: dict, tmp_path: Path) -> None:
    pixels = np.full((3, 60, 60), 100, np.uint8)
    pixels[:, :, 30:] = 0
    image = tiny.write_raster(tmp_path / "half.tif", pixels, **place)
    region = plan_region([image], predictor.description, 30)
    mapper = SheetMapper(predictor, region, tmp_path / "sheets")
    assert mapper.map(region.sheets) == []
    assert [path.name for path in (tmp_path / "sheets/r0000_c0001").iterdir()] == [EMPTY]
    assert all(mapper.is_mapped(sheet) for sheet in region.sheets)
    assert index_sheets(region, tmp_path, "a run") == 2


def test_a_sheet_without_image_for_one_run_is_mapped_by_another(
    predictor: Predictor, place: dict, tmp_path: Path
) -> None:
    untagged = {key: value for key, value in place.items() if key != "nodata"}
    image = tiny.write_raster(tmp_path / "image.tif", np.full((3, 30, 30), 100, np.uint8), **untagged)
    region, strict = plan_region([image], predictor.description, 30), copy.copy(predictor)
    statistics = predictor.description.statistics.model_copy(update={"nodata": 100.0})
    strict.description = predictor.description.model_copy(update={"statistics": statistics})
    emptying, mapper = (SheetMapper(each, region, tmp_path / "sheets") for each in (strict, predictor))
    assert emptying.map(region.sheets) == []
    assert all(emptying.is_empty(sheet) for sheet in region.sheets)
    other = copy.copy(strict)
    other.description = strict.description.model_copy(update={"sha256": "another"})
    assert not any(SheetMapper(other, region, tmp_path / "sheets").is_mapped(sheet) for sheet in region.sheets)
    assert not any(mapper.is_mapped(sheet) for sheet in region.sheets)
    assert mapper.map(region.sheets) == []
    assert index_sheets(region, tmp_path, "a run") == len(region.sheets)


def test_a_region_is_read_as_it_was_written(predictor: Predictor, images: list[Path], tmp_path: Path) -> None:
    region = plan_region(images, predictor.description, 64)
    region.save(tmp_path / "region.json")
    assert Region.load(tmp_path / "region.json") == region
    (tmp_path / "region.json").write_text("{}")
    with pytest.raises(DataError, match=r"region\.json: found no region"):
        Region.load(tmp_path / "region.json")


@pytest.mark.parametrize(
    ("name", "share"),
    [
        *product(("height.tif", "semantics.tif", "stac_item.json"), (None, 0, 0.9)),
        *product(("height.qml", "semantics.qml"), (0, 0.9)),
    ],
)
def test_sheets_that_a_power_cut_left_incomplete_are_named_and_mapped_again(
    predictor: Predictor, images: list[Path], tmp_path: Path, name: str, share: float | None
) -> None:
    region = plan_region(images[:1], predictor.description, 512)
    record = tmp_path / "jobs/0.json"
    map_sheets(predictor, region, region.sheets, record)
    file = tmp_path / f"sheets/r0000_c0000/{name}"
    content = file.read_bytes()
    file.write_bytes(content[: int(len(content) * (share or 0))])
    if share is None:
        file.unlink()
    with pytest.raises(DataError, match="found 1 sheets whose maps are missing or incomplete, such as r0000_c0000"):
        index_sheets(region, tmp_path, "a run")
    assert not record.exists(), "the workflow runs the job again"
    map_sheets(predictor, region, region.sheets, record)
    assert file.read_bytes() == content
    assert index_sheets(region, tmp_path, "a run") == 1


def test_a_style_that_a_user_edited_or_removed_is_no_fault(
    predictor: Predictor, images: list[Path], tmp_path: Path
) -> None:
    region = plan_region(images[:1], predictor.description, 512)
    map_sheets(predictor, region, region.sheets, tmp_path / "jobs/0.json")
    sheet = tmp_path / "sheets/r0000_c0000"
    (sheet / "height.qml").write_text("<!DOCTYPE qgis>\n<qgis>mine</qgis>\n")
    (sheet / "semantics.qml").unlink()
    assert index_sheets(region, tmp_path, "a run") == 1
