"""The gate as the check of a data set calls it: bands, ground size, alpha, values."""

import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from click.testing import CliRunner
from rasterio.enums import ColorInterp
from rasterio.rio.main import main_group

from mtlaerial.datasets.check import check_dataset, summary
from mtlaerial.datasets.check.image_gate.header import RasterHeader
from mtlaerial.datasets.check.image_gate.sample import sample_image, spread_windows
from mtlaerial.errors import ConfigError
from support.masks import Way, write_masked
from support.town import NORTH, WEST, Town, only

MERCATOR: dict[str, Any] = {"crs": "EPSG:3857", "west": 1e6, "north": 8_399_738.0}
"""A place at 60 degrees north, where a metre of the CRS is half a metre on the ground."""


@pytest.fixture
def plain(town: Town) -> Town:
    """Return a town without heights."""
    town.change(height=None)
    return town


def tag(path: Path, *colours: ColorInterp) -> Path:
    with rasterio.open(path, "r+") as target:
        target.colorinterp = colours
    return path


def test_ground_size(plain: Town) -> None:
    plain.change(crs=None)
    path = plain.write("image", "a", plain.image(), **MERCATOR)
    plain.write("labels", "a", plain.labels(), **MERCATOR)
    only("error", path, plain.check(), "pixels of 0.250", "(0.5 x 0.5 in units of EPSG:3857)", "0.5 x 0.5 m, by gsd")
    plain.change(gsd=None)
    report = plain.check()
    assert report.findings == ()
    assert report.image
    assert report.image.gsd == pytest.approx(0.25, rel=0.01)


def test_pixels_that_are_not_square(plain: Town) -> None:
    plain.change(gsd=None)
    transform = Affine(0.5, 0, WEST, 0, -5, NORTH)
    path = plain.write("image", "a", plain.image(), transform=transform)
    plain.write("labels", "a", plain.labels(), transform=transform)
    only("error", path, plain.check(), "pixels of 0.5 x 5 m", "square pixels", "--res 5 --resampling average")


def test_coordinates_without_a_crs_count_as_metres(plain: Town) -> None:
    plain.change(crs=None)
    path = plain.write("image", "a", plain.image(), crs=None)
    plain.write("labels", "a", plain.labels(), crs=None)
    assert plain.check().findings == ()
    plain.change(gsd=None)
    only("warning", path, plain.check(), "without a CRS", "pixels are 0.5 m wide")


def test_unused_bands(plain: Town) -> None:
    five = np.concatenate([plain.image(), plain.image()[:2]])
    path = plain.write("image", "a", five)
    only("warning", path, plain.check(), "5 bands, of which 1, 2, 3 are used", "Bands 4, 5 will not be seen")
    plain.change(image={"bands": [5, 1, 2], "band_names": ["nir", "red", "green"]})
    assert plain.check().findings == ()


def test_near_infrared_tagged_as_alpha(plain: Town) -> None:
    """GDAL tags the fourth band of bytes as alpha by default."""
    four = np.concatenate([plain.image(), plain.image()[:1]])
    path = plain.write("image", "a", four)
    (finding,) = [finding for finding in plain.check().findings if "alpha" in finding.found]
    assert (finding.level, finding.where) == ("warning", str(path))
    assert "band 4 tagged as alpha, with 99" in finding.found
    plain.change(image={"bands": [4, 1, 2], "band_names": ["nir", "red", "green"]})
    (finding,) = [finding for finding in plain.check().findings if "alpha" in finding.found]
    assert "used as nir" in finding.found


def test_colour_tags_against_names(plain: Town) -> None:
    path = plain.write("image", "a", plain.image(), photometric="minisblack")
    tag(path, ColorInterp.blue, ColorInterp.green, ColorInterp.red)
    only("error", path, plain.check(), "labelled blue, green, red", "red, green, blue", "Set image.bands: [3,2,1]")
    plain.change(image={"bands": [3, 2, 1]})
    assert plain.check().findings == ()
    tag(path, ColorInterp.red, ColorInterp.green, ColorInterp.blue)
    only("warning", path, plain.check(), "bands 3, 2, 1 labelled blue, green, red")


def test_repeated_bands(plain: Town) -> None:
    plain.change(image={"bands": [1, 1, 1]})
    (finding,) = [finding for finding in plain.check().findings if finding.level == "error"]
    assert "band 1 more than once in image.bands (1, 1, 1)" in finding.found


def test_bytes_in_a_range_of_reflectances(plain: Town) -> None:
    plain.change(image={"range": [0, 1]})
    only("error", plain.root / "image/a.tif", plain.check(), "of the values outside 0 to 1", "from 0 to 255")


def test_one_command_stands_for_many_files(plain: Town) -> None:
    for tile in "ab":
        plain.write("image", tile, plain.image(), transform=Affine(0.5, 0, WEST, 0, 0.5, NORTH - 32))
        plain.write("labels", tile, plain.labels())
    text = summary(check_dataset(plain.dataset))
    assert "Turn it: rio warp FILE.tif FILE_new.tif --bounds" in text
    (plain.root / "image" / "b.tif").unlink()
    text = summary(check_dataset(plain.dataset))
    assert f"Turn it: rio warp {plain.root}/image/a.tif {plain.root}/image/a_new.tif --bounds" in text


def test_a_no_data_tag_that_is_a_class_is_removed_by_the_command_printed(plain: Town) -> None:
    path = plain.write("labels", "a", plain.labels(), nodata=1)
    only("warning", path, plain.check(), "which is also the class house", "rio edit-info --unset-nodata")
    command = plain.check().findings[0].remedy.split(": rio ")[1]
    assert CliRunner().invoke(main_group, shlex.split(command)).exit_code == 0
    assert plain.check().findings == ()


def test_crs_with_a_slip_of_the_key(town: Town) -> None:
    town.change(crs="EPSG:3263l")
    only("error", "crs", town.check(), "EPSG:3263l", "a CRS such as EPSG:2993")


def test_names_of_tiles_fit_into_names_of_files(town: Town) -> None:
    town.change(splits={"train": ["ä" * 101]})
    with pytest.raises(ConfigError, match=r"found ä+\.\.\. of 202 bytes; expected names of tiles of at most 200 bytes"):
        town.dataset  # noqa: B018  # a property that reads the specification
    town.change(image={"files": "p" * 200 + "{tile}.tif"}, splits={"train": ["a" * 100]})
    assert "no file" in str(town.check("a" * 100).findings[0])
    town.change(image={"files": "p" * 300 + "/q/{tile}.tif"})
    assert "no file" in str(town.check("a" * 100).findings[0])


@pytest.mark.parametrize(("height", "width"), [(40, 40), (512, 3000), (100_000, 70_000)])
def test_a_sample_is_small_and_spread(height: int, width: int) -> None:
    windows = list(spread_windows(height, width))
    assert sum(window.height * window.width for window in windows) <= 512 * 512
    for start, length, size in (
        ({window.row_off for window in windows}, {window.height for window in windows}, height),
        ({window.col_off for window in windows}, {window.width for window in windows}, width),
    ):
        assert min(start) >= 0
        assert max(start) + max(length) <= size
        assert max(start) + max(length) > 0.8 * size


@pytest.mark.parametrize("way", ["alpha", "mask"])
def test_the_sample_leaves_out_masked_pixels(tmp_path: Path, way: Way) -> None:
    valid = np.ones((60, 80), bool)
    valid[:40] = False
    image = np.random.default_rng(0).integers(10, 20, (3, 60, 80), np.uint8)
    header = RasterHeader.read(write_masked(tmp_path / "a.tif", image, valid, way))
    tally, levels = sample_image(header, (1, 2, 3), (0, 255))
    assert (tally.values, tally.minimum, tally.maximum) == (3 * 20 * 80, 10, 19)
    np.testing.assert_allclose([level.mean for level in levels], image[:, 40:].mean(axis=(1, 2)))
