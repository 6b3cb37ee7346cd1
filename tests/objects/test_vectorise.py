"""Vectorising: regions of several maps, columns, and faults in one sentence each."""

import logging
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
from rasterio.crs import CRS

from mtlaerial.config.consistency import ConsistencyRule
from mtlaerial.config.objects import ObjectsSpec
from mtlaerial.errors import UserError
from mtlaerial.objects.columns import COLUMNS
from mtlaerial.objects.region import read_region
from mtlaerial.objects.vectorise import find_objects, vectorise
from support.object_maps import grid, random_maps, write_maps

EVERYTHING = ObjectsSpec(classes=("building", "tree"), min_area=0.0, min_hole=0.0)
BUILDING = np.ones((4, 6), np.uint8)
HEIGHTS = np.full((4, 6), 300, np.int16)


def write(maps: Path | Sequence[Path], out: Path, spec: ObjectsSpec = EVERYTHING, **options: Any) -> gpd.GeoDataFrame:
    number = vectorise([maps] if isinstance(maps, Path) else maps, out, spec, **options)
    frame = gpd.read_file(out)
    assert len(frame) == number
    return frame


def test_tiles_side_by_side_give_the_objects_of_one_map(tmp_path: Path) -> None:
    maps = random_maps(np.random.default_rng(5))
    codes, heights = (np.tile(values, (2, 2)) for values in maps.values())
    rows, columns = codes.shape
    whole = write_maps(tmp_path / "whole", grid(rows, columns), codes, heights)
    split = (rows // 3, columns // 2)
    tiles = []
    for row, below in ((0, split[0]), (split[0], rows)):
        for column, right in ((0, split[1]), (split[1], columns)):
            part = np.s_[row:below, column:right]
            place = grid(below - row, right - column, row=row, column=column)
            tiles.append(write_maps(tmp_path / f"{row}_{column}", place, codes[part], heights[part]))
    expected = write(whole, tmp_path / "whole.gpkg")
    assert write(tiles[::-1], tmp_path / "tiles.gpkg").to_wkb().equals(expected.to_wkb())
    assert len(write(tiles[:1], tmp_path / "first.gpkg")) < len(expected)


def test_first_map_counts_where_maps_overlap_and_the_log_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = write_maps(tmp_path / "first", grid(4, 6), 0 * BUILDING, HEIGHTS)
    second = write_maps(tmp_path / "second", grid(4, 6, column=4), BUILDING, HEIGHTS)
    with caplog.at_level(logging.WARNING):
        (area,) = write([first, second], tmp_path / "a.gpkg")["area"]
    assert area == 4 * 4 * 0.25
    assert f"Maps overlap: {first} and {second}. There the maps that are named first count." in caplog.messages
    (area,) = write([second, first], tmp_path / "b.gpkg")["area"]
    assert area == 4 * 6 * 0.25


def test_columns_have_their_dtypes_and_empty_ones_are_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    maps = write_maps(tmp_path / "maps", grid(4, 6), BUILDING, HEIGHTS)
    frame, _ = find_objects(read_region([maps]), (1,), EVERYTHING, {})
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == {
        **{column.name: column.dtype for column in COLUMNS},
        "geometry": "geometry",
    }
    frame = write(maps, tmp_path / "objects.gpkg")
    empty = frame.columns[frame.isna().all()].tolist()
    assert empty == ["height_lower", "height_upper", "probability", "violations"]
    for name in empty:
        assert any(name in message for message in caplog.messages), name
    assert frame.crs.to_epsg() == 32632


def test_file_says_in_how_many_maps_layers_are_missing(tmp_path: Path) -> None:
    first = write_maps(tmp_path / "first", grid(4, 6), BUILDING)
    second = write_maps(tmp_path / "second", grid(4, 6, column=8), BUILDING, HEIGHTS, probability=0.8)
    frame = write([first, second], tmp_path / "objects.gpkg")
    assert frame[["height_median", "volume", "probability"]].isna().to_numpy().tolist() == [[True] * 3, [False] * 3]
    notes = pyogrio.read_info(tmp_path / "objects.gpkg")["layer_metadata"]["NOTES"]
    assert "heights and volume are empty in 1 of 2 maps: there is no map of heights." in notes
    assert "probability is empty in 1 of 2 maps: predict with --layers probabilities." in notes


def test_probability_and_violations_are_means_over_the_pixels(tmp_path: Path) -> None:
    heights = HEIGHTS.copy()
    heights[:, :3] = 150
    heights[0, 0] = -32768
    maps = write_maps(tmp_path / "maps", grid(4, 6), BUILDING, heights, probability=0.8)
    frame = write(maps, tmp_path / "objects.gpkg", rules={"building": ConsistencyRule(height=">= 2")})
    assert frame["probability"].tolist() == [0.8]
    assert frame["violations"].tolist() == [pytest.approx(11 / 23)]


def test_heights_of_larger_cells_are_taken_where_a_pixel_lies(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    codes = np.zeros((4, 8), np.uint8)
    codes[:, :2], codes[:, 4:] = 1, 1
    maps = write_maps(tmp_path / "maps", grid(4, 8), codes)
    other = write_maps(tmp_path / "coarse", grid(2, 4, pixel=1.0), codes[::2, ::2], np.array([[1, 2, 3, 5]] * 2) * 100)
    (other / "height.tif").rename(maps / "height.tif")
    assert write(maps, tmp_path / "objects.gpkg")["height_median"].tolist() == [1.0, 4.0]
    assert any("cells of 1 x 1, the classes 0.5 x 0.5" in message for message in caplog.messages)


def test_areas_are_those_on_the_ground(tmp_path: Path) -> None:
    # Web Mercator at 41.0 degrees north: its scale is 1 / cos(latitude), to a few parts in a thousand.
    mercator = CRS.from_epsg(3857)
    maps = write_maps(tmp_path / "maps", grid(4, 6, crs=mercator), BUILDING, HEIGHTS)
    (row,) = write(maps, tmp_path / "objects.gpkg").to_dict("records")
    latitude = np.arctan(np.sinh(5_000_000 / 6_378_137))
    assert row["area"] == pytest.approx(6 * np.cos(latitude) ** 2, rel=0.01)
    assert row["perimeter"] == pytest.approx(10 * np.cos(latitude), rel=0.01)


@pytest.mark.parametrize("suffix", [".gpkg", ".parquet", ".city.json"])
def test_no_objects_are_an_empty_layer_with_all_columns(tmp_path: Path, suffix: str) -> None:
    maps = write_maps(tmp_path / "maps", grid(4, 6), 0 * BUILDING, HEIGHTS)
    out = tmp_path / f"objects{suffix}"
    assert vectorise([maps], out, EVERYTHING) == 0
    if suffix == ".city.json":
        assert '"CityObjects":{}' in out.read_text()
        return
    read = gpd.read_parquet(out) if suffix == ".parquet" else gpd.read_file(out)
    assert len(read) == 0
    assert {column.name for column in COLUMNS} <= set(read.columns)


def refused(error: str, maps: Path | Sequence[Path], out: Path, spec: ObjectsSpec = EVERYTHING, **options: Any) -> None:
    with pytest.raises(UserError, match=error):
        write(maps, out, spec, **options)
    assert not list(out.parent.glob(".*.part*"))


def test_wrong_maps_are_refused_in_one_sentence(tmp_path: Path) -> None:
    out = tmp_path / "objects.gpkg"
    good = write_maps(tmp_path / "good", grid(4, 6), BUILDING, HEIGHTS)
    (tmp_path / "empty").mkdir()
    refused(r"semantics\.tif: found no such map", tmp_path / "empty", out)
    refused(r"semantics\.tif: found no such folder", tmp_path / "absent", out)
    refused(
        rf"Maps of images \(1\) are in folders of their own in it: give those, such as {re.escape(str(good))}",
        tmp_path,
        out,
    )
    for name, place, error in (
        ("shifted", grid(4, 6, column=6.3), r"pixels that lie 0\.3 of a pixel beside; expected the grid of .*good"),
        ("coarse", grid(4, 6, pixel=1.0), r"found pixels of 1 x 1; expected the grid of .*good.* of 0\.5 x 0\.5"),
        ("zone", grid(4, 6, crs=CRS.from_epsg(32633)), r"found EPSG:32633; expected EPSG:32632, as .*good"),
    ):
        refused(error, [good, write_maps(tmp_path / name, place, BUILDING, HEIGHTS)], out)
    other = write_maps(tmp_path / "other", grid(4, 6, row=4), BUILDING, HEIGHTS, classes=("ground", "roof"))
    refused("found the classes ground, roof; expected those of", [good, other], out)
    zone = write_maps(tmp_path / "mixed", grid(4, 6), BUILDING)
    (tmp_path / "zone" / "height.tif").rename(zone / "height.tif")
    refused(r"height\.tif: found EPSG:32633; expected EPSG:32632, as the classes have", zone, out)
    assert not out.exists()


def test_maps_without_square_metres_are_refused_with_a_command(tmp_path: Path) -> None:
    out = tmp_path / "objects.gpkg"
    none = write_maps(tmp_path / "none", grid(4, 6, crs=None), BUILDING, HEIGHTS)
    refused(r"found no CRS; .* rio edit-info --crs EPSG:CODE .*semantics\.tif", none, out)
    place = grid(4, 6, pixel=1e-5, crs=CRS.from_epsg(4326))
    degrees = place.__class__(place.crs, place.transform.__class__(1e-5, 0, -95.4, 0, -1e-5, 29.7), 4, 6)
    maps = write_maps(tmp_path / "degrees", degrees, BUILDING, HEIGHTS)
    refused(r"found EPSG:4326; .* rio warp ORTHO\.tif .* --dst-crs EPSG:32615", maps, out)


def test_wrong_options_are_refused_in_one_sentence(tmp_path: Path) -> None:
    maps = write_maps(tmp_path / "maps", grid(4, 6), BUILDING, HEIGHTS)
    out = tmp_path / "objects.gpkg"
    spec = ObjectsSpec(classes=("buildin",))
    refused(r"classes: found 'buildin'; expected .*: ground, building, tree\. Did you mean building", maps, out, spec)
    rules = {"roof": ConsistencyRule(height=">= 2")}
    refused("consistency: found 'roof'; expected classes of the maps", maps, out, rules=rules)
    refused(r"--out: found objects\.shp; expected a name that ends in \.gpkg", maps, tmp_path / "objects.shp")
    refused("--ground: found a ground model for objects.gpkg", maps, out, ground=maps / "height.tif")
    write(maps, out)
    before = out.read_bytes()
    refused(r"objects\.gpkg: found a file; expected none\. .* add --replace", maps, out)
    write(maps, out, replace=True)
    assert out.read_bytes() == before


def test_missing_packages_are_named_with_the_command_that_installs_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    maps = write_maps(tmp_path / "maps", grid(4, 6), BUILDING, HEIGHTS)
    monkeypatch.setattr("mtlaerial.objects.geoparquet.find_spec", lambda name: None)
    monkeypatch.setattr("mtlaerial.objects.regularise.find_spec", lambda name: None)
    install = r"pip install 'mtlaerial\[objects\]'"
    refused(f"no package pyarrow; .* {install}", maps, tmp_path / "objects.parquet")
    spec = EVERYTHING.model_copy(update={"regularise": True})
    refused(f"no package buildingregulariser; .* {install}", maps, tmp_path / "objects.gpkg", spec)
