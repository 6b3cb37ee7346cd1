"""Division of tiles into areas: compact, balanced, always the same, in any CRSs."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import yaml
from pyproj import Transformer
from rasterio.crs import CRS
from typer.testing import CliRunner

from mtlaerial.cli import app
from mtlaerial.config import load_dataset
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.datasets.footprints import Footprint
from mtlaerial.datasets.spatial_folds import bisect, divide, ground_of
from mtlaerial.errors import DataError, UserError
from support import tiny

WEST, SOUTH, SIDE = 500_000.0, 5_000_000.0, 100.0


def footprints(places: np.ndarray, crs: str | None = "EPSG:32631", side: float = SIDE) -> list[Footprint]:
    """Return squares at lower-left corners, shape (tiles, 2)."""
    return [
        Footprint(tile=str(number), group="train", bounds=(x, y, x + side, y + side), crs=crs)
        for number, (x, y) in enumerate(places.tolist())
    ]


def grid(rows: int, columns: int) -> np.ndarray:
    y, x = np.divmod(np.arange(rows * columns), columns)
    return np.stack([WEST + x * SIDE, SOUTH + y * SIDE], axis=1)


def outline(places: np.ndarray, parts: Sequence[np.ndarray]) -> list[float]:
    """Return the ratio of the sides of each part's bounds."""
    sides = [np.ptp(places[part], axis=0) + SIDE for part in parts]
    return [float(side.max() / side.min()) for side in sides]


@pytest.mark.parametrize("number", [2, 3, 4, 5, 7])
def test_areas_are_balanced_and_compact(number: int) -> None:
    places = np.random.default_rng(0).permutation(grid(12, 20))
    parts = bisect(ground_of(footprints(places)), number)
    assert sorted(np.concatenate(parts).tolist()) == list(range(240))
    assert len(parts) == number
    assert max(map(len, parts)) - min(map(len, parts)) <= 12  # less than a row or column of a half
    assert max(outline(places, parts)) <= 3
    # A part covers its bounds: no tile of another lies within.
    assert all(np.prod(np.ptp(places[part], axis=0) / SIDE + 1) <= len(part) + 20 for part in parts)


def test_the_order_of_the_tiles_does_not_matter() -> None:
    places = grid(6, 9)
    shuffled = np.random.default_rng(1).permutation(places)
    expected = {frozenset(map(tuple, places[part].tolist())) for part in bisect(ground_of(footprints(places)), 4)}
    parts = bisect(ground_of(footprints(shuffled)), 4)
    assert {frozenset(map(tuple, shuffled[part].tolist())) for part in parts} == expected


def test_large_tiles_count_as_their_ground() -> None:
    small, large = footprints(grid(1, 8)), footprints(np.array([[WEST + 800, SOUTH]]), side=800.0)
    parts = bisect(ground_of([*small, *large]), 2)
    assert sorted(map(len, parts)) == [1, 8]


def test_each_area_has_a_tile_however_unequal_they_are() -> None:
    small, large = footprints(grid(1, 3)), footprints(np.array([[WEST + 800, SOUTH]]), side=9000.0)
    assert list(map(len, bisect(ground_of([*small, *large]), 4))) == [1, 1, 1, 1]


def test_tiles_of_several_zones_are_divided_by_their_place() -> None:
    """Two clusters on both sides of a zone's border, a part of each in either zone."""
    tiles: list[Footprint] = []
    for index, longitude in enumerate((5.99, 5.995, 6.005, 6.2, 6.21, 6.215)):
        code = 32631 if index % 2 else 32632
        x, y = Transformer.from_crs(4326, code, always_xy=True).transform(longitude, 50.0)
        tiles += footprints(np.array([[x, y]]), f"EPSG:{code}")
    parts = bisect(ground_of(tiles), 2)
    assert [sorted(part.tolist()) for part in parts] == [[0, 1, 2], [3, 4, 5]]


def test_tiles_without_a_common_place_are_refused() -> None:
    with pytest.raises(DataError, match="the CRS None, which cannot be compared"):
        ground_of([*footprints(grid(1, 1)), *footprints(grid(1, 1), crs=None)])


@pytest.fixture
def town(tmp_path: Path) -> Path:
    """Return the specification of six tiles from west to east; all are training tiles."""
    names = [f"t{index}" for index in range(6)]
    spec = tiny.city_spec(splits={"train": names}).model_dump(mode="json")
    (tmp_path / "town.yaml").write_text(yaml.safe_dump(spec))
    for index, name in enumerate(names):
        image = np.full((3, 8, 8), index, np.uint8)
        tiny.write_raster(tmp_path / f"images/{name}.tif", image, west=tiny.WEST + 4 * index)
    return tmp_path / "town.yaml"


def run(*arguments: str) -> str:
    outcome = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert outcome.exit_code == 0, outcome.output
    return outcome.output


def test_the_command_writes_areas_that_the_specification_can_name(town: Path) -> None:
    output = run("folds", str(town), "--root", str(town.parent), "--number", "3")
    data = {**yaml.safe_load(town.read_text()), **yaml.safe_load(output.split("\n\n")[1])}
    del data["splits"]
    town.write_text(yaml.safe_dump(data))
    areas = {"area_1": ("t0", "t1"), "area_2": ("t2", "t3"), "area_3": ("t4", "t5")}
    assert load_dataset(town).areas == areas
    # Again, and with other areas: the same file, or none.
    run("folds", str(town), "--root", str(town.parent), "--number", "3")
    with pytest.raises(UserError, match="a file with other content"):
        run("folds", str(town), "--root", str(town.parent), "--number", "2")
    run("folds", str(town), "--root", str(town.parent), "--number", "2", "--out", str(town.parent / "two.csv"))


def test_areas_need_places_and_tiles(town: Path) -> None:
    dataset = Dataset.of(town, town.parent)
    with pytest.raises(UserError, match="found 7 areas; expected 2 to 6"):
        divide(dataset, 7)
    tiny.write_raster(town.parent / "images/t3.tif", np.zeros((3, 8, 8), np.uint8), pixel=0)
    with pytest.raises(DataError, match=r"t3\.tif: found no georeference"):
        divide(dataset, 2)


def test_tiles_of_several_crs_are_located_by_their_files(town: Path) -> None:
    spec = {**yaml.safe_load(town.read_text()), "crs": None}
    town.write_text(yaml.safe_dump(spec))
    x, y = Transformer.from_crs(32631, 32632, always_xy=True).transform(tiny.WEST + 4, tiny.NORTH)
    place = {"west": x, "north": y, "crs": CRS.from_epsg(32632)}
    tiny.write_raster(town.parent / "images/t1.tif", np.zeros((3, 8, 8), np.uint8), **place)
    areas = divide(Dataset.of(town, town.parent), 2)
    assert areas == {"area_1": ["t0", "t1", "t2"], "area_2": ["t3", "t4", "t5"]}
