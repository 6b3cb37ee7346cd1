"""The plan of a region: kept as long as its section and its images are the same."""

import dataclasses
import os
import shutil
from pathlib import Path
from typing import Any, get_args

import geopandas as gpd
import numpy as np
import pytest
import rasterio.shutil
import shapely
from affine import Affine

from mtlaerial.config import Blend
from mtlaerial.config.mapping import MapSpec
from mtlaerial.errors import UserError
from mtlaerial.pipeline.region_plan import plan_of_dry_run, planned_region
from mtlaerial.pipeline.region_run import RegionRun
from mtlaerial.prediction.settings import prediction_for
from mtlaerial.regions.region import Region, file_version
from mtlaerial.runs.run import read_description
from support import tiny


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Return a folder of two images beside each other."""
    for index in range(2):
        transform = Affine(0.5, 0, 500000 + 30 * index, 0, -0.5, 5200000)
        values = np.full((3, 60, 60), 100, np.uint8)
        tiny.write_raster(tmp_path / f"images/{index}.tif", values, crs="EPSG:32631", transform=transform)
    return tmp_path / "images"


def section(run_folder: Path, images: Path, **changes: Any) -> MapSpec:
    return MapSpec.parse({"run": str(run_folder), "images": [str(images)], "sheet": 512, **changes}, "map")


def test_records_of_jobs_do_not_outlive_their_plan(run_folder: Path, images: Path, tmp_path: Path) -> None:
    # Snakemake takes a record for fresh when its plan is back, though jobs of the plan between mapped its sheets.
    spec, path = section(run_folder, images), tmp_path / "map/region.json"
    first = planned_region(spec, path)
    record = tmp_path / "map/jobs/0.json"
    record.parent.mkdir()

    def remains(spec: MapSpec) -> bool:
        record.write_text("{}")
        planned_region(spec, path)
        return record.exists()

    assert remains(spec)
    assert not remains(section(run_folder, images, sheets_per_job=1)), "jobs have other sheets"
    shutil.move(images / "1.tif", tmp_path / "1.tif")
    assert not remains(spec)
    shutil.move(tmp_path / "1.tif", images / "1.tif")
    assert not remains(spec)
    assert planned_region(spec, path).plan_id == first.plan_id


def test_a_dry_run_plans_beside_the_plan(run_folder: Path, images: Path, tmp_path: Path) -> None:
    path, folder = tmp_path / "map/region.json", tmp_path / "temporary"
    folder.mkdir()
    assert plan_of_dry_run(section(run_folder, images), path, folder) == folder / "region.json"
    assert not path.parent.exists()
    planned_region(section(run_folder, images), path)
    (path.parent / "jobs").mkdir()
    (path.parent / "jobs/0.json").write_text("{}")
    before = {file: (file.read_bytes(), file.stat().st_mtime_ns) for file in path.parent.rglob("*") if file.is_file()}
    assert plan_of_dry_run(section(run_folder, images), path, folder) == path
    changed = plan_of_dry_run(section(run_folder, images, sheet=1024), path, folder)
    assert changed != path
    assert Region.load(changed).side == 1024
    assert before == {
        file: (file.read_bytes(), file.stat().st_mtime_ns) for file in path.parent.rglob("*") if file.is_file()
    }


def test_a_damaged_plan_is_made_anew(run_folder: Path, images: Path, tmp_path: Path) -> None:
    path = tmp_path / "region.json"
    first = planned_region(section(run_folder, images), path)
    path.write_text('{"format": 0}')
    assert planned_region(section(run_folder, images), path).plan_id == first.plan_id


@pytest.mark.parametrize("kind", ["source of a VRT", "mask", "older file"])
def test_a_changed_file_of_an_image_is_planned_and_taken(
    run_folder: Path, images: Path, tmp_path: Path, kind: str
) -> None:
    source = tmp_path / "source.tif"
    shutil.move(images / "1.tif", source)
    rasterio.shutil.copy(source, images / "1.vrt", driver="VRT")
    paths = [str(images / name) for name in ("0.tif", "1.vrt")]
    spec = MapSpec.parse({"run": str(run_folder), "images": paths, "sheet": 512}, "map")
    path = tmp_path / "map/region.json"
    first = planned_region(spec, path)
    (images / "0.tif.ovr").write_bytes(source.read_bytes())
    assert planned_region(spec, path).plan_id == first.plan_id, "overviews decide no pixel"
    if kind == "mask":
        tiny.write_raster(images / "0.tif.msk", np.full((1, 60, 60), 255, np.uint8))
    elif kind == "older file":
        os.utime(source, (1e9, 1e9))
    else:
        source.write_bytes(source.read_bytes() + bytes(1))
    again = planned_region(spec, path)
    assert again.plan_id != first.plan_id
    assert planned_region(spec, path).plan_id == again.plan_id
    for image in Region.load(path).images:
        assert image.version == file_version(image.path)


def test_a_stated_device_and_number_of_threads_are_asked_of_the_workflow(run_folder: Path, images: Path) -> None:
    trained = RegionRun.of(section(run_folder, images))
    assert (trained.uses_gpu, trained.threads) == (tiny.TRAINING["accelerator"] != "cpu", tiny.TRAINING["threads"])
    for device in ("cpu", "cuda"):
        stated = RegionRun.of(section(run_folder, images, prediction={"device": device, "threads": 3}))
        assert (stated.uses_gpu, stated.threads) == (device == "cuda", 3)


def test_another_blend_brings_the_windows_that_predict_has(run_folder: Path, images: Path) -> None:
    def windows(**prediction: Any) -> tuple[str, int, int]:
        spec = RegionRun.of(section(run_folder, images, prediction=prediction)).prediction
        return spec.blend, spec.window, spec.stride

    scored = read_description(run_folder).plan.prediction
    for blend in get_args(Blend):
        of_command = prediction_for(run_folder, blend=blend)
        assert windows(blend=blend) == (of_command.blend, of_command.window, of_command.stride)
    assert windows(blend="even") != ("even", scored.window, scored.stride)
    assert windows() == (scored.blend, scored.window, scored.stride)
    assert windows(blend="even", window=512, stride=384) == ("even", 512, 384)
    with pytest.raises(UserError, match=r"map\.prediction, key blend: found 'evn'"):
        windows(blend="evn")


def test_corrected_description_is_another_identity(run_folder: Path, images: Path) -> None:
    run = RegionRun.of(section(run_folder, images))
    statistics = run.description.statistics
    first, *others = statistics.classes
    for changes in ({"name": "corrected"}, {"colour": (1, 2, 3)}):
        classes = (first.model_copy(update=changes), *others)
        corrected = statistics.model_copy(update={"classes": classes})
        description = run.description.model_copy(update={"statistics": corrected})
        assert dataclasses.replace(run, description=description).identity != run.identity
    for changed in ({"title": "Corrected"}, {"nodata": 7.0}):
        other = run.description.model_copy(update={"statistics": statistics.model_copy(update=changed)})
        assert dataclasses.replace(run, description=other).identity != run.identity
    assert RegionRun.of(section(run_folder, images)).identity == run.identity


def test_images_of_one_name_in_two_folders_have_their_places(run_folder: Path, images: Path, tmp_path: Path) -> None:
    # Their maps have no folders of their own, unlike those of single images.
    other = Path(shutil.move(images / "1.tif", tmp_path / "0.tif"))
    spec = section(run_folder, images).model_copy(update={"images": (str(images), str(other))})
    planned_region(spec, tmp_path / "region.json")
    assert [image.span.column for image in Region.load(tmp_path / "region.json").images] == [0, 60]


def polygons(path: Path, count: int = 1) -> Path:
    shapes = [shapely.box(500000 + 5 * index, 5199980, 500004 + 5 * index, 5199990) for index in range(count)]
    gpd.GeoDataFrame(geometry=shapes, crs="EPSG:32631").to_file(path)
    return path


def test_a_corrected_crs_of_the_area_is_another_plan(run_folder: Path, images: Path, tmp_path: Path) -> None:
    spec = section(run_folder, images, area=str(polygons(tmp_path / "area.shp")))
    first = planned_region(spec, tmp_path / "region.json")
    assert planned_region(spec, tmp_path / "region.json").plan_id == first.plan_id
    os.utime(tmp_path / "area.prj", (0, 1_000_000_000))
    assert planned_region(spec, tmp_path / "region.json").plan_id != first.plan_id


def test_polygons_and_objects_change_no_plan(run_folder: Path, images: Path, tmp_path: Path) -> None:
    path = tmp_path / "region.json"
    first = planned_region(section(run_folder, images), path)
    more = section(run_folder, images, objects={}, polygons=str(polygons(tmp_path / "a.gpkg")))
    assert planned_region(more, path).plan_id == first.plan_id


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"objects": {"classes": ["castle"]}}, r"map\.objects\.classes: found castle; expected classes of the run: "),
        ({"polygons": "absent.gpkg"}, r"absent\.gpkg: found no such file"),
    ],
)
def test_what_cannot_be_made_of_the_maps_is_refused_before_a_sheet_is_mapped(
    run_folder: Path, images: Path, tmp_path: Path, keys: dict[str, Any], message: str
) -> None:
    path = tmp_path / "region.json"
    with pytest.raises(UserError, match=message):
        planned_region(section(run_folder, images, **keys), path)
    assert not path.exists()
    planned_region(section(run_folder, images), path)
    with pytest.raises(UserError, match=message):
        planned_region(section(run_folder, images, **keys), path)
