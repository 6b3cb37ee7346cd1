"""Height errors of the objects of validation maps, against the pixels of each object."""

from pathlib import Path

import numpy as np
import pytest

from mtlaerial.config.objects import ObjectsSpec
from mtlaerial.errors import UserError
from mtlaerial.objects.validation_errors import calibrate_objects, validation_errors
from support import tiny
from support.class_maps import write_maps

SPEC = ObjectsSpec(min_area=4, min_hole=0)


@pytest.fixture
def maps(tmp_path: Path) -> Path:
    """Three buildings of 0.5 m pixels, one without a true height and one too small, and a tree."""
    codes = np.zeros((40, 50), dtype=int)
    codes[2:10, 2:10] = codes[20:30, 20:28] = codes[2:10, 40:48] = codes[35:37, 3:5] = 1
    codes[30:38, 40:48] = 2
    heights = np.arange(2000.0).reshape(40, 50) / 100
    return write_maps(tmp_path / "maps", codes, heights)


def true_heights(cell: int) -> np.ndarray:
    """Return heights on cells of some pixels, NaN in the east."""
    heights = 5 + (np.arange(2000) % 37).reshape(40, 50).astype(np.float32) / 10
    heights[:, 38:] = np.nan
    return heights[::cell, ::cell]


def truth(tmp_path: Path, cell: int = 1) -> Path:
    return tiny.write_raster(tmp_path / "height.tif", true_heights(cell), pixel=0.5 * cell, nodata=np.nan)


@pytest.mark.parametrize("cell", [1, 2])
def test_errors_are_between_the_medians_of_true_and_predicted_heights(maps: Path, tmp_path: Path, cell: int) -> None:
    heights = np.arange(2000.0).reshape(40, 50) / 100
    result = validation_errors(maps, truth(tmp_path, cell), SPEC)
    assert result.classes.tolist() == ["building", "building"]
    true = true_heights(cell).repeat(cell, axis=0).repeat(cell, axis=1)
    outlines = np.s_[2:10, 2:10], np.s_[20:30, 20:28]
    expected = [abs(np.median(true[pixels]) - np.median(heights[pixels])) for pixels in outlines]
    np.testing.assert_allclose(result.errors, expected, atol=0.011)  # whole centimetres
    np.testing.assert_allclose(result.heights, [np.median(heights[pixels]) for pixels in outlines], atol=0.006)
    np.testing.assert_allclose(result.areas, [16, 20], rtol=1e-3)


def test_objects_of_tiles_and_classes_are_joined(maps: Path, tmp_path: Path) -> None:
    spec = SPEC.model_copy(update={"classes": ("building", "tree")})
    tile = validation_errors(maps, truth(tmp_path), spec)
    parts = calibrate_objects([tile, tile], spec)
    assert parts["building"].errors == (*tile.errors, *tile.errors)
    assert (parts["tree"].errors, parts["building"].min_area) == ((), 4)
    assert calibrate_objects([], SPEC)["building"].errors == ()


def test_maps_without_a_crs_in_metres_are_refused(tmp_path: Path) -> None:
    folder = write_maps(tmp_path / "maps", np.ones((20, 20)), np.ones((20, 20)), crs=None)
    with pytest.raises(UserError, match="no CRS"):
        validation_errors(folder, truth(tmp_path), SPEC)
