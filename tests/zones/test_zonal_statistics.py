"""Zonal statistics of polygons: against pixels that are counted here, across CRSs, processes and sheets."""

import logging
import shutil
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import rasterio
import shapely
from typer.testing import CliRunner

from mtlaerial.cli import app
from mtlaerial.config.objects import ObjectsSpec
from mtlaerial.errors import DataError, UserError
from mtlaerial.objects.vectorise import vectorise
from mtlaerial.zones.zonal_statistics import write_zonal_statistics
from support.object_maps import CLASSES, NO_HEIGHT, grid, write_maps

ROWS, COLUMNS, PIXEL = 60, 80, 0.5
GRID = grid(ROWS, COLUMNS, PIXEL)
WEST, SOUTH, EAST, NORTH = GRID.bounds
AREAS = [f"map_area_{name}" for name in CLASSES]
HEIGHTS = [f"map_height_{name}" for name in ("mean", "median", "p90", "max")]

PARCELS = [9_007_199_254_740_993, None, 2**62 + 1]
"""Identifiers that float64 does not hold, and an empty one."""


@pytest.fixture(scope="module")
def pixels() -> tuple[np.ndarray, np.ndarray]:
    """Return classes and heights in centimetres, with a corner of no data; some heights are below 0."""
    random = np.random.default_rng(3)
    codes = random.integers(0, len(CLASSES), (ROWS, COLUMNS)).astype(np.uint8)
    heights = random.integers(-20, 2000, (ROWS, COLUMNS)).astype(np.int16)
    codes[:6, :6], heights[:6, :6] = 255, NO_HEIGHT
    return codes, heights


@pytest.fixture(scope="module")
def maps(pixels: tuple[np.ndarray, np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_maps(tmp_path_factory.mktemp("zones") / "maps", GRID, *pixels)


def box(row: int, column: int, rows: int, columns: int) -> Any:
    """Return the outline of some pixels."""
    west, north = WEST + column * PIXEL, NORTH - row * PIXEL
    return shapely.box(west, north - rows * PIXEL, west + columns * PIXEL, north)


def layer(path: Path, shapes: list[Any], crs: Any = "EPSG:32632", **attributes: list[Any]) -> Path:
    gpd.GeoDataFrame(attributes, geometry=shapes, crs=crs).to_file(path)
    return path


def zones(maps: Path, polygons: Path, **options: Any) -> gpd.GeoDataFrame:
    out = polygons.with_name(f"{polygons.stem}_out.gpkg")
    write_zonal_statistics(maps, polygons, [out], **options)
    return gpd.read_file(out)


def test_areas_and_heights_are_those_of_the_pixels(
    maps: Path, pixels: tuple[np.ndarray, np.ndarray], tmp_path: Path
) -> None:
    codes, heights = pixels
    table = zones(maps, layer(tmp_path / "a.gpkg", [box(0, 0, 12, 10), box(20, 30, 31, 44)], name=["a", "b"]))
    assert table["name"].tolist() == ["a", "b"]
    for row, part in zip(table.itertuples(), (np.s_[0:12, 0:10], np.s_[20:51, 30:74]), strict=True):
        planar = codes[part].size * PIXEL**2
        assert row.map_area == pytest.approx(planar, rel=1e-3), "the ellipsoid, not the plane"
        assert row.map_no_data == pytest.approx((codes[part] == 255).mean())
        for code, name in enumerate(AREAS):
            assert getattr(row, name) == pytest.approx(row.map_area * (codes[part] == code).mean())
        metres = np.maximum(heights[part][heights[part] != NO_HEIGHT], 0) / 100
        assert row.map_height_mean == pytest.approx(metres.mean())
        assert row.map_height_max == metres.max()
        assert row.map_height_median == pytest.approx(np.median(metres), abs=0.05)
        assert row.map_height_p90 == pytest.approx(np.quantile(metres, 0.9), abs=0.05)


def test_a_pixel_counts_by_its_share_within_the_polygon(tmp_path: Path) -> None:
    codes, heights = np.array([[0, 1]], np.uint8), np.array([[100, 500]], np.int16)
    maps = write_maps(tmp_path / "maps", grid(1, 2, PIXEL), codes, heights)
    quarter = shapely.box(WEST, NORTH - PIXEL, WEST + PIXEL * 1.25, NORTH)
    (row,) = zones(maps, layer(tmp_path / "a.gpkg", [quarter])).itertuples()
    assert row.map_area_building / row.map_area == pytest.approx(0.2)
    assert row.map_height_mean == pytest.approx(0.8 * 1 + 0.2 * 5)


def test_polygons_in_degrees_have_the_same_statistics(maps: Path, tmp_path: Path) -> None:
    shapes = [shapely.Point(600_020, 4_999_985).buffer(11), box(2, 2, 50, 20)]
    first = zones(maps, layer(tmp_path / "metres.gpkg", shapes))
    degrees = gpd.GeoSeries(shapes, crs="EPSG:32632").to_crs("EPSG:4326")
    second = zones(maps, layer(tmp_path / "degrees.geojson", list(degrees), "EPSG:4326"))
    assert second.crs.to_epsg() == 4326
    for name in ["map_area", "map_no_data", *AREAS, *HEIGHTS]:
        assert second[name].tolist() == pytest.approx(first[name].tolist(), rel=1e-4), name


def test_polygons_outside_and_features_without_polygon_are_kept_and_said(
    maps: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    far = shapely.box(0, 0, 10, 10)
    half = box(-10, 0, 20, 20)
    bow = shapely.Polygon(
        [(WEST + 5, NORTH - 20), (WEST + 15, NORTH - 10), (WEST + 15, NORTH - 20), (WEST + 5, NORTH - 10)]
    )
    polygons = layer(tmp_path / "a.gpkg", [far, None, half, bow], name=list("abcd"))
    with caplog.at_level(logging.INFO):
        table = zones(maps, polygons)
    assert table["name"].tolist() == list("abcd")
    assert table["map_no_data"].tolist()[0] == 1
    assert table.loc[0, HEIGHTS].isna().all()
    assert table.loc[1, ["map_area", *AREAS]].isna().all()
    assert table["map_no_data"][2] == pytest.approx(0.5 + 36 / 400)
    assert table["map_area"][3] == pytest.approx(50, rel=1e-3)
    assert table["map_no_data"][3] == 0
    messages = " ".join(caplog.messages)
    assert "4 polygons: 1 have nothing of the maps, and 1 a part without a class" in messages
    assert "Invalid polygons that were made valid: 1." in messages
    assert "Features without a polygon that has an area: 1;" in messages


@pytest.mark.full("two processes")
def test_processes_and_order_change_nothing(maps: Path, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    places = random.uniform((WEST, SOUTH), (EAST, NORTH), (40, 2))
    shapes = [shapely.Point(place).buffer(size) for place, size in zip(places, random.uniform(0.2, 8, 40), strict=True)]
    polygons = layer(tmp_path / "a.gpkg", shapes, number=list(range(40)))
    one = zones(maps, polygons)
    assert zones(maps, polygons, jobs=2, replace=True).equals(one)
    back = zones(maps, layer(tmp_path / "b.gpkg", shapes[::-1], number=list(range(40))[::-1]))
    assert back.sort_values("number", ignore_index=True).equals(one)


def test_objects_are_counted_once_in_polygons_that_share_a_border(tmp_path: Path) -> None:
    codes = np.zeros((20, 20), np.uint8)
    codes[2:6, 8:12] = codes[10:14, 1:5] = codes[10:12, 8:12] = 1
    maps = write_maps(tmp_path / "maps", grid(20, 20, PIXEL), codes, np.full((20, 20), 300, np.int16))
    vectorise([maps], tmp_path / "objects.gpkg", ObjectsSpec(classes=("building", "tree"), min_area=0.5, min_hole=0.0))
    halves = layer(tmp_path / "a.gpkg", [box(0, 0, 20, 10), box(0, 10, 20, 10), box(0, 0, 20, 20)])
    table = zones(maps, halves, objects=tmp_path / "objects.gpkg")
    west, east, both = table["map_objects_building"]
    assert both == 3
    assert west + east == both, "two objects have their middle on the border"
    degrees = gpd.read_file(tmp_path / "objects.gpkg").to_crs(4326)
    degrees.to_file(tmp_path / "degrees.gpkg")
    table = zones(maps, halves, objects=tmp_path / "degrees.gpkg", replace=True)
    assert table["map_objects_building"].tolist()[2] == 3


@pytest.mark.parametrize(
    ("tags", "words"),
    [
        (
            {"RUN": "other", "IMAGE": "old.tif"},
            "the run other (the maps: town) and of the image old.tif (the maps: maps)",
        ),
        ({"RUN_ID": "5678"}, "another run called town"),
        ({"IMAGE_ID": "5678"}, "another image called maps"),
        ({}, ""),
    ],
)
def test_objects_of_other_maps_are_counted_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, tags: dict[str, str], words: str
) -> None:
    codes = np.ones((4, 4), np.uint8)
    maps = write_maps(tmp_path / "maps", grid(4, 4, PIXEL), codes)
    written = {"RUN_ID": "1234", "IMAGE_ID": "1234"}
    for changes in (tags, {"RUN": "town", "IMAGE": "maps"}):
        with rasterio.open(maps / "semantics.tif", "r+") as file:
            file.update_tags(**{**written, **changes})
        if changes is tags:
            vectorise([maps], tmp_path / "objects.gpkg", ObjectsSpec(min_area=0.5, min_hole=0.0))
    polygons, out = layer(tmp_path / "a.gpkg", [box(0, 0, 4, 4)]), tmp_path / "out.gpkg"
    write_zonal_statistics(maps, polygons, [out], objects=tmp_path / "objects.gpkg")
    note = (
        f"objects.gpkg has objects of {words}. Those of the maps: mtlaerial vectorise" if words else "objects.gpkg has"
    )
    for text in (caplog.text, pyogrio.read_info(out)["layer_metadata"]["NOTES"]):
        assert (note in text) == bool(words)


def test_a_column_that_is_called_as_the_geopackages_own_is_kept(maps: Path, tmp_path: Path) -> None:
    polygons = layer(tmp_path / "a.geojson", [box(0, 0, 2, 2), box(9, 9, 2, 2)], fid=[7, 7], ogc_fid=["x", "y"])
    table = zones(maps, polygons)
    assert table[[name for name in table if name.startswith("fid")]].to_numpy().ravel().tolist() == [7, 7]
    assert table["ogc_fid"].tolist() == ["x", "y"]


@pytest.mark.parametrize("ending", ["gpkg", "geojson"])
def test_large_identifiers_beside_an_empty_one_keep_their_digits(maps: Path, tmp_path: Path, ending: str) -> None:
    shapes = [box(0, 10 * number, 5, 5) for number in range(3)]
    parcels = pd.array(PARCELS, dtype="Int64")
    frame = gpd.GeoDataFrame({"parcel": parcels}, geometry=shapes, crs="EPSG:32632")
    frame.to_file(tmp_path / f"parcels.{ending}")
    outs = [tmp_path / "zones.gpkg", tmp_path / "zones.csv"]
    write_zonal_statistics(maps, tmp_path / f"parcels.{ending}", outs)
    # Without the empty one, integers are read as such.
    written = pyogrio.read_dataframe(outs[0], columns=["parcel"], where="parcel IS NOT NULL")
    assert written["parcel"].tolist() == [PARCELS[0], PARCELS[2]]
    assert len(gpd.read_file(outs[0])) == 3
    cells = [line.split(",")[0] for line in outs[1].read_text().splitlines()[1:]]
    assert cells == [str(PARCELS[0]), "", str(PARCELS[2])]


def test_csv_has_the_attributes_and_no_polygons(maps: Path, tmp_path: Path) -> None:
    polygons = layer(tmp_path / "a.gpkg", [box(0, 0, 12, 10)], name=["a, b"])
    write_zonal_statistics(maps, polygons, [tmp_path / "a.csv"])
    header, row = (tmp_path / "a.csv").read_text().splitlines()
    assert header.split(",") == ["name", "map_area", "map_no_data", *AREAS, *HEIGHTS]
    assert row.startswith('"a, b",')


def test_csv_has_attributes_in_full_and_nine_digits_of_statistics(maps: Path, tmp_path: Path) -> None:
    identifiers, areas = [53034003400012, 53034003400013, None], [123456789.12, 0.1, float("nan")]
    polygons = layer(tmp_path / "a.gpkg", [box(0, 0, 12, 10)] * 3, map_id=identifiers, gross=areas)
    write_zonal_statistics(maps, polygons, [tmp_path / "a.csv"])
    rows = [row.split(",") for row in (tmp_path / "a.csv").read_text().splitlines()[1:]]
    assert [row[:2] for row in rows] == [["53034003400012", "123456789.12"], ["53034003400013", "0.1"], ["", ""]]
    assert {len(row[2].replace(".", "")) for row in rows} == {9}


@pytest.mark.parametrize(
    ("shapes", "crs", "attributes", "message"),
    [
        ([shapely.Point(0, 0)], "EPSG:32632", {}, "found Point; expected polygons"),
        pytest.param(
            [box(0, 0, 2, 2)],
            None,
            {},
            "found no CRS; expected polygons with a CRS",
            marks=pytest.mark.filterwarnings("ignore:'crs' was not provided"),
        ),
        ([box(0, 0, 2, 2)], "EPSG:32632", {"MAP_area": [1.0]}, "found columns MAP_area; expected a layer without"),
    ],
)
def test_unusable_polygons_are_refused(
    maps: Path, tmp_path: Path, shapes: list[Any], crs: Any, attributes: dict[str, Any], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        zones(maps, layer(tmp_path / "a.gpkg", shapes, crs, **attributes))


def test_existing_files_and_other_formats_are_refused(maps: Path, tmp_path: Path) -> None:
    polygons = layer(tmp_path / "a.gpkg", [box(0, 0, 2, 2)])
    with pytest.raises(UserError, match=r"expected a name that ends in \.gpkg \(GeoPackage\) or \.csv"):
        write_zonal_statistics(maps, polygons, [tmp_path / "a.shp"])
    with pytest.raises(DataError, match="found a file; expected none"):
        write_zonal_statistics(maps, polygons, [polygons])


def test_a_damaged_map_is_named_and_leaves_no_file(maps: Path, tmp_path: Path) -> None:
    damaged = Path(shutil.copytree(maps, tmp_path / "maps"))
    content = (damaged / "height.tif").read_bytes()
    (damaged / "height.tif").write_bytes(content[:2000])
    with pytest.raises(DataError, match=r"height\.tif"):
        write_zonal_statistics(damaged, layer(tmp_path / "a.gpkg", [box(0, 0, 40, 40)]), [tmp_path / "out.gpkg"])
    assert not (tmp_path / "out.gpkg").exists()


def test_maps_without_heights_leave_their_columns_empty(
    pixels: tuple[np.ndarray, np.ndarray], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    maps = write_maps(tmp_path / "maps", GRID, pixels[0])
    with caplog.at_level(logging.INFO):
        table = zones(maps, layer(tmp_path / "a.gpkg", [box(0, 0, 12, 10)]))
    assert table[HEIGHTS].isna().all(axis=None)
    assert "there is no map of heights" in caplog.text


def test_the_command_writes_the_files_that_it_names(maps: Path, tmp_path: Path) -> None:
    polygons = layer(tmp_path / "a.gpkg", [box(0, 0, 12, 10)], name=["a"])
    outs = [tmp_path / "out.gpkg", tmp_path / "out.csv"]
    arguments = ["zones", str(maps), str(polygons), *(text for out in outs for text in ("--out", str(out)))]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert f"1 polygons in {outs[0]} and {outs[1]}" in result.output
    assert all(out.exists() for out in outs)
