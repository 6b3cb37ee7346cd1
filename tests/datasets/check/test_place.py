"""CRS, pixel size, bounds and size of images and layers: each fault gives just its finding."""

from typing import Any

import geopandas as gpd
import pytest
from affine import Affine
from shapely.geometry import box

from mtlaerial.datasets.check import check_dataset
from support.town import NORTH, SIZE, SPEC, WEST, Town, only


def test_image_crs(town: Town) -> None:
    town.change(height=None, labels=SPEC["labels"])
    path = town.write("image", "a", town.image(), crs="EPSG:32633")
    only("error", path, town.check(), "EPSG:32633", "EPSG:32632")


@pytest.mark.parametrize("layer", ["height", "labels"])
@pytest.mark.parametrize("specified", ["EPSG:32632", None])
def test_layer_crs(town: Town, layer: str, specified: str | None) -> None:
    town.change(crs=specified)
    values, gsd = (town.heights(), 1.0) if layer == "height" else (town.labels(), 0.5)
    path = town.write(layer, "a", values, gsd=gsd, crs="EPSG:25832")
    only("error", path, town.check(), "EPSG:25832", "EPSG:32632")


def test_vertical_crs_is_right(town: Town) -> None:
    town.write("height", "a", town.heights(), gsd=1.0, crs="EPSG:32632+5773")
    assert town.check().findings == ()


def test_unknown_crs(town: Town) -> None:
    town.change(crs="EPSG:1")
    only("error", "crs", town.check(), "EPSG:1")


def test_no_georeference(town: Town) -> None:
    for layer in ("image", "height", "labels"):
        town.bare(layer, "a", {"image": town.image, "height": town.heights, "labels": town.labels}[layer]())
    assert town.check().findings == ()
    town.change(gsd=None)
    only("error", town.root / "image/a.tif", town.check(), "no georeference", "gsd in the specification")


def test_only_the_image_has_no_georeference(town: Town) -> None:
    town.change(height=None)
    town.bare("image", "a", town.image())
    only("error", town.root / "labels/a.tif", town.check(), "though the image has none")


@pytest.mark.parametrize("layer", ["image", "height", "labels"])
def test_rotated(town: Town, layer: str) -> None:
    values, gsd = (town.heights(), 1.0) if layer == "height" else (getattr(town, layer)(), 0.5)
    transform = Affine.translation(WEST, NORTH) @ Affine.rotation(10) @ Affine.scale(gsd, -gsd)
    only("error", town.write(layer, "b", values, transform=transform), town.check("b"), "rotated")


def test_south_up(town: Town) -> None:
    path = town.write("image", "a", town.image(), transform=Affine(0.5, 0, WEST, 0, 0.5, NORTH - 32))
    only("error", path, town.check(), "reverse")


@pytest.mark.parametrize("gsd", [(0.5, 0.6), (0.51, 0.51)])
def test_gsd(town: Town, gsd: tuple[float, float]) -> None:
    town.change(height=None)
    transform = Affine(gsd[1], 0, WEST, 0, -gsd[0], NORTH)
    path = town.write("image", "a", town.image(), transform=transform)
    town.write("labels", "a", town.labels(), transform=transform)
    only("error", path, town.check(), f"pixels of {gsd[1]} x {gsd[0]} m", "0.5 x 0.5 m")


def test_gsd_in_feet(town: Town) -> None:
    town.change(gsd=None, crs=None, height=None)
    place: dict[str, Any] = {"crs": "EPSG:2914", "gsd": 1.0, "west": 4_900_000.0, "north": 500_000.0}
    path = town.write("image", "a", town.image(), **place)
    town.write("labels", "a", town.labels(), **place)
    report = town.check()
    assert report.findings == ()
    assert report.image
    assert report.image.gsd == pytest.approx(0.3048)
    town.change(gsd=1.0)
    only("error", path, town.check(), "pixels of 0.3048 x 0.3048 m on the ground", "1 x 1 m, by gsd")


def test_degrees(town: Town) -> None:
    town.change(crs=None, height=None)
    place: dict[str, Any] = {"crs": "EPSG:4326", "gsd": 1e-5, "west": 9.0, "north": 48.0}
    path = town.write("image", "a", town.image(), **place)
    town.write("labels", "a", town.labels(), **place)
    only("error", path, town.check(), "in degrees", "rio warp", "--dst-crs EPSG:32632 --res 0.5")


def test_corner(town: Town) -> None:
    town.change(image={"corner": "town_{west}_{south}"}, height=None)
    for offset, right in ((0.9, True), (2.0, False)):
        name = f"town_{WEST:.0f}_{NORTH - 32:.0f}"
        town.change(splits={"train": [name], "test": []})
        path = town.write("image", name, town.image(), west=WEST + offset)
        town.write("labels", name, town.labels(), west=WEST + offset)
        if right:
            assert town.check(name).findings == ()
        else:
            only("error", path, town.check(name), "500002.00 5399968.00", "500000.00 5399968.00, as its name says")


def test_no_overlap(town: Town) -> None:
    path = town.write("labels", "a", town.labels(), west=WEST + 1000)
    only("error", path, town.check(), "ground of the image")


def test_one_pixel_too_many(town: Town) -> None:
    path = town.write("labels", "a", town.labels(SIZE + 1))
    only("error", path, town.check(), "65 x 65 pixels", "64 x 64 pixels")


def test_part_of_a_pixel_too_many(town: Town) -> None:
    town.write("height", "a", town.heights(), gsd=1.02)
    assert town.check().findings == ()


@pytest.mark.parametrize(("size", "right"), [(64, True), (32, True), (128, True), (65, False), (48, False)])
def test_size_without_georeference(town: Town, size: int, right: bool) -> None:
    path = town.bare("labels", "a", town.labels(size))
    if right:
        assert town.check().findings == ()
    else:
        only("error", path, town.check(), f"{size} x {size} pixels and no georeference", "64 x 64 pixels")


def test_mosaic_covers_a_part(town: Town) -> None:
    town.change(height={"files": "height/all.tif"})
    path = town.write("height", "all", town.heights(40), gsd=1.0, west=WEST, north=NORTH)
    assert town.check("a").findings == ()
    report = town.check("b")
    only("warning", path, report, "25 % of the tile covered")
    assert report.height
    assert report.height.nodata == pytest.approx(0.75)


def test_mosaic_elsewhere(town: Town) -> None:
    town.change(height={"files": "height/all.tif"})
    path = town.write("height", "all", town.heights(), gsd=1.0)
    only("error", path, town.check("b"), "ground of the image")


def test_mosaic_without_georeference(town: Town) -> None:
    town.change(labels={"files": "labels/all.tif"})
    only("error", town.bare("labels", "all", town.labels()), town.check(), "a mosaic without georeference")


def test_image_mosaic(town: Town) -> None:
    town.change(
        image={"files": "image/all.tif"},
        grid={"size": [64, 64]},
        height=None,
        labels={"files": "labels/all.tif"},
        splits={"train": ["r1c1"], "test": ["r1c2", "r2c1"]},
    )
    town.write("image", "all", town.image(100))
    town.write("labels", "all", town.labels(100))
    report = check_dataset(town.dataset)
    assert report.findings == ()
    assert [tile.image.size for tile in report.tiles if tile.image] == [(64, 64), (64, 36), (36, 64)]
    town.change(splits={"train": ["r9c9"], "test": []})
    only("error", town.root / "image/all.tif", town.check("r9c9"), "end before tile r9c9")


def test_footprints(town: Town) -> None:
    town.change(image={"files": "image/all.tif"}, footprints={"files": "tiles.geojson"}, height=None)
    town.change(labels={"files": "labels/all.tif"})
    town.write("image", "all", town.image(128))
    town.write("labels", "all", town.labels(128))
    only("error", town.root / "tiles.geojson", town.check(), "no file", "Ask the town hall.")
    shapes = [box(WEST + x, NORTH - 20, WEST + x + 30, NORTH) for x in (0, 25)]
    gpd.GeoDataFrame({"tile": ["a", "b"]}, geometry=shapes, crs="EPSG:32632").to_file(town.root / "tiles.geojson")
    report = check_dataset(town.dataset)
    (finding,) = report.findings
    assert "16.7 % of the smaller in common" in finding.found
    assert [tile.image.size for tile in report.tiles if tile.image] == [(40, 60), (40, 60)]
