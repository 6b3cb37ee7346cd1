"""Heights: each fault gives just its finding."""

import numpy as np
import pytest

from mtlaerial.datasets.check.height import suspicion
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
