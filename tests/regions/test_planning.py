"""Places of images on the pixels of a region."""

import logging
from pathlib import Path

import numpy as np
import pytest
import rasterio.shutil
from affine import Affine
from rasterio.windows import Window

from mtlaerial.errors import MismatchError
from mtlaerial.prediction.image_match import match_image
from mtlaerial.prediction.image_options import ImageOptions
from mtlaerial.prediction.predictor import Predictor
from mtlaerial.regions import planning
from mtlaerial.regions.placed_images import OpenImages
from mtlaerial.regions.planning import plan_region
from mtlaerial.regions.region import Region
from support import tiny

SIDE = 60
"""Pixels of a side of an image."""


def planned(predictor: Predictor, folder: Path, place: dict, moves: list[Affine], resample: bool = False) -> Region:
    """Return the region of images whose pixels are all valid, each moved on the pixels of one grid."""
    values, paths = np.full((3, SIDE, SIDE), 120, np.uint8), []
    for index, move in enumerate(moves):
        moved = {"crs": place["crs"], "transform": place["transform"] @ move}
        paths.append(tiny.write_raster(folder / f"{index}.tif", values, **moved))
    return plan_region(paths, predictor.description, 512, ImageOptions(resample=resample))


def valid_pixels(predictor: Predictor, region: Region, index: int) -> int:
    """Return the number of pixels of the region that an image is valid in."""
    image = region.images[index]
    with OpenImages(region, predictor.description.statistics) as files:
        (placed,) = files.placed([image])
        values, invalid = placed.read(Window(0, 0, image.span.columns, image.span.rows))
    assert values.shape[1:] == (image.span.rows, image.span.columns)
    return values[0].size if invalid is None else int((~invalid).sum())


def test_a_rotated_image_is_placed_with_all_its_corners(predictor: Predictor, place: dict, tmp_path: Path) -> None:
    # By 45 degrees the diagonal, 60 √2 = 84.9 pixels, is upright; the area of 60² pixels stays, but for its outline.
    region = planned(predictor, tmp_path, place, [Affine.identity(), Affine.rotation(45)], resample=True)
    assert (region.images[1].span.rows, region.images[1].span.columns) in {(85, 85), (85, 86), (86, 85), (86, 86)}
    assert SIDE**2 <= valid_pixels(predictor, region, 1) < SIDE**2 + 4 * SIDE


def test_an_image_that_rounding_moves_has_its_own_number_of_pixels(
    predictor: Predictor, place: dict, tmp_path: Path
) -> None:
    # Both the beginning and the growth are below the tolerance of a thousandth of a pixel, their sum is not.
    moves = [Affine.identity(), Affine.translation(SIDE + 9e-4, 9e-4) @ Affine.scale(1 + 9e-4 / SIDE)]
    region = planned(predictor, tmp_path, place, moves)
    assert region.images[1].span == (0, SIDE, SIDE, SIDE)
    assert valid_pixels(predictor, region, 1) == SIDE**2


def test_an_image_between_the_pixels_of_the_first_is_refused(predictor: Predictor, place: dict, tmp_path: Path) -> None:
    with pytest.raises(MismatchError, match=r"1\.tif: found pixels of 0\.5 .*, which lie between .*resample: true"):
        planned(predictor, tmp_path, place, [Affine.identity(), Affine.translation(0.5, 0)])


def copies(folder: Path, place: dict, values: np.ndarray, count: int = 8) -> list[Path]:
    """Return images beside each other that look the same."""
    shift = Affine.translation(SIDE, 0)
    paths, transform = [], place["transform"]
    for index in range(count):
        paths.append(tiny.write_raster(folder / f"{index}.tif", values, crs=place["crs"], transform=transform))
        transform = transform @ shift
    return paths


def test_images_of_an_earlier_plan_are_not_read_again(
    predictor: Predictor, place: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = copies(tmp_path, place, np.full((3, SIDE, SIDE), 120, np.uint8))
    first = plan_region(paths[:-1], predictor.description, 512)
    paths[3].write_bytes(paths[3].read_bytes() + bytes(1))
    read = []
    monkeypatch.setattr(planning, "match_image", lambda path, *more: read.append(path) or match_image(path, *more))
    again = plan_region(paths, predictor.description, 512, earlier=first)
    assert read == [paths[0], paths[3], paths[-1]], "the first gives the grid"
    assert again == plan_region(paths, predictor.description, 512)
    read.clear()
    plan_region(paths, predictor.description, 512, ImageOptions(stated_range=(0, 200)), earlier=again)
    assert read == paths, "other options"


def test_a_changed_source_of_a_mosaic_is_read_again(
    predictor: Predictor, place: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, source = copies(tmp_path, place, np.full((3, SIDE, SIDE), 120, np.uint8), 2)
    mosaic = tmp_path / "mosaic.vrt"
    rasterio.shutil.copy(source, mosaic, driver="VRT")
    earlier = plan_region([first, mosaic], predictor.description, 512)
    read = []
    monkeypatch.setattr(planning, "match_image", lambda path, *more: read.append(path) or match_image(path, *more))
    for expected in ([first], [first, mosaic]):
        plan_region([first, mosaic], predictor.description, 512, earlier=earlier)
        assert read == expected, "the first gives the grid"
        read.clear()
        source.write_bytes(source.read_bytes() + bytes(1))


def test_of_many_warnings_a_few_are_shown_and_all_counted(
    predictor: Predictor, place: dict, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    paths = copies(tmp_path, place, np.full((3, SIDE, SIDE), 254, np.uint8))
    with caplog.at_level(logging.WARNING):
        plan_region(paths, predictor.description, 512)
    *shown, counted = caplog.messages
    assert len(shown) == 5
    assert all("expected about those of the training" in text for text in shown)
    assert counted == "3 more warnings on images are not shown"
