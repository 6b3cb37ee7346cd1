"""Projections of rasters, from definitions of the EPSG registry."""

import pytest
from pyproj.exceptions import CRSError
from rasterio.crs import CRS

from mtlaerial.rasters.projection import crs_name, horizontal_projection, metres_per_unit, same_projection, utm_code
from support.bad_rasters import LOCAL

UTM = horizontal_projection("EPSG:32632")


@pytest.mark.parametrize("text", ["EPSG:32632+5773", CRS.from_epsg(32632).to_wkt()])
def test_projections_are_compared_without_heights_and_in_any_notation(text: str) -> None:
    assert same_projection(UTM, horizontal_projection(text))


def test_another_zone_and_no_crs_are_other_projections() -> None:
    assert not same_projection(UTM, horizontal_projection("EPSG:32633"))
    assert not same_projection(UTM, None)
    assert same_projection(None, None)


@pytest.mark.parametrize(
    ("text", "metres"), [("EPSG:32632", 1.0), ("EPSG:2992", 0.3048), ("EPSG:4326", 1.0), (LOCAL, 1.0)]
)
def test_a_unit_has_the_metres_that_the_crs_states(text: str, metres: float) -> None:
    assert metres_per_unit(horizontal_projection(text)) == metres


def test_what_proj_does_not_know_is_no_projection() -> None:
    with pytest.raises(CRSError):
        horizontal_projection("EPSG:3263l")


def test_a_crs_is_named_by_its_code() -> None:
    assert [crs_name(None), crs_name(CRS.from_epsg(2992))] == ["no CRS", "EPSG:2992"]


def test_utm_zones_follow_from_the_position() -> None:
    positions = {(-180, 1): 32601, (179.9, 1): 32660, (180, 1): 32601, (3, 0): 32631, (3, -1): 32731, (0, 85): 32661}
    for (longitude, latitude), code in positions.items():
        assert utm_code(longitude, latitude) == f"EPSG:{code}"
    assert utm_code(0, -85) == "EPSG:32761"
