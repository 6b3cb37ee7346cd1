"""Texts of a CRS: forms that are read, and addresses and files, which are not."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from rasterio.crs import CRS

from mtlaerial.config.crs_text import is_crs_text
from mtlaerial.errors import ConfigError
from support import doors
from support.town import Town

UTM = CRS.from_epsg(32632)


@pytest.mark.parametrize(
    "text",
    [
        "EPSG:2993",
        "epsg:2993",
        "ESRI:102009",
        "OGC:CRS84",
        "IGNF:LAMB93",
        "EPSG:25832+7837",
        "urn:ogc:def:crs:EPSG::2993",
        "http://www.opengis.net/def/crs/EPSG/0/2993",
        "WGS84",
        "WGS 84 / UTM zone 32N",
        "+proj=utm +zone=32 +datum=WGS84",
        "+proj=utm +zone=32 +ellps=bessel +nadgrids=BETA2007.gsb",
        UTM.to_wkt(),
        UTM.to_wkt(version="WKT2_2019"),
        CRS.from_epsg(25832).to_wkt(),
    ],
)
def test_the_forms_of_a_crs_are_read(text: str) -> None:
    assert is_crs_text(text)


@pytest.mark.parametrize(
    "text",
    [
        "https://example.org/2993.wkt",
        "ftp://example.org/2993",
        "/vsicurl/http://example.org/2993",
        "/etc/passwd",
        "folder/utm.wkt",
        "..\\utm.wkt",
        "file:///etc/passwd",
        "+init=epsg:2993",
        "+init=/etc/passwd:a",
        "+proj=longlat +nadgrids=@http://example.org/grid.tif",
        "+proj=longlat +nadgrids=/etc/passwd",
        "http://www.opengis.net.example.org/def/crs/EPSG/0/2993",
        "PROJCS[" + "a" * 200_000 + "]",
        "",
    ],
)
def test_addresses_and_files_are_no_crs(text: str) -> None:
    assert not is_crs_text(text)


def test_a_crs_of_a_specification_is_not_fetched(tmp_path: Path) -> None:
    with doors.listening() as listener:
        with pytest.raises(ConfigError) as caught:
            crs_of(tmp_path, f"{listener.url}/crs")
        assert not listener.requested()
    assert "key crs: found " in str(caught.value)
    assert 'expected a CRS such as "EPSG:2993", WKT, or a PROJ string' in str(caught.value)


def crs_of(folder: Path, text: str) -> CRS | None:
    town = Town(folder)
    town.change(crs=text)
    return town.dataset.crs


def test_no_grids_are_fetched() -> None:
    script = "import mtlaerial; from pyproj.network import is_network_enabled; print(is_network_enabled())"
    command = [sys.executable, "-c", script]
    environment = {**os.environ, "PROJ_NETWORK": "ON"}
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    assert done.stdout == "False\n"
