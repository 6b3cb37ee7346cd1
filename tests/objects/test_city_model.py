"""City models: valid CityJSON 2.0, with closed solids whose surfaces face outwards."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.crs import CRS
from shapely import box

from mtlaerial.config.objects import ObjectsSpec
from mtlaerial.errors import UserError
from mtlaerial.objects.ground import ground_under
from mtlaerial.objects.height_unit import metres_per_height_unit
from mtlaerial.objects.region import read_region
from mtlaerial.objects.vectorise import find_objects, vectorise
from support.object_maps import NO_HEIGHT, UTM, grid, random_maps, write_maps

SCHEMA = Path(__file__).with_name("cityjson.min.schema.json")
"""The official schema, github.com/cityjson/specs at the commit of 2026-03-27, under CC0 1.0."""
EVERYTHING = ObjectsSpec(classes=("building", "tree"), min_area=0.0, min_hole=0.0)


def model_of(folder: Path, spec: ObjectsSpec = EVERYTHING, ground: Path | None = None, **maps: Any) -> tuple[Any, Any]:
    """Return the table of objects and the city model of maps."""
    out = folder / "objects.city.json"
    write_maps(folder / "maps", grid(*maps["codes"].shape), **maps)
    vectorise([folder / "maps"], out, spec, ground=ground, replace=True)
    frame, _ = find_objects(read_region([folder / "maps"]), (1, 2), spec, {})
    return frame, json.loads(out.read_text(encoding="utf-8"))


def surfaces(model: dict[str, Any], name: str) -> list[list[np.ndarray]]:
    """Return the surfaces of an object's shell, each as its rings in coordinates."""
    transform = model["transform"]
    vertices = np.array(model["vertices"]) * transform["scale"] + transform["translate"]
    ((shell,),) = [geometry["boundaries"] for geometry in model["CityObjects"][name]["geometry"]]
    return [[vertices[ring] for ring in surface] for surface in shell]


def area_vector(ring: np.ndarray) -> np.ndarray:
    """Return the normal of a plane ring, counterclockwise around it, with the ring's area as its length."""
    moved = ring - ring[0]
    return np.cross(moved, np.roll(moved, -1, axis=0)).sum(axis=0) / 2


def enclosed(shell: list[list[np.ndarray]]) -> float:
    """Return the volume in a shell by the divergence theorem: positive if its surfaces face outwards."""
    origin = shell[0][0][0]
    return float(sum((ring[0] - origin) @ area_vector(ring) for surface in shell for ring in surface) / 3)


@pytest.mark.full("thousands of solids; small ones are in the quick tier")
def test_noise_gives_a_model_that_schema_and_reader_accept(tmp_path: Path) -> None:
    cityjson_lib = pytest.importorskip("cityjson_lib")
    validator = pytest.importorskip("jsonschema").Draft7Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))
    frame, model = model_of(tmp_path, **random_maps(np.random.default_rng(3)))
    validator.validate(model)
    summary = cityjson_lib.CityModel.parse_document_bytes((tmp_path / "objects.city.json").read_bytes()).summary()
    assert summary.cityobject_count == len(model["CityObjects"]) > 10
    assert summary.vertex_count == len(model["vertices"])
    assert model["metadata"]["referenceSystem"].endswith("/EPSG/0/32632")
    assert len(set(map(tuple, model["vertices"]))) == len(model["vertices"])
    for row in frame.to_dict("records"):
        name = f"{row['class']}-{row['id']}"
        assert (name in model["CityObjects"]) == (row["height_median"] > 0), "NaN is not"


def test_solids_are_closed_and_face_outwards(tmp_path: Path) -> None:
    maps = random_maps(np.random.default_rng(4))
    frame, model = model_of(tmp_path, **maps)
    for row in frame.to_dict("records"):
        name = f"{row['class']}-{row['id']}"
        if name not in model["CityObjects"]:
            continue
        shell = surfaces(model, name)
        assert enclosed(shell) == pytest.approx(row["area"] * round(row["height_median"], 3), rel=1e-6)
        np.testing.assert_allclose(sum(area_vector(ring) for surface in shell for ring in surface), 0, atol=1e-6)
        edges = [tuple(sorted(edge)) for edge in edges_of(model, name)]
        assert all(edges.count(edge) % 2 == 0 for edge in set(edges))


def edges_of(model: dict[str, Any], name: str) -> list[tuple[int, int]]:
    (shell,) = model["CityObjects"][name]["geometry"][0]["boundaries"]
    rings = [ring for surface in shell for ring in surface]
    return [(a, b) for ring in rings for a, b in zip(ring, [*ring[1:], ring[0]], strict=True)]


def test_a_courtyard_is_an_interior_ring_of_roof_and_ground(tmp_path: Path) -> None:
    codes = np.ones((5, 6), np.uint8)
    codes[2, 2:4] = 0
    _, model = model_of(tmp_path, codes=codes, heights=np.full((5, 6), 450))
    (name,) = model["CityObjects"]
    building = model["CityObjects"][name]
    assert building["type"] == "Building"
    assert building["attributes"]["height_median"] == 4.5
    assert building["attributes"]["height_lower"] is None
    semantics = building["geometry"][0]["semantics"]
    ((kinds,), names) = (semantics["values"], [surface["type"] for surface in semantics["surfaces"]])
    shell = surfaces(model, name)
    assert len(shell) == len(kinds) == 2 + 4 + 4
    for surface, kind in zip(shell, kinds, strict=True):
        normal = area_vector(surface[0])
        assert {"GroundSurface": normal[2] < 0, "RoofSurface": normal[2] > 0, "WallSurface": normal[2] == 0}[
            names[kind]
        ]
        assert len(surface) == (1 if names[kind] == "WallSurface" else 2)
        heights = {round(z, 6) for ring in surface for z in ring[:, 2]}
        assert heights == {"GroundSurface": {0.0}, "RoofSurface": {4.5}, "WallSurface": {0.0, 4.5}}[names[kind]]


def test_objects_without_a_height_are_left_out_and_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    heights = np.array([[0, 0, 500, 0, NO_HEIGHT]])
    _, model = model_of(tmp_path, codes=np.array([[1, 0, 1, 0, 2]]), heights=heights)
    assert list(model["CityObjects"]) == ["building-2"]
    assert "2 objects are not in the city model: no ground under them, or no height above it." in caplog.messages
    assert any("stands on height 0: no ground model" in message for message in caplog.messages)


NORTH_UP = Affine(1, 0, 600_000, 0, -1, 5_000_000)
"""Cells of 1 m from the corner of the maps."""


def ground_model(path: Path, values: np.ndarray, crs: Any = UTM, transform: Affine = NORTH_UP) -> Path:
    profile = {"driver": "GTiff", "height": len(values), "width": values.shape[1], "count": 1, "dtype": "float32"}
    with rasterio.open(path, "w", crs=crs, transform=transform, nodata=-9999, **profile) as out:
        out.write(values.astype(np.float32), 1)
    return path


def test_model_stands_on_the_median_of_the_ground_under_each_object(tmp_path: Path) -> None:
    codes = np.zeros((4, 12), np.uint8)
    codes[:, :6], codes[:, 8:10] = 1, 1
    values = np.array([[100, 101, 105, 0, -9999, 0], [100, 101, 105, 0, -9999, 0]])
    ground = ground_model(tmp_path / "dtm.tif", values)
    _, model = model_of(tmp_path, codes=codes, heights=np.full(codes.shape, 250), ground=ground)
    assert list(model["CityObjects"]) == ["building-1"], "the second one has no ground"
    heights = {round(z, 6) for surface in surfaces(model, "building-1") for ring in surface for z in ring[:, 2]}
    assert heights == {101.0, 103.5}


@pytest.mark.parametrize(
    ("crs", "unit", "metres"),
    [
        (UTM, None, 1),
        (UTM, "ft", 0.3048),
        (UTM, "US_survey_foot", 1200 / 3937),
        (CRS.from_user_input("EPSG:32632+6360"), None, 1200 / 3937),
        (CRS.from_user_input("EPSG:32632+5703"), None, 1),
        (CRS.from_user_input("EPSG:32632+5703"), "feet", 0.3048),
    ],
)
def test_ground_in_feet_becomes_metres(tmp_path: Path, crs: CRS, unit: str | None, metres: float) -> None:
    ground = ground_model(tmp_path / "dtm.tif", np.full((4, 4), 100.0), crs)
    if unit:
        state_unit(ground, unit)
    with ground_under(ground, "EPSG:32632") as heights:
        assert heights(np.array([box(600_000, 4_999_998, 600_002, 5_000_000)])) == pytest.approx(100 * metres)


def test_vertical_unit_counts_where_gdal_states_none_for_the_band(tmp_path: Path) -> None:
    raster = ground_model(tmp_path / "dtm.tif", np.ones((2, 2)))
    raster.with_suffix(".vrt").write_text(
        '<VRTDataset rasterXSize="2" rasterYSize="2"><SRS>EPSG:32632+6360</SRS><GeoTransform>600000,1,0,5000000,0,-1'
        '</GeoTransform><VRTRasterBand dataType="Float32" band="1"><SimpleSource><SourceFilename relativeToVRT="1">'
        "dtm.tif</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>"
    )
    with rasterio.open(raster.with_suffix(".vrt")) as source:
        assert source.units == (None,)
        assert metres_per_height_unit(raster, source) == pytest.approx(1200 / 3937)


def test_a_ground_model_in_an_unknown_unit_is_refused_with_a_command(tmp_path: Path) -> None:
    ground = ground_model(tmp_path / "dtm.tif", np.ones((2, 2)))
    state_unit(ground, "dB")
    with pytest.raises(UserError, match=r"found heights in 'dB'; expected a unit of length.* rio edit-info --bidx 1"):
        model_of(tmp_path, codes=np.ones((2, 2), np.uint8), heights=np.ones((2, 2)), ground=ground)


def state_unit(path: Path, unit: str) -> None:
    with rasterio.open(path, "r+") as out:
        out.units = (unit,)


def test_a_ground_model_of_another_crs_is_refused_with_a_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ground = ground_model(tmp_path / "dtm.tif", np.ones((2, 2)), rasterio.crs.CRS.from_epsg(32633))
    monkeypatch.setattr("mtlaerial.objects.vectorise.store_objects", None)  # before the search
    with pytest.raises(UserError, match=r"found EPSG:32633; expected .* rio warp .* --dst-crs EPSG:32632"):
        model_of(tmp_path, codes=np.ones((2, 2), np.uint8), heights=np.ones((2, 2)), ground=ground)


@pytest.mark.parametrize("transform", [Affine(1, 0, 600_000, 0, 1, 4_999_998), NORTH_UP @ Affine.rotation(10)])
def test_a_ground_model_that_is_not_north_up_is_refused(tmp_path: Path, transform: Affine) -> None:
    ground = ground_model(tmp_path / "dtm.tif", np.array([[9, 9], [1, 1]]), transform=transform)
    with pytest.raises(UserError, match=r"found a rotated or mirrored raster; expected .* north up\. .* rio warp"):
        model_of(tmp_path, codes=np.ones((2, 2), np.uint8), heights=np.ones((2, 2)), ground=ground)
