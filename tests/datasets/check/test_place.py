"""CRS, pixel size, bounds and size of images and layers: each fault gives just its finding."""

import shlex
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import rasterio
from affine import Affine
from click.testing import CliRunner
from pyproj import Transformer
from rasterio.crs import CRS
from rasterio.rio.main import main_group
from shapely.geometry import box

from mtlaerial.datasets.check import TileReport, check_dataset
from support.bad_rasters import LOCAL
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


def zone_33(town: Town, layer: str, tile: str, values: np.ndarray, gsd: float, **profile: Any) -> Path:
    """Write a layer of the town in the neighbouring UTM zone, large enough for its image."""
    centre = WEST + SIZE / 4, NORTH - SIZE / 4
    x, y = Transformer.from_crs("EPSG:32632", "EPSG:32633", always_xy=True).transform(*centre)
    half = values.shape[-1] * gsd / 2
    return town.write(layer, tile, values, gsd=gsd, west=x - half, north=y + half, crs="EPSG:32633", **profile)


def follow(path: Path, report: TileReport) -> Path:
    """Run the command of a finding as printed; the new file takes the place of the old one."""
    (finding,) = [finding for finding in report.findings if finding.where == str(path)]
    outcome = CliRunner().invoke(main_group, shlex.split(finding.remedy.split(": rio ")[1]))
    assert outcome.exit_code == 0, outcome.output
    return path.with_name(f"{path.stem}_new.tif").replace(path)


@pytest.mark.parametrize("per_tile", [True, False])
def test_a_layer_is_reprojected_by_the_command_printed(town: Town, per_tile: bool) -> None:
    """Truth whose axes the other zone turns by 4 degrees comes back to its place, with its cell size."""
    name, pattern = ("a", "{tile}") if per_tile else ("all", "all")
    town.change(height={"files": f"height/{pattern}.tif", "nodata": None}, labels={"files": f"labels/{pattern}.tif"})
    heights = np.maximum(0, np.arange(40, dtype=np.int16) - 16)[:, None] * np.ones(40, np.int16)
    labels = np.indices((80, 80)).sum(axis=0).astype(np.uint8) % 4
    files = zone_33(town, "height", name, heights, 1.0), zone_33(town, "labels", name, labels, 0.5)
    for path in files:
        with rasterio.open(follow(path, town.check())) as source:
            assert source.crs == CRS.from_epsg(32632)
            assert source.res == pytest.approx((1.0, 1.0) if path == files[0] else (0.5, 0.5), rel=1e-3)
    report = town.check()
    assert report.findings == ()
    with rasterio.open(files[0]) as source:
        centre = source.index(WEST + SIZE / 4, NORTH - SIZE / 4)
        assert abs(int(source.read(1)[centre]) - 4) <= 1


def test_cells_outside_a_reprojected_layer_are_no_data(town: Town) -> None:
    """Where the layer ends, neither the class 0 nor the height 0 is invented."""
    files = {
        zone_33(town, "height", "a", np.full((32, 32), 7, np.uint16), 1.0),
        zone_33(town, "labels", "a", np.zeros((64, 64), np.uint8), 0.5),
    }
    for path in files:
        with rasterio.open(follow(path, town.check())) as source:
            values, valid = source.read(1), source.dataset_mask() > 0
            assert 0.02 < (~valid).mean() < 0.3
            assert set(np.unique(values[valid])) == ({7} if path.parent.name == "height" else {0})


def test_the_corners_of_rectified_labels_are_no_class(town: Town) -> None:
    transform = Affine.translation(WEST, NORTH) @ Affine.rotation(10) @ Affine.scale(0.5, -0.5)
    path = town.write("labels", "a", np.zeros((SIZE, SIZE), np.uint8), transform=transform)
    with rasterio.open(follow(path, town.check())) as source:
        assert source.nodata == 9
        assert set(np.unique(source.read(1))) == {0, 9}


def test_an_image_is_reprojected_by_the_command_printed(town: Town) -> None:
    town.change(height=None, labels={"files": "labels/all.tif"})
    town.write("labels", "all", town.labels(400), west=WEST - 50, north=NORTH + 50)
    path = zone_33(town, "image", "a", town.image(), 0.45)
    report = town.check()
    only("error", path, report, "EPSG:32633", "EPSG:32632", "Correct crs in the specification, or reproject the file:")
    with rasterio.open(follow(path, report)) as source:
        assert (source.crs, source.res) == (CRS.from_epsg(32632), (0.5, 0.5))
    assert not [finding for finding in town.check().findings if finding.level == "error"]


def test_an_image_in_degrees_has_one_command_to_the_crs_specified(town: Town) -> None:
    town.change(height=None, labels={"files": "labels/all.tif"})
    town.write("labels", "all", town.labels(400), west=WEST - 50, north=NORTH + 50)
    longitude, latitude = Transformer.from_crs("EPSG:32632", "EPSG:4326", always_xy=True).transform(WEST, NORTH)
    path = town.write("image", "a", town.image(), crs="EPSG:4326", gsd=5e-6, west=longitude, north=latitude)
    report = town.check()
    only("error", path, report, "EPSG:4326", "--dst-crs EPSG:32632 --res 0.5")
    follow(path, report)
    assert not [finding for finding in town.check().findings if finding.level == "error"]


@pytest.mark.parametrize("crs", ["EPSG:32633", LOCAL])
def test_a_wrong_crs_on_right_coordinates_is_corrected_by_the_command_printed(town: Town, crs: str) -> None:
    """Reprojected, the file would lie elsewhere."""
    path = town.write("labels", "a", town.labels(), crs=crs)
    report = town.check()
    only(
        "error", path, report, "Correct crs in the specification, or assign the right CRS, if the file is of this place"
    )
    outcome = CliRunner().invoke(main_group, shlex.split(report.findings[0].remedy.split(": rio ")[1]))
    assert outcome.exit_code == 0, outcome.output
    assert town.check().findings == ()


def test_an_image_without_a_place_on_earth_gets_no_command(town: Town) -> None:
    town.change(height=None, labels={"files": "labels/all.tif"})
    town.write("labels", "all", town.labels(400), west=WEST - 50, north=NORTH + 50)
    path = town.write("image", "a", town.image(), crs=LOCAL)
    report = town.check()
    only("error", path, report, "site grid", "or assign the right CRS to the file.")
    assert "rio" not in report.findings[0].remedy


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


def test_a_footprint_that_is_no_rectangle_is_a_warning(town: Town) -> None:
    town.change(image={"files": "image/all.tif"}, footprints={"files": "tiles.geojson"}, height=None)
    town.change(labels={"files": "labels/all.tif"})
    town.write("image", "all", town.image(128))
    town.write("labels", "all", town.labels(128))
    square = box(WEST, NORTH - 30, WEST + 30, NORTH)
    shapes = [square - box(WEST, NORTH - 15, WEST + 15, NORTH), square - box(WEST, NORTH - 0.5, WEST + 0.5, NORTH)]
    gpd.GeoDataFrame({"tile": ["a", "b"]}, geometry=shapes, crs="EPSG:32632").to_file(town.root / "tiles.geojson")
    words = "leaves out 25 % of its bounds", "truth outside the polygon"
    only("warning", town.root / "tiles.geojson", town.check("a"), *words)
    assert town.check("b").findings == ()
