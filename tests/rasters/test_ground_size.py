"""Size of pixels on the ground, from closed formulas of the ellipsoid."""

import math

import pytest
from affine import Affine
from pyproj import CRS as Projection
from pyproj import Transformer
from rasterio.crs import CRS

from mtlaerial.rasters.grid import Grid
from mtlaerial.rasters.ground_size import (
    area_centre,
    centre_position,
    ground_cell_area,
    ground_pixel_size,
    ground_scales,
)

A, E2 = 6_378_137.0, 0.00669437999014
"""Half the major axis, and the squared eccentricity, of WGS 84."""


def grid(crs: str | None, x: float, y: float, pixel: float = 0.5) -> Grid:
    """Return a grid of 100 x 100 pixels with its centre at a place."""
    transform = Affine(pixel, 0, x - 50 * pixel, 0, -pixel, y + 50 * pixel)
    return Grid(CRS.from_user_input(crs) if crs else None, transform, 100, 100)


def grid_at(crs: str, longitude: float, latitude: float, pixel: float = 0.5) -> Grid:
    return grid(crs, *Transformer.from_crs("EPSG:4326", crs, always_xy=True).transform(longitude, latitude), pixel)


@pytest.mark.parametrize("latitude", [-60, 0, 45, 60, 75])
def test_web_mercator_shrinks_by_the_radii_of_the_ellipsoid(latitude: float) -> None:
    """Spherical Mercator enlarges along meridians by a / (M cos φ), along parallels by a / (N cos φ)."""
    phi = math.radians(latitude)
    w = 1 - E2 * math.sin(phi) ** 2
    meridian, prime_vertical = A * (1 - E2) / w**1.5, A / math.sqrt(w)
    expected = 0.5 * meridian * math.cos(phi) / A, 0.5 * prime_vertical * math.cos(phi) / A
    if latitude == 0:  # within a hundredth of the CRS
        expected = 0.5, 0.5
    assert ground_pixel_size(grid_at("EPSG:3857", 10, latitude)) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("crs", "longitude", "latitude"),
    [("EPSG:32631", 3, 48), ("EPSG:32631", 5.9, 60), ("EPSG:26915", -95.4, 29.7), ("EPSG:2154", 3, 44), (None, 0, 0)],
)
def test_other_projections_keep_the_size_of_their_pixels(crs: str | None, longitude: float, latitude: float) -> None:
    place = grid_at(crs, longitude, latitude) if crs else grid(None, 5e5, 5e6)
    assert ground_pixel_size(place) == (0.5, 0.5)


def test_feet_are_converted() -> None:
    assert ground_pixel_size(grid_at("EPSG:2992", -120.5, 44, 1.0)) == pytest.approx((0.3048, 0.3048))


def test_a_projection_of_equal_area_has_pixels_of_two_sizes() -> None:
    """Plate carrée keeps meridians and stretches parallels by 1 / cos φ."""
    height, width = ground_pixel_size(grid_at("EPSG:32662", 10, 60))
    assert height == pytest.approx(0.5, rel=0.01)
    assert width == pytest.approx(0.25, rel=0.01)


@pytest.mark.parametrize(
    ("crs", "x", "y", "expected"),
    [
        ("EPSG:32631", 500_000, 5_000_000, (3.0, 45.153)),
        ("EPSG:4326", 151.2, -33.9, (151.2, -33.9)),
        ("EPSG:32631+5773", 500_000, 5_000_000, (3.0, 45.153)),
    ],
)
def test_the_centre_has_a_position(crs: str, x: float, y: float, expected: tuple[float, float]) -> None:
    assert centre_position(grid(crs, x, y, 1e-6)) == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize(
    ("crs", "x", "y"),
    [(None, 0, 0), ("EPSG:4326", 500_000, 5_000_000), ("EPSG:3857", 1e6, 1e11), ("EPSG:32631", 1e12, 0)],
)
def test_places_that_are_not_on_earth_have_no_position(crs: str | None, x: float, y: float) -> None:
    assert centre_position(grid(crs, x, y)) is None


@pytest.mark.parametrize("crs", ["EPSG:2993", "EPSG:2154", "EPSG:32631", "EPSG:3857"])
def test_the_middle_of_a_crs_lies_in_its_area(crs: str) -> None:
    position = centre_position(grid(crs, *area_centre(CRS.from_user_input(crs))))
    assert position
    west, south, east, north = Projection.from_user_input(crs).area_of_use.bounds
    assert west < position[0] < east
    assert south < position[1] < north


def test_area_of_a_cell_is_in_square_metres_on_the_ground() -> None:
    assert ground_cell_area(grid_at("EPSG:32632", 9, 48)) == 0.25
    assert ground_cell_area(grid_at("EPSG:2992", -120.5, 44, 1.0)) == pytest.approx(0.3048**2)
    equator, north = (ground_cell_area(grid_at("EPSG:3857", 10, latitude)) for latitude in (0, 60))
    assert north / equator == pytest.approx(0.25, rel=0.01)


@pytest.mark.parametrize("latitude", [0, 45, 75])
def test_a_degree_has_the_length_of_the_arcs_of_the_ellipsoid(latitude: float) -> None:
    phi = math.radians(latitude)
    w = 1 - E2 * math.sin(phi) ** 2
    arcs = A * (1 - E2) / w**1.5, A / math.sqrt(w) * math.cos(phi)
    expected = [math.radians(arc) for arc in arcs]
    assert ground_scales(Projection.from_epsg(4326), (10, latitude)) == pytest.approx(expected, rel=1e-6)
