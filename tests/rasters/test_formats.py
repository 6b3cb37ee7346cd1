"""Formats of rasters: the content is what the name says."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
from shapely.geometry import box

from mtlaerial.errors import DataError
from mtlaerial.rasters.geotiff import open_raster
from support import tiny

DRIVERS = {"a.tif": "GTiff", "a.TIF": "GTiff", "a.jpg": "JPEG", "a.png": "PNG", "a.jp2": "JP2OpenJPEG", "a.img": "HFA"}
IMAGE = np.full((16, 16), 7, np.uint8)


@pytest.mark.parametrize("name", DRIVERS)
def test_formats_of_orthophotos_are_opened(name: str, tmp_path: Path) -> None:
    path = tiny.write_raster(tmp_path / name, IMAGE, driver=DRIVERS[name])
    with open_raster(path) as source:
        assert source.driver == DRIVERS[name]


def test_an_ascii_grid_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "a.asc"
    path.write_text("NCOLS 2\nNROWS 1\nXLLCORNER 0\nYLLCORNER 0\nCELLSIZE 1\n1.5 2.5\n")
    with open_raster(path) as source:
        assert source.read(1).tolist() == [[1.5, 2.5]]


def test_a_name_that_says_nothing_is_read_by_content(tmp_path: Path) -> None:
    with open_raster(tiny.write_raster(tmp_path / "mosaic", IMAGE)) as source:
        assert source.driver == "GTiff"


def test_a_raster_under_the_name_of_another_format_is_refused(tmp_path: Path) -> None:
    path = tiny.write_raster(tmp_path / "a.tif", IMAGE, driver="PNG")
    with pytest.raises(DataError) as caught, open_raster(path):
        pass
    expected = f"{path}: found a PNG, against its name; expected a GeoTIFF. Rename it: mv {path} {tmp_path}/a.png"
    assert str(caught.value) == expected


@pytest.mark.parametrize("suffix", ["gpkg", "shp", "geojson", "fgb"])
def test_polygons_in_the_place_of_a_raster_are_refused_with_the_command_that_makes_labels(
    suffix: str, tmp_path: Path
) -> None:
    path = tmp_path / f"a.{suffix}"
    gpd.GeoDataFrame({"class": ["a"]}, geometry=[box(0, 0, 1, 1)], crs="EPSG:4326").to_file(path)
    words = rf"a\.{suffix}: found a vector file; .* mtlaerial rasterise .*a\.{suffix} IMAGE --column COLUMN"
    with pytest.raises(DataError, match=words), open_raster(path):
        pass


def test_a_raster_of_another_format_is_refused_with_the_conversion(tmp_path: Path) -> None:
    path = tiny.write_raster(tmp_path / "a.bil", IMAGE, driver="ENVI")
    words = r"a\.bil: found content of another kind.* rio convert .*a\.bil"
    with pytest.raises(DataError, match=words), open_raster(path):
        pass
