"""Faulty specifications on the command line: one clear message and the exit code."""

from collections.abc import Callable
from typing import Any

import geopandas as gpd
import pytest
import yaml
from shapely.geometry import box

from support.command_line import Town, assert_says


def mosaic(town: Town, **changes: Any) -> None:
    """Take the first tile's files for mosaics."""
    town.change_spec(
        image={"files": ["images/city_1.tif"]}, height={"files": ["height/city_1.tif"]},
        labels={"files": ["labels/city_1.tif"]}, **changes,
    )  # fmt: skip


def outside_the_grid(town: Town) -> None:
    mosaic(town, grid={"size": [32, 32]}, splits={"train": ["r1c1"], "val": ["r1c2"], "test": ["r9c9"]})


def no_such_column(town: Town) -> None:
    frame = gpd.GeoDataFrame({"name": ["a"]}, geometry=[box(0, 0, 1, 1)], crs="EPSG:32631")
    frame.to_file(town.root / "tiles.gpkg")
    mosaic(town, footprints={"files": "tiles.gpkg"}, splits={"train": ["a"], "val": [], "test": []})


def split_table(text: str) -> Callable[[Town], None]:
    def write(town: Town) -> None:
        (town.folder / "splits.csv").write_text(text)
        spec = yaml.safe_load(town.spec.read_text()) | {"splits": {"csv": "splits.csv"}}
        town.spec.write_text(yaml.safe_dump(spec))

    return write


SPECS: dict[str, tuple[Callable[[Town], Any], tuple[str, ...]]] = {
    "empty": (lambda t: t.spec.write_text(""), ("town.yaml", "found nothing", "a mapping of keys to values")),
    "not YAML": (lambda t: t.spec.write_text("splits: [a, b"), ("town.yaml", "not YAML", "line 1")),
    "missing": (lambda t: t.spec.unlink(), ("town.yaml", "no such file", "a YAML file")),
    "directory": (lambda t: (t.spec.unlink(), t.spec.mkdir()), ("town.yaml", "a folder", "a YAML file")),
    "no tiles": (lambda t: t.change_spec(splits={"train": []}), ("town.yaml", "splits.train", "at least one tile")),
    "key": (lambda t: t.change_spec(licens="CC0"), ("town.yaml", "licens", "Did you mean licence?")),
    "nested key": (lambda t: t.change_spec(image={"band": [1]}), ("image.band", "Did you mean bands?")),
    "two splits": (
        lambda t: t.change_spec(splits={"val": ["city_1"]}),
        ("town.yaml", "each tile once, in one split", "the tile city_1 2 times"),
    ),
    "no header": (
        split_table("city_1,train\ncity_2,val\n"),
        ("splits.csv", "city_1, train", "a header with tile and split"),
    ),
    "unknown split": (split_table("tile,split\ncity_1,training\n"), ("splits.training", "'train', 'val' or 'test'")),
    "outside": (outside_the_grid, ("images/city_1.tif", "end before tile r9c9", "the tile inside")),
    "column": (no_such_column, ("tiles.gpkg", "the columns name", "a column tile", "footprints.column")),
    "crs": (lambda t: t.change_spec(crs="EPSG:1"), ("crs", "EPSG:1", "a CRS such as")),
}


@pytest.mark.parametrize("fault", SPECS)
def test_specification(fault: str, town: Town, program: Callable[..., tuple[int, str]]) -> None:
    breaking, words = SPECS[fault]
    breaking(town)
    report = town.folder / "report.json"
    assert_says(program("check", town.spec, "--root", town.root, "--report", report), *words)
