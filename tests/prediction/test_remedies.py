"""The commands in error messages work as they are printed."""

import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from click.testing import CliRunner
from rasterio.crs import CRS
from rasterio.enums import ColorInterp
from rasterio.rio.main import main_group

from mtlaerial.errors import MismatchError
from mtlaerial.prediction.image_match import MatchingImage, match_image
from mtlaerial.prediction.image_options import ImageOptions
from mtlaerial.rasters.geotiff import open_raster
from mtlaerial.runs.run import RunDescription, load_description
from support import tiny
from support.bad_rasters import LOCAL

WEST, NORTH = tiny.WEST, tiny.NORTH
NAME = "my ortho.tif"
"""A name that a shell would divide."""


@pytest.fixture(scope="module")
def description(run_folder: Path) -> RunDescription:
    return load_description(run_folder)


def picture() -> np.ndarray:
    """Return a smooth image, which survives resampling; no pixel is black."""
    rows, columns = np.mgrid[0:80, 0:80]
    return np.stack([60 + rows * 2, 60 + columns * 2, 220 - rows - columns]).astype(np.uint8)


def run_printed(command: str) -> None:
    """Run a command as a shell would; `rio` within this process, which saves its start."""
    program, *arguments = shlex.split(command)
    if program == "rio":
        outcome = CliRunner().invoke(main_group, arguments)
        assert outcome.exit_code == 0, outcome.output
    else:
        program = sys.executable if program == "python" else program
        subprocess.run([program, *arguments], check=True, capture_output=True)


def printed_command(remedy: str) -> str:
    """Return the command in a remedy, which ends it."""
    match = re.search(r"(rio|python) .*?(?=\.?$)", remedy)
    assert match, remedy
    return match.group()


def mend(path: Path, description: RunDescription) -> MatchingImage:
    """Follow the advice of each refusal until the image matches."""
    for _ in range(3):
        try:
            return match_image(path, description, ImageOptions())
        except MismatchError as error:
            run_printed(printed_command(error.remedy))
            # `rio edit-info` changes the file itself.
            if path.with_name(f"{path.stem}_new.tif").exists():
                path = path.with_name(f"{path.stem}_new.tif")
    raise AssertionError(path)


def write(folder: Path, transform: Affine, crs: str | CRS | None = "EPSG:32631", **profile: object) -> Path:
    return tiny.write_raster(folder / NAME, picture(), crs=crs, transform=transform, **profile)


@pytest.mark.parametrize(
    ("transform", "north_up"),
    [
        (Affine(0.5, 0, WEST, 0, 0.5, NORTH - 40), lambda image: image[:, ::-1]),
        (Affine(-0.5, 0, WEST + 40, 0, -0.5, NORTH), lambda image: image[:, :, ::-1]),
        (Affine(-0.5, 0, WEST + 40, 0, 0.5, NORTH - 40), lambda image: image[:, ::-1, ::-1]),
        (Affine(0, 0.5, WEST, 0.5, 0, NORTH - 40), lambda image: image.transpose(0, 2, 1)[:, ::-1]),
    ],
    ids=["south-up", "mirrored", "both", "a quarter turn"],
)
def test_a_turned_image_is_turned_back_without_loss(
    tmp_path: Path, description: RunDescription, transform: Affine, north_up: Callable[[np.ndarray], np.ndarray]
) -> None:
    image = mend(write(tmp_path, transform), description)
    assert image.grid.transform == Affine(0.5, 0, WEST, 0, -0.5, NORTH)
    with rasterio.open(image.path) as source:
        np.testing.assert_array_equal(source.read(), north_up(picture()))


def test_a_rotated_image_is_rectified_with_corners_without_data(tmp_path: Path, description: RunDescription) -> None:
    rotated = Affine.translation(WEST, NORTH) @ Affine.rotation(30) @ Affine.scale(0.5, -0.5)
    image = mend(write(tmp_path, rotated), description)
    with rasterio.open(image.path) as source:
        valid = source.dataset_mask() > 0
        area = valid.sum() * 0.25
        assert not valid[0, 0]
        assert valid[source.index(*(rotated @ (40, 40)))]
    assert area == pytest.approx(1600, rel=0.03)


@pytest.mark.parametrize("pixel", [0.25, 0.9])
@pytest.mark.parametrize("crs", ["EPSG:32631", "EPSG:3857", "EPSG:2154"])
def test_an_image_gets_the_pixel_size_of_the_run(
    tmp_path: Path, description: RunDescription, pixel: float, crs: str
) -> None:
    west, north = {"EPSG:3857": (1e6, 8.4e6), "EPSG:2154": (7e5, 6.6e6)}.get(crs, (WEST, NORTH))
    mend(write(tmp_path, Affine(pixel, 0, west, 0, -pixel, north), crs), description)


def test_degrees_become_metres_in_the_zone_of_the_image(tmp_path: Path, description: RunDescription) -> None:
    image = mend(write(tmp_path, Affine(6e-6, 0, 151.2, 0, -4.5e-6, -33.9), "EPSG:4326"), description)
    assert image.grid.crs == CRS.from_epsg(32756)
    with open_raster(image.path) as source:
        assert source.nodata == 0


def test_wrong_colour_tags_are_corrected(tmp_path: Path, description: RunDescription) -> None:
    path = write(tmp_path, Affine(0.5, 0, WEST, 0, -0.5, NORTH), photometric="minisblack")
    with rasterio.open(path, "r+") as target:
        target.colorinterp = (ColorInterp.blue, ColorInterp.green, ColorInterp.red)
    assert mend(path, description).bands == (1, 2, 3)
    with rasterio.open(path) as source:
        assert [colour.name for colour in source.colorinterp] == ["red", "green", "blue"]


def test_values_are_converted(tmp_path: Path, description: RunDescription) -> None:
    path = tiny.write_raster(tmp_path / NAME, picture().astype(np.uint16) * 16)
    with rasterio.open(mend(path, description).path) as source:
        np.testing.assert_allclose(source.read(), picture(), atol=1)


def test_coordinates_of_a_local_crs_count_as_metres(tmp_path: Path, description: RunDescription) -> None:
    path = write(tmp_path, Affine(0.5, 0, 100, 0, -0.5, 200), CRS.from_wkt(LOCAL))
    assert mend(path, description).grid.crs is None
