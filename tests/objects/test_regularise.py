"""Regularised outlines: few corners of right angles, and the outline along pixels where that fails."""

import logging
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely

from mtlaerial.config.objects import ObjectsSpec
from mtlaerial.objects import regularise as module
from mtlaerial.objects.object_store import ObjectStore
from mtlaerial.objects.region import Region, read_region
from mtlaerial.objects.regularise import regularise
from mtlaerial.objects.vectorise import store_objects, vectorise
from support.object_maps import grid, write_maps

pytest.importorskip("buildingregulariser")
SPEC = ObjectsSpec(regularise=True)


def turned_rectangle(rows: int, columns: int, degrees: float) -> np.ndarray:
    """Return codes of a rectangle of 40 by 20 pixels, turned."""
    y, x = np.mgrid[:rows, :columns] + 0.5 - np.array([rows / 2, columns / 2])[:, None, None]
    angle = np.deg2rad(degrees)
    along, across = x * np.cos(angle) - y * np.sin(angle), x * np.sin(angle) + y * np.cos(angle)
    return ((abs(along) < 20) & (abs(across) < 10)).astype(np.uint8)


def test_a_turned_rectangle_gets_four_right_angles_and_its_size(tmp_path: Path) -> None:
    codes = turned_rectangle(60, 60, 25)
    maps = write_maps(tmp_path / "maps", grid(60, 60), codes, 300 * codes.astype(np.int16))
    vectorise([maps], tmp_path / "objects.gpkg", SPEC)
    (row,) = gpd.read_file(tmp_path / "objects.gpkg").to_dict("records")
    polygon = row["geometry"]
    assert len(shapely.get_coordinates(polygon)) == 5
    sides = np.diff(shapely.get_coordinates(polygon), axis=0)
    lengths = np.linalg.norm(sides, axis=1)
    cosines = (sides[:-1] * sides[1:]).sum(axis=1) / lengths[:-1] / lengths[1:]
    np.testing.assert_allclose(cosines, 0, atol=1e-4)
    assert row["area"] == pytest.approx(20 * 10, rel=0.1)
    assert row["area"] == pytest.approx(polygon.area, rel=2e-3), "on the ground, as the scale of UTM has it"
    assert row["perimeter"] == pytest.approx(60, rel=0.1), "along pixels it is longer by the steps"
    assert row["volume"] == pytest.approx(3 * row["area"])
    assert polygon.exterior.is_ccw


def stored(codes: np.ndarray, folder: Path) -> tuple[ObjectStore, Region]:
    """Return a store with the objects of codes, 3 m high."""
    region = read_region([write_maps(folder, grid(*codes.shape), codes, 300 * codes.astype(np.int16))])
    store = ObjectStore("EPSG:32632")
    store_objects(region, (1,), SPEC, {}, store)
    return store, region


def outlines(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *replaced: Any) -> tuple[Any, int, Any]:
    """Return the table, its kept outlines and the raw table of three objects, with what the package gives replaced."""
    codes = np.zeros((20, 60), np.uint8)
    for column in (2, 22, 42):
        codes[4:14, column : column + 12] = 1
    store, region = stored(codes, tmp_path / "maps")
    with store:
        frame = store.frame()
        regular = [each(polygon) for each, polygon in zip(replaced, frame.geometry, strict=True)]
        monkeypatch.setattr(module, "_regularised", lambda polygons, tolerance: np.array(regular, dtype=object))
        kept = regularise(store, region.grid)
        return store.frame(), kept, frame


def shrunk(polygon: shapely.Polygon) -> shapely.Polygon:
    return polygon.buffer(-0.5, join_style="mitre")


def test_outlines_that_overlap_are_taken_back(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def grown(polygon: shapely.Polygon) -> shapely.Polygon:
        west, south, east, north = polygon.bounds
        return shapely.box(west, south, east + 4.9, north)

    result, kept, raw = outlines(monkeypatch, tmp_path, grown, shrunk, shrunk)
    assert kept == 2, "the first one grows into the second one, and both keep their outline"
    same = result.geometry.geom_equals(raw.geometry).tolist()
    assert same == [True, True, False]
    assert result["area"].iloc[2] == pytest.approx(4 * 5)
    assert result["volume"].iloc[2] == pytest.approx(3 * 4 * 5)


def test_outlines_far_from_the_pixels_are_taken_back(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def spiked(polygon: shapely.Polygon) -> shapely.Polygon:
        west, south, east, north = polygon.bounds
        return shapely.Polygon([(west, south), (east, south), (east, north), (west, north + 11 * 0.5)])

    def lacking(polygon: shapely.Polygon) -> shapely.Polygon:
        west, south, _, north = polygon.bounds
        return shapely.box(west, south, west + 0.5, north)

    result, kept, raw = outlines(monkeypatch, tmp_path, spiked, lacking, shrunk)
    assert kept == 2, "a corner 11 pixels beyond the outline, and corners 11 pixels inside"
    assert result.geometry.geom_equals(raw.geometry).tolist() == [True, True, False]


def test_invalid_empty_and_missing_outlines_are_taken_back(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    bow = shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
    result, kept, raw = outlines(monkeypatch, tmp_path, lambda _: bow, lambda _: shapely.Polygon(), lambda _: None)
    assert kept == 3
    assert result.to_wkb().equals(raw.to_wkb())


def test_the_log_says_how_many_keep_their_outline(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    codes = turned_rectangle(60, 60, 25)
    maps = write_maps(tmp_path / "maps", grid(60, 60), codes, 300 * codes.astype(np.int16))
    vectorise([maps], tmp_path / "objects.gpkg", SPEC)
    assert "0 of 1 objects keep their outline along pixels." in caplog.messages
