"""Heights: each fault gives just its finding."""

import shlex
from pathlib import Path

import numpy as np
import pytest
import rasterio
from click.testing import CliRunner
from rasterio.rio.main import main_group

from mtlaerial.datasets.check.height import suspicion
from mtlaerial.errors import DataError
from mtlaerial.tiles.prepare import prepare_tile
from support.town import NORTH, WEST, Town, only


@pytest.mark.parametrize("nodata", [-9999, np.nan, -3.4028234663852886e38])
@pytest.mark.parametrize(("tile", "level"), [("a", "error"), ("b", "warning")])
def test_no_heights(town: Town, nodata: float, tile: str, level: str) -> None:
    heights = np.full((32, 32), nodata, dtype=np.float32)
    path = town.write("height", tile, heights, gsd=1.0, west=WEST + 32 * (tile == "b"), nodata=nodata)
    only(level, path, town.check(tile), "no cell with a height")


def test_many_without_height(town: Town) -> None:
    heights = town.heights()
    heights[:, :24] = -9999
    path = town.write("height", "a", heights, gsd=1.0)
    report = town.check()
    only("warning", path, report, "75 % of the cells without a height")
    assert report.height
    assert report.height.nodata == 0.75


def test_infinite_heights(town: Town) -> None:
    heights = town.heights()
    heights[0, :3] = np.inf
    only("warning", town.write("height", "a", heights, gsd=1.0), town.check(), "3 infinite values")
    town.write("height", "a", heights, gsd=1.0, nodata=np.inf)
    assert town.check().findings == ()


def test_heights_outside(town: Town) -> None:
    heights = town.heights()
    heights[:8] = -50
    path = town.write("height", "a", heights, gsd=1.0)
    only("warning", path, town.check(), "25 % of the heights outside -10 to 500 m", "height.valid_range")


def test_complex_heights(town: Town) -> None:
    path = town.write("height", "a", town.heights().astype(np.complex64), gsd=1.0)
    only("error", path, town.check(), "complex64")


def test_several_bands_of_height(town: Town) -> None:
    path = town.write("height", "a", np.stack([town.heights()] * 2), gsd=1.0)
    only("warning", path, town.check(), "2 bands", "The first is used")


@pytest.mark.parametrize(("unit", "scale"), [(10, "0.1"), (100, "0.01"), (1000, "0.001")])
def test_wrong_unit(town: Town, unit: int, scale: str) -> None:
    path = town.write("height", "a", (town.heights() * unit).astype(np.int32), gsd=1.0)
    only("warning", path, town.check(), f"set height.scale, e.g. to {scale}.")
    town.change(height={"scale": float(scale)})
    assert town.check().findings == ()


def tagged(path: Path, unit: str, scale: float = 1.0) -> Path:
    with rasterio.open(path, "r+") as target:
        target.units, target.scales = (unit,), (scale,)
    return path


@pytest.mark.parametrize(
    ("unit", "scale"),
    [("US survey foot", "0.30480061"), ("Feet", "0.3048"), ("us_survey_feet", "0.30480061"), ("cm", "0.01")],
)
def test_a_stated_unit_is_converted_or_refused(town: Town, tmp_path: Path, unit: str, scale: str) -> None:
    path = tagged(town.write("height", "a", town.heights(), gsd=1.0, nodata=-9999), unit)
    only("error", path, town.check(), f"heights in the unit {unit}", f"Set height.scale to {scale}.")
    with pytest.raises(DataError, match=f"heights in the unit {unit}"):
        prepare_tile(town.dataset, "a", tmp_path / "prepared")
    town.change(height={"scale": float(scale)})
    assert town.check().findings == ()


def test_a_vertical_crs_states_a_unit(town: Town) -> None:
    path = town.write("height", "a", town.heights(), gsd=1.0, nodata=-9999, crs="EPSG:32632+6360")
    report = town.check()
    only("error", path, report, "heights in the unit US survey foot", "Set height.scale to 0.30480061.")
    command = report.findings[0].remedy.partition("rio ")[2]
    assert CliRunner().invoke(main_group, shlex.split(command)).exit_code == 0
    assert town.check().findings == ()
    town.write("height", "a", town.heights(), gsd=1.0, nodata=-9999, crs="EPSG:32632+5703")
    assert town.check().findings == ()


@pytest.mark.parametrize("unit", ["m", "metre", "Meters", " metres "])
def test_metres_by_a_unit_tag_are_metres(town: Town, unit: str) -> None:
    tagged(town.write("height", "a", town.heights(), gsd=1.0, nodata=-9999), unit)
    assert town.check().findings == ()


def test_a_scale_tag_converts_only_its_unit(town: Town) -> None:
    """GDAL means the unit after the scale; some writers that of the stored values."""
    centimetres = (town.heights() * 100).astype(np.int16)
    tagged(town.write("height", "a", centimetres, gsd=1.0), "cm", 0.01)
    assert town.check().findings == ()
    path = tagged(town.write("height", "a", centimetres, gsd=1.0), "ft", 0.01)
    only("error", path, town.check(), "in the unit ft", "Multiply its scale and offset tags by 0.3048")


def test_a_scale_of_feet_converts_no_metres(town: Town, tmp_path: Path) -> None:
    town.change(height={"scale": 0.3048})
    path = tagged(town.write("height", "a", town.heights() / 0.3048, gsd=1.0, nodata=-9999), "metre")
    only("error", path, town.check(), "the unit metre, as the file states, and height.scale 0.3048", "--units foot")
    with pytest.raises(DataError, match="which is for feet"):
        prepare_tile(town.dataset, "a", tmp_path / "tile")
    for unit in ("ft", "US survey foot", ""):
        tagged(path, unit)
        assert town.check().findings == ()


def test_steps_of_stored_values_are_converted_beside_a_vertical_crs_in_metres(town: Town) -> None:
    town.change(height={"scale": 0.1})
    tagged(town.write("height", "a", 10 * town.heights(), gsd=1.0, nodata=-9999), "metre")
    assert town.check().findings == ()


@pytest.mark.parametrize(
    ("unit", "scale", "fits"),
    [
        ("ft", 0.01, False),
        ("US survey foot", 0.1, False),
        ("cm", 0.1, False),
        ("ft", 0.03048, True),
        ("ft", 0.3048 / 256, True),
        ("cm", 0.001, True),
    ],
)
def test_a_scale_that_converts_another_unit_is_a_warning(town: Town, unit: str, scale: float, fits: bool) -> None:
    town.change(height={"scale": scale})
    path = tagged(town.write("height", "a", town.heights() / scale, gsd=1.0, nodata=-9999), unit)
    if fits:
        assert town.check().findings == ()
    else:
        only("warning", path, town.check(), f"the unit {unit}, as the file states, beside height.scale {scale:g}")


def test_an_unknown_unit_is_a_warning(town: Town) -> None:
    path = tagged(town.write("height", "a", town.heights(), gsd=1.0, nodata=-9999), "smoot")
    only("warning", path, town.check(), "the unit smoot, which is not known")
    town.change(height={"scale": 1.7018})
    assert town.check().findings == ()


@pytest.mark.parametrize(("ground", "level"), [(12, "warning"), (300, "error"), (1600, "error")])
def test_elevation(town: Town, ground: float, level: str) -> None:
    path = town.write("height", "a", town.heights() + np.float32(ground), gsd=1.0)
    only(level, path, town.check(), "height.surface and height.ground")


@pytest.mark.parametrize(
    ("low", "median", "high", "whole", "expected"),
    [
        (0, 0.1, 35, False, None),
        (0, 6, 22, True, None),  # a town in whole metres
        (0.2, 25, 38, False, None),  # a forest
        (-0.4, 12, 140, False, None),  # skyscrapers
        (5, 80, 2400, True, "unit"),  # centimetres, with 5 cm of noise on the ground
        (0, 9, 190, True, "unit"),  # decimetres
        (8, 12, 35, False, "elevation"),  # by the sea
        (1, 45, 120, False, "elevation"),  # a slope that rises from the sea
    ],
)
def test_suspicion(low: float, median: float, high: float, whole: bool, expected: str | None) -> None:
    assert suspicion(low, median, high, whole) == expected


@pytest.fixture
def hilly(town: Town) -> Town:
    """A town whose height is surface minus ground."""
    town.spec = {**town.spec, "height": {"surface": "dsm/{tile}.tif", "ground": "dtm/{tile}.tif"}}
    town.write("dsm", "a", town.heights() + np.float32(300), gsd=1.0)
    town.write("dtm", "a", np.full((32, 32), 300, dtype=np.int16), gsd=1.0)
    return town


def test_surface_and_ground(hilly: Town) -> None:
    report = hilly.check()
    assert report.findings == ()
    assert report.height
    assert report.height.minimum == 0
    (hilly.root / "dtm/a.tif").unlink()
    only("error", hilly.root / "dtm/a.tif", hilly.check(), "no file")


@pytest.mark.parametrize("change", [{"gsd": 0.5}, {"gsd": 1.0, "west": WEST + 0.4}])
def test_surface_and_ground_apart(hilly: Town, change: dict[str, float]) -> None:
    size = 64 if change["gsd"] == 0.5 else 32
    path = hilly.write("dtm", "a", np.full((size, size), 300, dtype=np.float32), **change)
    only("error", path, hilly.check(), "the cells of", "dsm/a.tif", "Resample")


def test_surface_and_ground_truncated(hilly: Town) -> None:
    paths = [hilly.root / "dsm/a.tif", hilly.root / "dtm/a.tif"]
    for path in paths:
        path.write_bytes(path.read_bytes()[:-500])
    findings = hilly.check().findings
    assert [finding.where for finding in findings] == list(map(str, paths))
    only_second = hilly.write("dsm", "a", hilly.heights() + np.float32(300), gsd=1.0)
    assert only_second == paths[0]
    only("error", paths[1], hilly.check(), "readable pixels")


def test_ground_of_a_mosaic(hilly: Town) -> None:
    """Files of different extent are compared where the tile is."""
    hilly.change(height={"ground": "dtm/all.tif"})
    hilly.write("dtm", "all", np.full((50, 60), 300, dtype=np.float32), gsd=1.0, west=WEST - 7, north=NORTH + 5)
    report = hilly.check()
    assert report.findings == ()
    assert report.height
    assert (report.height.size, report.height.nodata) == ((32, 32), 0.0)
