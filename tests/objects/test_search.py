"""Search for objects: outlines as GDAL's polygoniser has them, statistics as NumPy has them, in any strips."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely

from mtlaerial.config.objects import ObjectsSpec
from mtlaerial.objects.region import read_region
from mtlaerial.objects.vectorise import find_objects
from support.object_maps import grid, random_maps, reference_objects, write_maps

EVERYTHING = {"min_area": 0.0, "min_hole": 0.0}
CELL = 0.25


def find(folder: Path, block: int = 2**22, codes: tuple[int, ...] = (1, 2), **spec: Any) -> Any:
    frame, _ = find_objects(read_region([folder]), codes, ObjectsSpec(**spec), {}, block)
    return frame


def written(folder: Path, codes: Any, heights: Any = None) -> Path:
    array = np.array(codes, dtype=np.uint8)
    return write_maps(folder, grid(*array.shape), array, heights)


@pytest.mark.parametrize("seed", range(6))
def test_outlines_are_those_of_gdal_and_valid(tmp_path: Path, seed: int) -> None:
    maps = random_maps(np.random.default_rng(seed))
    frame = find(written(tmp_path, **maps), **EVERYTHING)
    expected = reference_objects(maps["codes"], (1, 2), grid(1, 1).transform)
    assert len(frame) == len(expected)
    assert frame.geometry.is_valid.all()
    for polygon, (reference, pixels) in zip(frame.geometry, expected, strict=True):
        assert polygon.equals(reference)
        assert len(shapely.get_coordinates(polygon)) == len(shapely.get_coordinates(reference)), "corners alone"
        assert polygon.exterior.is_ccw
        assert not any(ring.is_ccw for ring in polygon.interiors)
        assert polygon.area == pixels.sum() * CELL


@pytest.mark.parametrize("seed", range(3))
def test_statistics_are_those_of_the_pixels(tmp_path: Path, seed: int) -> None:
    maps = random_maps(np.random.default_rng(seed))
    codes, heights = maps["codes"], maps["heights"]
    frame = find(written(tmp_path, **maps), **EVERYTHING)
    empty = np.pad(codes, 1, constant_values=255) == 255
    beside = empty[:-2, 1:-1] | empty[2:, 1:-1] | empty[1:-1, :-2] | empty[1:-1, 2:]
    expected = reference_objects(codes, (1, 2), grid(1, 1).transform)
    for row, (polygon, pixels) in zip(frame.to_dict("records"), expected, strict=True):
        metres = heights[pixels & (heights >= 0)] / 100
        assert row["touches_edge"] == beside[pixels].any()
        assert row["perimeter"] == pytest.approx(polygon.length)
        measures = [row[name] for name in ("height_median", "height_p90", "height_max", "volume")]
        if metres.size:
            mean = metres.mean() * pixels.sum() * CELL
            reference = [np.median(metres), np.percentile(metres, 90), metres.max(), mean]
            np.testing.assert_allclose(measures, reference, rtol=1e-12)
        else:
            assert np.isnan(measures).all()


@pytest.mark.quick_cases(1, "a prediction a case")
@pytest.mark.parametrize("limits", [EVERYTHING, {"min_area": 1.0, "min_hole": 0.5}], ids=["all", "large"])
def test_result_does_not_depend_on_the_strips(tmp_path: Path, limits: dict[str, float]) -> None:
    for seed in range(3):
        maps = random_maps(np.random.default_rng(seed))
        folder = written(tmp_path / str(seed), **maps)
        whole = find(folder, **limits)
        for rows in (1, 3):
            frame = find(folder, block=rows * maps["codes"].shape[1], **limits)
            assert frame.to_wkb().equals(whole.to_wkb())


def test_a_ring_closed_over_a_corner_has_its_hole_touch_the_outline(tmp_path: Path) -> None:
    # The two pixels that meet in the corner belong to one object only because of the rows further south.
    folder = written(tmp_path, [[0, 1, 1], [1, 0, 1], [1, 1, 1]])
    for block in (3, 9):
        (polygon,) = find(folder, block=block, **EVERYTHING).geometry
        assert polygon.is_valid
        assert len(polygon.interiors) == 1
        assert polygon.exterior.intersects(polygon.interiors[0])


def test_small_holes_are_filled_and_small_objects_left_out(tmp_path: Path) -> None:
    codes = np.zeros((12, 14), np.uint8)
    codes[1:8, 1:10] = 1
    codes[2, 2] = 0  # a hole of 0.25 m²
    codes[4:6, 4:8] = 0  # a hole of 2 m²
    codes[10, 1:5] = 1  # an object of 1 m²
    heights = np.full(codes.shape, 500, np.int16)
    heights[2, 2] = 0
    region = read_region([written(tmp_path, codes, heights)])
    frame, left_out = find_objects(region, (1,), ObjectsSpec(min_area=2.0, min_hole=2.0), {})
    (row,) = frame.to_dict("records")
    assert left_out == 1
    assert row["area"] == 63 * CELL - 2
    assert len(row["geometry"].interiors) == 1
    assert row["volume"] == pytest.approx(row["area"] * 5), "the filled pixel has the mean height of the object"
    assert len(find(tmp_path, codes=(1,), min_area=1.0, min_hole=1.0)) == 2


def test_classes_side_by_side_are_objects_of_their_own(tmp_path: Path) -> None:
    frame = find(written(tmp_path, [[1, 2], [1, 2]]), **EVERYTHING)
    assert frame["class"].tolist() == ["building", "tree"]
    assert frame.geometry.iloc[0].touches(frame.geometry.iloc[1])


def test_holes_larger_than_objects_are_refused() -> None:
    with pytest.raises(ValueError, match="at most min_area, 1 m²: an object could lie in a hole that is filled"):
        ObjectsSpec(min_area=1.0, min_hole=2.0)
