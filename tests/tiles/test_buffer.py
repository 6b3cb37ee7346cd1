"""The buffer: which truth of which tiles it takes, in which CRS, and where it cannot be applied."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyproj import Transformer
from rasterio.crs import CRS

from mtlaerial.config import IGNORED
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.datasets.check import check_dataset, summary
from mtlaerial.errors import DataError
from mtlaerial.rasters.geotiff import map_raster
from mtlaerial.tiles.prepare import prepare_tile
from support import tiny

SIDE = 40
"""Pixels of 0.5 m: 20 m."""
SPLITS = {"train": ["a", "far"], "val": ["b"], "test": ["c"]}
PLACES = {"a": (0.0, 0.0), "b": (24.0, 0.0), "c": (8.0, -27.0), "far": (500.0, 0.0)}
"""Metres of each tile's north-west corner from the first's: b lies 4 m east of a, c 7 m south."""


def written(root: Path, crs: dict[str, int] | None = None, pixel: float = 0.5, **changes: Any) -> Dataset:
    """Write four tiles with heights of 10 m and one class, each in its CRS on the same ground."""
    dataset = Dataset("town", tiny.city_spec(**{"splits": SPLITS, "crs": None, "gsd": None, **changes}), root)
    for tile, (east, north) in PLACES.items():
        west, top = tiny.WEST + east, tiny.NORTH + north
        code = (crs or {}).get(tile, 32631)
        west, top = Transformer.from_crs(32631, code, always_xy=True).transform(west, top)
        place = {"west": west, "north": top, "crs": CRS.from_epsg(code), "pixel": pixel}
        tiny.write_raster(root / f"images/{tile}.tif", np.full((3, SIDE, SIDE), 50 + len(tile), np.uint8), **place)
        tiny.write_raster(root / f"labels/{tile}.tif", np.ones((SIDE, SIDE), np.uint8), **place)
        size = SIDE // 2
        coarse = {**place, "pixel": 2 * pixel}
        tiny.write_raster(root / f"height/{tile}.tif", np.full((size, size), 10, np.float32), **coarse)
    return dataset


def distances(tile: str, other: str, cells: int, size: float) -> np.ndarray:
    """Return the distance in metres from the centre of each cell of a tile to another tile."""
    offsets = (np.arange(cells) + 0.5) * size
    (east, north), (west, top) = PLACES[tile], PLACES[other]
    x, y = east + offsets, north - offsets[:, None]
    outside_x = np.maximum(np.maximum(west - x, x - west - 20), 0)
    outside_y = np.maximum(np.maximum(top - 20 - y, y - top), 0)
    return np.hypot(outside_x, outside_y)


def prepared(dataset: Dataset, tile: str) -> tuple[np.ndarray, np.ndarray]:
    """Return which labels and which heights of a prepared tile are no-data."""
    folder = dataset.root / "prepared" / tile
    prepare_tile(dataset, tile, folder)
    return map_raster(folder / "labels.tif") == IGNORED, np.isnan(map_raster(folder / "height.tif"))


def test_truth_near_tiles_of_later_splits_is_not_used(tmp_path: Path) -> None:
    dataset = written(tmp_path, buffer=9.3)
    taken = {tile: prepared(dataset, tile) for tile in PLACES}
    for layer, (cells, size) in enumerate([(SIDE, 0.5), (SIDE // 2, 1.0)]):
        near = {other: distances("a", other, cells, size) < 9.3 for other in "bc"}
        assert (taken["a"][layer] == (near["b"] | near["c"])).all()
        assert 0 < (near["b"] & near["c"]).sum() < near["b"].sum()
        assert (taken["b"][layer] == (distances("b", "c", cells, size) < 9.3)).all()
        assert not taken["c"][layer].any()
        assert not taken["far"][layer].any()


def test_distances_to_tiles_in_another_zone_are_right(tmp_path: Path) -> None:
    labels, _ = prepared(written(tmp_path, {"b": 32630}, buffer=12), "a")
    # The held-out tile is turned by 4 degrees about its north-west corner, which is at its place.
    expected = (distances("a", "b", SIDE, 0.5)[0] < 12).sum()
    assert labels[0].sum() == pytest.approx(expected, abs=2)
    assert expected == 16


def test_distances_in_web_mercator_are_metres_on_the_ground(tmp_path: Path) -> None:
    """There a unit is 0.71 m at this latitude, tiles of 20 units are smaller, and b is farther away in units."""
    labels, _ = prepared(written(tmp_path, dict.fromkeys(PLACES, 3857), buffer=12), "a")
    unit = np.cos(np.radians(45.15))
    assert labels[0].sum() == pytest.approx((12 / unit - (24 / unit - 20)) / 0.5, abs=1)


def test_without_a_buffer_all_truth_is_used(tmp_path: Path) -> None:
    dataset = written(tmp_path)
    assert not any(layer.any() for tile in PLACES for layer in prepared(dataset, tile))


def test_the_check_says_what_the_buffer_takes(tmp_path: Path) -> None:
    dataset = written(tmp_path, buffer=9)
    report = check_dataset(dataset)
    text = summary(report)
    # Of two tiles of 400 m², shapes with one rounded corner each: compare with the cells.
    cells = sum(prepared(dataset, tile)[0].sum() for tile in ("a", "far")) / (2 * SIDE**2)
    note = next(note for note in report.notes if "train tiles" in note)
    assert note in text
    share = float(note.split("takes ")[1].split(" %")[0])
    assert share == pytest.approx(100 * cells, abs=0.5)
    assert "of the ground of the val tiles" in text
    assert not any(finding.where == "buffer" for finding in report.findings)


def test_a_buffer_makes_common_ground_harmless_and_must_leave_some(tmp_path: Path) -> None:
    splits = {"train": ["a"], "test": ["b"]}
    dataset = written(tmp_path, splits=splits)
    place = {"west": tiny.WEST + 10, "north": tiny.NORTH}
    tiny.write_raster(tmp_path / "images/b.tif", np.full((3, SIDE, SIDE), 9, np.uint8), **place)
    assert "50 % of the smaller" in "".join(finding.found for finding in check_dataset(dataset).splits)
    for metres, faults in ((2, []), (30, ["buffer"])):
        dataset = Dataset("town", tiny.city_spec(splits=splits, crs=None, gsd=None, buffer=metres), tmp_path)
        assert [finding.where for finding in check_dataset(dataset).splits] == faults


def test_a_buffer_needs_a_georeference(tmp_path: Path) -> None:
    dataset = written(tmp_path, buffer=5, gsd=0.5)
    tiny.write_raster(tmp_path / "images/b.tif", np.full((3, SIDE, SIDE), 9, np.uint8), pixel=0)
    with pytest.raises(DataError, match="buffer: found no georeference of tile b"):
        prepare_tile(dataset, "a", tmp_path / "a")
    prepare_tile(dataset, "c", tmp_path / "c")
    (finding,) = [finding for finding in check_dataset(dataset).splits if finding.where == "buffer"]
    assert (finding.level, finding.found[:29]) == ("error", "no georeference of val tile b")
