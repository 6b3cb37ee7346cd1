"""Vector files of footprints: formats, and references to other files and addresses."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pyogrio
import pytest
from shapely.geometry import box

from mtlaerial.datasets.vector_file import read_vector_file, vector_parts
from mtlaerial.errors import DataError
from support import doors


def frame() -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame({"tile": ["a"]}, geometry=[box(0, 0, 1, 1)], crs="EPSG:32632")


def geojson(path: Path, **members: Any) -> Path:
    content = json.loads(frame().to_crs("EPSG:4326").to_json())
    path.write_text(json.dumps(content | members), encoding="utf-8")
    return path


@pytest.mark.parametrize("ending", ["gpkg", "geojson", "shp", "fgb"])
def test_formats_of_footprints_are_read(ending: str, tmp_path: Path) -> None:
    frame().to_file(tmp_path / f"a.{ending}")
    features = read_vector_file(tmp_path / f"a.{ending}")
    assert features["tile"].tolist() == ["a"]
    assert features.crs == frame().crs


def test_a_shapefile_has_parts_and_other_formats_are_one_file(tmp_path: Path) -> None:
    frame().to_file(tmp_path / "a.shp")
    (tmp_path / "a.prj").rename(tmp_path / "a.PRJ")
    (tmp_path / "a.cpg").unlink()
    assert [part.name for part in vector_parts(tmp_path / "a.shp")] == ["a.shp", "a.dbf", "a.PRJ", "a.shx"]
    assert vector_parts(tmp_path / "a.gpkg") == [tmp_path / "a.gpkg"]


def test_a_crs_in_geojson_is_not_fetched(tmp_path: Path) -> None:
    with doors.listening() as listener:
        crs = {"type": "link", "properties": {"href": f"{listener.url}/crs", "type": "proj4"}}
        with pytest.raises(DataError, match=r"found the CRS .*; expected the name of a CRS"):
            read_vector_file(geojson(tmp_path / "a.geojson", crs=crs))
        assert not listener.requested()


def test_a_crs_in_geojson_that_is_no_name_of_one_is_refused(tmp_path: Path) -> None:
    crs = {"type": "name", "properties": {"name": "/etc/crs.wkt"}}
    with pytest.raises(DataError, match=r"found the CRS .*; expected the name of a CRS"):
        read_vector_file(geojson(tmp_path / "a.geojson", crs=crs))


@pytest.mark.parametrize(
    "text",
    [
        '<OGRVRTDataSource><OGRVRTLayer name="a"><SrcDataSource>{url}</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>',
        "<OGRWFSDataSource><URL>{url}</URL></OGRWFSDataSource>",
        '{{"type": "gdal_streamed_alg", "command_line": "gdal vector pipeline ! read {url} ! write a"}}',
        '{{"type": "FeatureCollection", "type": "gdal_streamed_alg", "features": []}}',
        "[" * 100_000,
    ],
)
@pytest.mark.parametrize("name", ["a.geojson", "a.gpkg"])
def test_a_file_that_is_not_what_its_name_says_is_refused(name: str, text: str, tmp_path: Path) -> None:
    with doors.listening() as listener:
        (tmp_path / name).write_text(text.format(url=f"/vsicurl/{listener.url}/a.geojson"))
        with pytest.raises(DataError) as caught:
            read_vector_file(tmp_path / name)
        assert not listener.requested()
    assert "\n" not in str(caught.value)


def test_only_one_layer_with_geometries_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.gpkg"
    pyogrio.write_dataframe(pd.DataFrame({"style": ["red"]}), path, layer="styles")
    with pytest.raises(DataError, match="found no layer with geometries; expected one layer"):
        read_vector_file(path)
    frame().to_file(path, layer="buildings")
    assert read_vector_file(path)["tile"].tolist() == ["a"]
    frame().to_file(path, layer="parcels")
    with pytest.raises(DataError, match="found the layers buildings, parcels; expected one layer with geometries"):
        read_vector_file(path)


def test_a_geopackage_with_a_view_is_refused(tmp_path: Path) -> None:
    frame().to_file(tmp_path / "a.gpkg")
    with closing(sqlite3.connect(tmp_path / "a.gpkg")) as database:
        database.execute("CREATE VIEW other AS SELECT * FROM a")
        database.commit()
    with pytest.raises(DataError, match="found the view other; expected tables alone"):
        read_vector_file(tmp_path / "a.gpkg")


def test_other_formats_are_refused_with_the_accepted_ones(tmp_path: Path) -> None:
    (tmp_path / "a.kml").write_text("<kml/>")
    with pytest.raises(DataError, match=r"found another format; expected a vector file \(.gpkg, .geojson"):
        read_vector_file(tmp_path / "a.kml")
