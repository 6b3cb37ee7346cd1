"""Checks of what files say of their pixels: masks, absent blocks, decoder warnings, scale and offset tags."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
import rasterio
from click.testing import CliRunner
from rasterio.rio.main import main_group

from mtlaerial.datasets.check import summary
from mtlaerial.datasets.check.report import DatasetReport
from support.masks import WAYS, Way, write_damaged_jpeg, write_masked
from support.town import NORTH, SIZE, WEST, Town, only

PLACE = {"crs": "EPSG:32632", "west": WEST, "north": NORTH}


def corner() -> np.ndarray:
    valid = np.ones((SIZE, SIZE), bool)
    valid[:16, :32] = False
    return valid


@pytest.mark.parametrize("way", WAYS)
def test_the_share_without_image_is_shown(town: Town, way: Way) -> None:
    town.change(image={"files": ["image/{tile}.vrt", "image/{tile}.tif"]})
    write_masked(town.root / "image" / "a.tif", town.image(), corner(), way, **PLACE)
    report = town.check()
    assert report.findings == ()
    assert report.image
    assert report.image.nodata == 0.125
    lines = summary(DatasetReport(dataset="town", tiles=(report,), splits=())).splitlines()
    assert "no image" in lines[2]
    assert "12.5 %" in lines[3]


def test_masked_truth_has_no_data(town: Town) -> None:
    heights = np.repeat(np.repeat(town.heights(), 2, 0), 2, 1)[None]
    write_masked(town.root / "height" / "a.tif", heights, corner(), "mask", **PLACE)
    report = town.check()
    assert report.findings == ()
    assert report.height
    assert report.height.nodata == 0.125


def test_colours_of_labels_may_have_an_alpha_band(town: Town) -> None:
    classes = [{"name": name, "values": [[value] * 3], "colour": "#000000"} for name, value in (("a", 8), ("b", 4))]
    town.change(labels={"encoding": "rgb", "ignore": [[1, 1, 1]], "classes": classes})
    colours = np.full((3, SIZE, SIZE), 4, np.uint8)
    write_masked(town.root / "labels" / "a.tif", colours, corner(), "alpha", **PLACE)
    report = town.check()
    assert report.findings == ()
    assert report.labels
    assert report.labels.classes == {"a": 0, "b": SIZE**2 * 7 // 8}


def test_a_tag_of_colours_that_is_a_class(town: Town) -> None:
    classes = [{"name": name, "values": [[value] * 3], "colour": "#000000"} for name, value in (("a", 8), ("b", 4))]
    town.change(labels={"encoding": "rgb", "ignore": [[1, 1, 1]], "classes": classes})
    colours = np.full((3, SIZE, SIZE), 4, np.uint8)
    colours[:, :9] = 8
    only("warning", town.write("labels", "a", colours, nodata=8), town.check(), "no-data tag 8", "also the class a")


@pytest.mark.parametrize("layer", ["image", "height"])
def test_damaged_pixels_that_gdal_only_warns_of(town: Town, layer: str) -> None:
    path = write_damaged_jpeg(town.root / layer / "a.tif", SIZE * 3, **PLACE)
    town.change(gsd=0.5, height={"nodata": None})
    values = {"image": town.image, "height": town.heights, "labels": town.labels}
    for intact in values.keys() - {layer}:
        town.write(intact, "a", values[intact](SIZE * 3))
    if layer == "height":  # three bands are a warning of their own
        messages = [str(finding) for finding in town.check().findings if finding.level == "error"]
        assert len(messages) == 1
        assert messages[0].startswith(f"error: {path}: found damaged pixels (JPEGLib:Corrupt JPEG data")
    else:
        only("error", path, town.check(), "damaged pixels (JPEGLib:Corrupt JPEG data", "Get the file anew")


@pytest.mark.parametrize(("layer", "share"), [("image", "25 %"), ("height", "50 %"), ("labels", "25 %")])
def test_blocks_that_a_file_lacks(town: Town, layer: str, share: str) -> None:
    values = {"image": town.image, "height": town.heights, "labels": town.labels}[layer]()
    values[..., : SIZE // 4, :] = 0  # of the heights, which are half as many, a half
    options = {"tiled": True, "blockxsize": 16, "blockysize": 16, "sparse_ok": True}
    path = town.write(layer, "a", values, gsd=1.0 if layer == "height" else 0.5, **options)
    report = town.check()
    only("error", path, report, f"{share} of the pixels in parts that the file lacks")
    tag, convert = re.findall(r"rio (edit-info \S+ VALUE \S+?|convert \S+ \S+)(?:\. |$)", report.findings[0].remedy)
    rio(convert)
    path.with_name("a_new.tif").replace(path)
    assert town.check().findings == ()
    path = town.write(layer, "a", values, gsd=1.0 if layer == "height" else 0.5, **options)
    rio(tag.replace("VALUE", {"image": "0", "height": "-9999", "labels": "9"}[layer]))
    assert town.check().findings == ()


def rio(command: str) -> None:
    """Run a command as a remedy prints it."""
    result = CliRunner().invoke(main_group, shlex.split(command))
    assert result.exit_code == 0, result.output


def test_blocks_that_a_file_lacks_may_be_no_data(town: Town) -> None:
    """Where 0 is no data by the specification, absent blocks say nothing wrong."""
    options = {"tiled": True, "blockxsize": 16, "blockysize": 16, "sparse_ok": True}
    road = {"name": "road", "values": [4], "colour": "#ffffff"}
    classes = [road, *town.spec["labels"]["classes"][1:]]
    town.change(image={"nodata": 0}, height={"nodata": 0}, labels={"ignore": [0, 9], "classes": classes})
    for layer, values in (("image", town.image()), ("height", town.heights()), ("labels", town.labels())):
        values[..., :16, :] = 0
        town.write(layer, "a", values, gsd=1.0 if layer == "height" else 0.5, **options)
    assert town.check().findings == ()


def test_constant_bands_and_heights(town: Town) -> None:
    image = town.image()
    image[1] = 7
    path = town.write("image", "a", image)
    only("warning", path, town.check(), "one value in every pixel of band 2 (7)")
    town.write("image", "a", town.image())
    heights = np.full((SIZE // 2, SIZE // 2), 2.5, np.float32)
    heights[0] = -9999
    path = town.write("height", "a", heights, gsd=1.0, nodata=-9999)
    only("warning", path, town.check(), "the height 2.5 m in every cell")


def scaled(path: Path, scale: float, offset: float = 0.0) -> Path:
    with rasterio.open(path, "r+") as target:
        target.scales, target.offsets = [scale] * target.count, [offset] * target.count
    return path


def test_scale_tags_of_heights_are_applied(town: Town) -> None:
    centimetres = (town.heights() * 100).astype(np.int16)
    path = scaled(town.write("height", "a", centimetres, gsd=1.0), 0.01, 1)
    report = town.check()
    assert report.findings == ()
    assert report.height
    assert report.height.maximum == pytest.approx(centimetres.max() / 100 + 1)
    town.change(height={"scale": 0.01})
    only("error", path, town.check(), "scale tag of 0.01", "besides height.scale 0.01", "remove height.scale")


def test_scale_tags_of_an_image_are_not_applied(town: Town) -> None:
    path = scaled(town.write("image", "a", town.image()), 0.0001)
    only("warning", path, town.check(), "scale tag of 0.0001", "image.range")
