"""The target ``map``: a region by sheets, in jobs that go on where they were ended."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest
import rasterio
import shapely

from support.workplace import Workplace

pytestmark = pytest.mark.workflow
MAP: dict[str, Any] = {
    "run": "results/town/runs/equal/seed0",
    "images": ["datasets/town/images"],
    "sheet": 512,
    "sheets_per_job": 1,
    "prediction": {"blend": "even", "window": 64, "stride": 48},
}


def planned(place: Workplace, **changes: Any) -> list[str]:
    return [step for step in place.planned({"map": {**MAP, **changes}}, ["map"]) if step.startswith("Mapping")]


@pytest.mark.full("maps by Snakemake, beside a finished workflow")
def test_a_region_is_mapped_and_only_what_changed_is_mapped_again(finished: Workplace, tmp_path: Path) -> None:
    place = finished.copy(tmp_path / "place")
    jobs = planned(place)
    assert jobs
    done = place.run("map", config={"map": MAP})
    assert done.returncode == 0, done.stdout
    folder = place.folder / "results/map"
    with rasterio.open(folder / "height.vrt") as heights, rasterio.open(folder / "semantics.vrt") as classes:
        assert heights.shape == classes.shape
        assert heights.read(1, masked=True).count() == classes.read(1, masked=True).count() > 0
        assert heights.units == ("metre",)
    assert len(json.loads((folder / "collection.json").read_text())["links"]) > 1
    assert planned(place) == []
    before = {file: file.stat().st_mtime_ns for file in folder.rglob("*")}
    assert planned(place, sheet=2 * MAP["sheet"])  # a dry run changes nothing
    assert before == {file: file.stat().st_mtime_ns for file in folder.rglob("*")}
    add_polygons(place)
    # An image that is damaged after the plan: its sheets fail, and are named.
    image = compressed(next((place.folder / "datasets/town/images").glob("*.tif")))
    assert place.run("map", config={"map": MAP}).returncode == 0
    before, times = image.read_bytes(), image.stat()
    image.write_bytes(before[: len(before) // 2] + bytes(500) + before[len(before) // 2 + 500 :])
    os.utime(image, ns=(times.st_atime_ns, times.st_mtime_ns))
    shutil.rmtree(folder / "sheets")
    shutil.rmtree(folder / "jobs")
    (folder / "collection.json").unlink()  # Snakemake makes no missing file that only a complete one needs
    failed = place.run("map", config={"map": MAP})
    assert failed.returncode != 0
    assert "sheets without a map: r0000_c0000" in failed.stdout
    assert str(image.relative_to(place.folder)) in failed.stdout
    image.write_bytes(before)
    os.utime(image, ns=(times.st_atime_ns, times.st_mtime_ns))
    mended = place.run("map", config={"map": MAP})
    assert mended.returncode == 0, mended.stdout
    assert planned(place) == []


def add_polygons(place: Workplace) -> None:
    """Ask for objects and polygons beside maps that are done; no sheet is mapped again."""
    folder = place.folder / "results/map"
    with rasterio.open(folder / "height.vrt") as heights:
        west, south, east, north = heights.bounds
        crs = heights.crs
    middle = (west + east) / 2
    shapes = [shapely.box(west, south, middle, north), shapely.box(middle, south, east, north)]
    gpd.GeoDataFrame({"district": ["west", "east"]}, geometry=shapes, crs=crs).to_file(place.folder / "districts.shp")
    products = {"objects": {"classes": ["building"], "min_area": 1, "min_hole": 0}, "polygons": "districts.shp"}
    assert planned(place, **products) == []
    done = place.run("map", config={"map": {**MAP, **products}})
    assert done.returncode == 0, done.stdout
    table, objects = gpd.read_file(folder / "polygons.gpkg"), gpd.read_file(folder / "objects.gpkg")
    assert table["district"].tolist() == ["west", "east"]
    assert table["map_objects_building"].sum() == len(objects) > 0
    assert (folder / "polygons.csv").read_text().startswith("district,map_area,")
    assert place.planned({"map": {**MAP, **products}}, ["map"]) == []
    attributes = place.folder / "districts.dbf"
    attributes.write_bytes(attributes.read_bytes().replace(b"west", b"left"))
    os.utime(attributes, (1_000_000_000, 1_000_000_000))  # an older copy, whose time a copying program kept
    assert "Summing up the region's maps in polygons" in place.planned({"map": {**MAP, **products}}, ["map"])


def compressed(image: Path) -> Path:
    """Write an image with compression, so that damage is noticed; return it."""
    with rasterio.open(image) as source:
        pixels, profile = source.read(), {**source.profile, "compress": "deflate"}
    with rasterio.open(image, "w", **profile) as target:
        target.write(pixels)
    return image


def test_without_a_section_the_target_says_what_is_missing(finished: Workplace) -> None:
    done = finished.run("--dry-run", "map")
    assert done.returncode != 0
    assert "map: found no such section; expected a run and images to map." in done.stdout + str(done.stderr)
