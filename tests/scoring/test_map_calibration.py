"""Calibration from maps and ground truth on disk, block by block and tile by tile."""

from pathlib import Path

import numpy as np
import pytest
import rasterio

from mtlaerial.calibration.temperature import with_temperature
from mtlaerial.config import task_entry
from mtlaerial.config.calibration import CalibrationSpec
from mtlaerial.errors import DataError
from mtlaerial.rasters.geotiff import map_raster
from mtlaerial.scoring import map_calibration
from mtlaerial.scoring.map_calibration import ClassMapCalibration, HeightMapCalibration
from support.maps_by_hand import write_map
from support.tiny import Folders

SPEC = CalibrationSpec(cell=12.0)
"""Of tiles of 48 m: 16 cells each."""
HEIGHT, SEMANTICS = task_entry("height"), task_entry("semantics")


def heights_of(tile: Path) -> np.ndarray:
    return np.array(map_raster(tile / "height.tif"))


def test_factors_are_those_of_the_errors_of_all_tiles(tiles: Folders, tmp_path: Path) -> None:
    calibration = HeightMapCalibration(HEIGHT, SPEC, [500.0], spread=False)
    for tile, error in zip(tiles["train"], (0.5, -3.0), strict=True):
        heights = heights_of(tile)
        # Errors of a fifth of a cell's pixels are ten times as large.
        larger = np.arange(heights.size).reshape(heights.shape) % 5 == 0
        write_map(tmp_path / tile.name / "height.tif", heights + error * np.where(larger, 10, 1), tile / "height.tif")
        calibration.add(tmp_path / tile.name, tile)
    result = calibration.result()
    assert result is not None
    assert (result.scale.kind, result.levels, result.cell_side) == ("none", (0.5, 0.8, 0.9, 0.95), 12.0)
    assert (result.edges, result.units) == ((500.0,), ((32,) * 4,) * 2)
    # Of 33 cells with the new one, 16 have 0.5 m and 5 m, and 16 have 3 m and 30 m, 4 to 1: 39 % of 33 cells are 0.5 m,
    # another 39 % 3 m, 10 % 5 m, 10 % 30 m.
    np.testing.assert_allclose(result.factors, [[3, 5, 30, 30]] * 2, atol=1e-4)


def test_errors_are_relative_to_the_deviation_in_the_map_s_unit(tiles: Folders, tmp_path: Path) -> None:
    (tile,) = tiles["val"]
    heights = heights_of(tile)
    # Errors are twice the deviations, and deviations of every other pixel twice as large.
    deviation = np.where(np.arange(heights.size).reshape(heights.shape) % 2 == 0, 4, 2).astype(np.float32)
    write_map(tmp_path / "height.tif", heights + 2 * deviation, tile / "height.tif")
    with pytest.raises(DataError, match=r"height_std\.tif: found no file; expected a map on the grid of"):
        HeightMapCalibration(HEIGHT, SPEC, [], spread=True).add(tmp_path, tile)
    write_map(tmp_path / "height_std.tif", deviation, tile / "height.tif")
    calibration = HeightMapCalibration(HEIGHT, SPEC, [], spread=True)
    calibration.add(tmp_path, tile)
    result = calibration.result()
    assert result is not None
    assert (result.scale.kind, result.scale.cells, result.levels) == ("deviation", 4, (0.5, 0.8, 0.9))
    assert result.units == ((12, 12, 12),)
    assert result.scale.offset < 0.1
    np.testing.assert_allclose(result.factors, [[2, 2, 2]], rtol=0.03)
    assert result.notes[0].startswith("No 95 % intervals: 16 calibration cells; at least 19 needed.")


def probabilities_of(tile: Path, share_right: float, confidence: float) -> np.ndarray:
    """Return probabilities of seven classes: one is nearly sure, and right in some share of the pixels."""
    labels = np.array(map_raster(tile / "labels.tif"))
    right = np.random.default_rng(5).random(labels.shape) < share_right  # samples of cells are drawn with seed 0
    predicted = np.where(right, labels, (labels + 1) % 7)
    others = (1 - confidence) / 6
    return np.where(np.arange(7)[:, None, None] == predicted, confidence, others).astype(np.float32)


def test_the_temperature_makes_the_confidence_the_share_that_is_right(
    tiles: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(map_calibration, "ROWS", 40)  # blocks that end within cells
    calibration = ClassMapCalibration(SEMANTICS, SPEC)
    for tile in tiles["train"]:
        scores = probabilities_of(tile, share_right=0.7, confidence=0.97)
        write_map(tmp_path / tile.name / "semantics_probabilities.tif", scores, tile / "labels.tif")
        calibration.add(tmp_path / tile.name, tile)
    result = calibration.result()
    assert result is not None
    assert result.cells == 32
    confidence = with_temperature(np.float32([0.97, *[0.005] * 6]), result.temperature)[0]
    assert abs(confidence - 0.7) < 0.02


def test_tiles_without_truth_add_nothing(tiles: Folders, tmp_path: Path) -> None:
    (tile,) = tiles["val"]
    bare = tmp_path / "bare"
    bare.mkdir()
    for layer, nodata in (("height", np.nan), ("labels", 255)):
        values = np.full_like(map_raster(tile / f"{layer}.tif"), nodata)
        write_map(bare / f"{layer}.tif", values, tile / f"{layer}.tif")
    classes, heights = ClassMapCalibration(SEMANTICS, SPEC), HeightMapCalibration(HEIGHT, SPEC, [], spread=False)
    for part in (classes, heights):
        part.add(tmp_path, bare)  # there are no maps, and none is read
        assert part.result() is None


def test_a_map_without_a_height_where_there_is_truth_is_refused(tiles: Folders, tmp_path: Path) -> None:
    (tile,) = tiles["val"]
    write_map(tmp_path / "height.tif", np.full_like(heights_of(tile), np.nan), tile / "height.tif")
    with pytest.raises(DataError, match="cells without a height; expected a height wherever there is truth"):
        HeightMapCalibration(HEIGHT, SPEC, [], spread=False).add(tmp_path, tile)


def test_maps_lie_on_the_grid_of_the_truth(tiles: Folders, tmp_path: Path) -> None:
    (tile,) = tiles["val"]
    with rasterio.open(tile / "labels.tif") as labels:
        assert labels.shape != heights_of(tile).shape
    write_map(tmp_path / "height.tif", np.zeros(labels.shape, np.float32), tile / "labels.tif")
    with pytest.raises(DataError, match=r"cells; expected .* as .*height\.tif"):
        HeightMapCalibration(HEIGHT, SPEC, [], spread=False).add(tmp_path, tile)
