"""Files of objects: formats as their validators have them, equal bytes, full disks."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
from pyarrow import parquet

from mtlaerial.config.objects import ObjectsSpec
from mtlaerial.errors import DataError
from mtlaerial.objects.object_store import ObjectStore
from mtlaerial.objects.region import read_region
from mtlaerial.objects.vectorise import find_objects, vectorise
from support.object_maps import grid, random_maps, write_maps

SLOW = pytest.mark.full("half a second; other formats stay quick")
SUFFIXES = [".gpkg", ".parquet", ".city.json"]
EVERYTHING = ObjectsSpec(classes=("building", "tree"), min_area=0.0, min_hole=0.0)


@pytest.fixture(scope="module")
def maps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    noise = random_maps(np.random.default_rng(7))
    codes, heights = (np.tile(values, (2, 2)) for values in noise.values())
    return write_maps(tmp_path_factory.mktemp("noise") / "maps", grid(*codes.shape), codes, heights)


def table(maps: Path) -> gpd.GeoDataFrame:
    return find_objects(read_region([maps]), (1, 2), EVERYTHING, {})[0]


@pytest.mark.parametrize("batch", [20_000, 20], ids=["whole", "in parts"])
def test_geoparquet_passes_its_validator(
    maps: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    validator = pytest.importorskip("geoparquet_validator")
    monkeypatch.setattr("mtlaerial.objects.object_store.BATCH", batch)
    vectorise([maps], tmp_path / "objects.parquet", EVERYTHING)
    report = validator.check(str(tmp_path / "objects.parquet"))
    assert validator.failed(report) == []
    passed = {outcome["id"] for outcome in report["outcomes"] if outcome["status"] == "pass"}
    assert {"/conf/core/geo-metadata", "/conf/core/wkb", "/conf/covering/bbox-paths"} <= passed


def test_all_formats_hold_the_same_table(maps: Path, tmp_path: Path) -> None:
    expected = table(maps)
    for suffix in (".gpkg", ".parquet"):
        assert vectorise([maps], tmp_path / f"objects{suffix}", EVERYTHING) == len(expected)
    for frame in (gpd.read_file(tmp_path / "objects.gpkg"), gpd.read_parquet(tmp_path / "objects.parquet")):
        assert frame.to_wkb().equals(expected.to_wkb())
        assert frame.crs == expected.crs


_COUNT_THREADS = """
import sys
from pathlib import Path
import geopandas, psutil, pyarrow.parquet
from mtlaerial.objects.geoparquet import write_geoparquet
frame = geopandas.GeoDataFrame({"id": [1]}, geometry=geopandas.points_from_xy([0], [0]), crs="EPSG:32632")
before = psutil.Process().num_threads()
write_geoparquet([frame], Path(sys.argv[1]), {})
print(psutil.Process().num_threads() - before)
"""


@pytest.mark.full("imports geopandas in a process of its own")
def test_geoparquet_leaves_no_threads_of_arrow(tmp_path: Path) -> None:
    # Their teardown aborts one in ten processes at their end, after the file is complete.
    command = [sys.executable, "-c", _COUNT_THREADS, str(tmp_path / "objects.parquet")]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == "0"


@pytest.mark.parametrize("suffix", [pytest.param(".gpkg", marks=SLOW), ".parquet"])
def test_parts_give_the_table_of_one(maps: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str) -> None:
    read = gpd.read_parquet if suffix == ".parquet" else gpd.read_file
    out = tmp_path / f"objects{suffix}"
    tables = []
    for batch in (20_000, 20):
        monkeypatch.setattr("mtlaerial.objects.object_store.BATCH", batch)
        assert vectorise([maps], out, EVERYTHING, replace=True) > 2 * 20
        tables.append(read(out))
    assert tables[0].to_wkb().equals(tables[1].to_wkb())
    if suffix == ".gpkg":
        assert "RUN" in pyogrio.read_info(out)["layer_metadata"]
        return
    content = parquet.read_schema(out).metadata
    assert content[b"RUN"] == b"town"
    assert json.loads(content[b"geo"])["columns"]["geometry"]["bbox"] == tables[0].total_bounds.tolist()


@SLOW
def test_city_models_in_parts_equal_those_of_one(maps: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "objects.city.json"
    texts = []
    for batch in (20_000, 20):
        monkeypatch.setattr("mtlaerial.objects.object_store.BATCH", batch)
        vectorise([maps], out, EVERYTHING, replace=True)
        texts.append(out.read_bytes())
    assert texts[0] == texts[1]


def test_geopackage_says_what_its_objects_are_of(maps: Path, tmp_path: Path) -> None:
    vectorise([maps], tmp_path / "objects.gpkg", EVERYTHING)
    metadata = pyogrio.read_info(tmp_path / "objects.gpkg")["layer_metadata"]
    assert metadata["RUN"] == "town"
    assert "height_lower and height_upper are empty" in metadata["NOTES"]


@pytest.mark.parametrize("suffix", [".gpkg", ".parquet", pytest.param(".city.json", marks=SLOW)])
def test_equal_objects_give_equal_bytes_in_any_strips(maps: Path, tmp_path: Path, suffix: str) -> None:
    width = read_region([maps]).grid.width
    contents = []
    for rows in (1, 7, 512):
        out = tmp_path / f"{rows}{suffix}"
        vectorise([maps], out, EVERYTHING, block=rows * width)
        contents.append(out.read_bytes())
        time.sleep(0.01)  # GDAL writes times in milliseconds
    assert contents[0] == contents[1] == contents[2]


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_nothing_is_left_after_an_error_or_interrupt(
    maps: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, error: type[BaseException]
) -> None:
    places = []

    def interrupted(store: ObjectStore) -> Any:
        places.extend(path.name for path in tmp_path.iterdir())
        yield from parts(store)
        raise error

    parts = ObjectStore.parts
    monkeypatch.setattr(ObjectStore, "parts", interrupted)
    with pytest.raises((error, DataError)):
        vectorise([maps], tmp_path / f"objects{suffix}", EVERYTHING)
    assert any(name.endswith(".sqlite") for name in places), "beside the file, as temporary folders may be in memory"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_full_disk_is_one_sentence_and_no_half_file(maps: Path, tmp_path: Path, suffix: str) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=8k", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small disk needs root")
    try:
        with pytest.raises(DataError, match=rf"objects{suffix}: found .*; expected a place to write to\. Free space"):
            vectorise([maps], disk / f"objects{suffix}", EVERYTHING)
        assert list(disk.iterdir()) == []
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)
