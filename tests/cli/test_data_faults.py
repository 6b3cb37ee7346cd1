"""Faulty data on the command line: one clear message, the exit code, and no partial file.

The findings of `check` are tested in detail in tests/datasets/check; here the whole program runs.
"""

import shutil
from collections.abc import Callable

import numpy as np
import pytest
import yaml
from rasterio.crs import CRS

from support.command_line import Town, assert_says, config
from support.without_torch import needs_torch


def truncate(town: Town) -> None:
    path = town.path("images")
    path.write_bytes(path.read_bytes()[:-3000])


def directory(town: Town) -> None:
    town.path("images").unlink()
    town.path("images").mkdir()


def same_ground(town: Town) -> None:
    for layer in ("images", "height", "labels"):
        shutil.copy(town.path(layer), town.path(layer, "city_4"))


def not_a_raster(town: Town) -> None:
    town.path("images").write_text("<html>404 Not Found</html>")


def missing_file(town: Town) -> None:
    town.path("images").unlink()


def unknown_colour(town: Town) -> None:
    spec = yaml.safe_load(town.spec.read_text())["labels"]
    colours = np.zeros((256, 3), dtype=np.uint8)
    for entry in spec["classes"]:
        colours[entry["values"]] = entry["colour"]
        entry["values"] = [entry["colour"]]
    for tile in ("city_1", "city_2", "city_3", "city_4"):
        town.rewrite("labels", lambda values: np.moveaxis(colours[values[0]], -1, 0), tile, nodata=None)
    town.rewrite("labels", lambda values: first_pixel(values, 1), nodata=None)
    town.change_spec(labels={**spec, "encoding": "rgb", "ignore": [[0, 0, 0]]})


def first_pixel(values: np.ndarray, value: float) -> np.ndarray:
    values[:, 0, 0] = value
    return values


def one_pixel_more(values: np.ndarray) -> np.ndarray:
    return np.pad(values, ((0, 0), (0, 1), (0, 1)), mode="edge")


DATA: dict[str, tuple[Callable[[Town], None], tuple[str, ...]]] = {
    "truncated": (truncate, ("images/city_1.tif", "truncated or damaged")),
    "directory": (directory, ("images/city_1.tif", "a directory", "a raster file")),
    "missing": (missing_file, ("images/city_1.tif", "no file")),
    "not a raster": (not_a_raster, ("images/city_1.tif", "beginning with '<html>404", "a GeoTIFF")),
    "crs": (lambda t: t.rewrite("height", crs=CRS.from_epsg(32632)), ("height/city_1.tif", "EPSG:32632", "EPSG:32631")),
    "leak": (same_ground, ("train tile city_1 and test tile city_4", "in common", "splits without common ground")),
    "one pixel more": (lambda t: t.rewrite("labels", one_pixel_more), ("labels/city_1.tif", "Crop or pad")),
    "code": (lambda t: t.rewrite("labels", lambda v: first_pixel(v, 77)), ("labels/city_1.tif", "77 (1 pixels)")),
    "colour": (unknown_colour, ("labels/city_1.tif", "(1, 1, 1) (1 pixels)")),
    "no height": (
        lambda t: t.rewrite("height", lambda v: 0 * v - 9999),
        ("height/city_1.tif", "no cell with a height"),
    ),
    "infinite": (
        lambda t: t.rewrite("images", lambda v: first_pixel(v.astype(np.float32), np.inf)),
        ("images/city_1.tif", "with infinite values, or NaN in some bands"),
    ),
    "elevation": (
        lambda t: t.rewrite("height", lambda v: v + 300),
        ("height/city_1.tif", "height.surface and height.ground"),
    ),
}


@pytest.mark.quick_cases(4, "tests/datasets has the sentences")
@pytest.mark.parametrize("fault", DATA)
def test_data(fault: str, town: Town, program: Callable[..., tuple[int, str]]) -> None:
    breaking, words = DATA[fault]
    assert_says(program("check", town.spec, "--root", town.root), "no errors", code=0)
    breaking(town)
    assert_says(program("check", town.spec, "--root", town.root), *words)


@needs_torch
def test_training_on_faulty_data(town: Town, program: Callable[..., tuple[int, str]]) -> None:
    """No tile is prepared from faulty data."""
    truncate(town)
    outcome = program("train", town.spec, "--root", town.root, "--out", town.folder / "out", "--config", config(town))
    assert_says(outcome, "Error: ", "images/city_1.tif", "truncated or damaged", "Mend what is listed")
    assert not (town.folder / "out").exists()


def test_heights_in_decimetres_are_a_warning(town: Town, program: Callable[..., tuple[int, str]]) -> None:
    """A warning: they may be skyscrapers."""
    town.rewrite("height", lambda v: np.where(v < -1000, v, v * 100))
    outcome = program("check", town.spec, "--root", town.root)
    assert_says(outcome, "height/city_1.tif", "height.scale, e.g. to 0", "no errors", code=0)
