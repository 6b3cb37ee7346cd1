"""Files of objects: formats as their validators have them, equal bytes, full disks."""

import os
import subprocess
import sys
import time
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio
import pytest

from mtlaerial.config.objects import ObjectsSpec
from mtlaerial.errors import DataError
from mtlaerial.objects.vectorise import vectorise
from support.object_maps import grid, random_maps, write_maps

SUFFIXES = [".gpkg", ".parquet", ".city.json"]
EVERYTHING = ObjectsSpec(classes=("building", "tree"), min_area=0.0, min_hole=0.0)


@pytest.fixture(scope="module")
def maps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    noise = random_maps(np.random.default_rng(7))
    codes, heights = (np.tile(values, (2, 2)) for values in noise.values())
    return write_maps(tmp_path_factory.mktemp("noise") / "maps", grid(*codes.shape), codes, heights)


def test_geoparquet_passes_its_validator(maps: Path, tmp_path: Path) -> None:
    validator = pytest.importorskip("geoparquet_validator")
    vectorise([maps], tmp_path / "objects.parquet", EVERYTHING)
    report = validator.check(str(tmp_path / "objects.parquet"))
    assert validator.failed(report) == []
    passed = {outcome["id"] for outcome in report["outcomes"] if outcome["status"] == "pass"}
    assert {"/conf/core/geo-metadata", "/conf/core/wkb", "/conf/covering/bbox-paths"} <= passed


def test_all_formats_hold_the_same_table(maps: Path, tmp_path: Path) -> None:
    expected = vectorise([maps], tmp_path / "objects.gpkg", EVERYTHING)
    vectorise([maps], tmp_path / "objects.parquet", EVERYTHING)
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
write_geoparquet(frame, Path(sys.argv[1]), {})
print(psutil.Process().num_threads() - before)
"""


@pytest.mark.full("imports geopandas in a process of its own")
def test_geoparquet_leaves_no_threads_of_arrow(tmp_path: Path) -> None:
    # Their teardown aborts one in ten processes at their end, after the file is complete.
    command = [sys.executable, "-c", _COUNT_THREADS, str(tmp_path / "objects.parquet")]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == "0"


def test_batches_give_the_file_of_one(maps: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = vectorise([maps], tmp_path / "whole.gpkg", EVERYTHING)
    for module in ("objects.frame", "datasets.geopackage"):
        monkeypatch.setattr(f"mtlaerial.{module}.BATCH", 20)
    frame = vectorise([maps], tmp_path / "batches.gpkg", EVERYTHING)
    assert len(frame) > 2 * 20
    assert frame.drop(columns="geometry").equals(expected.drop(columns="geometry"))
    read = gpd.read_file(tmp_path / "batches.gpkg")
    assert read.to_wkb().equals(gpd.read_file(tmp_path / "whole.gpkg").to_wkb())
    metadata = [pyogrio.read_info(tmp_path / f"{name}.gpkg")["layer_metadata"] for name in ("whole", "batches")]
    assert metadata[0] == metadata[1]


def test_geopackage_says_what_its_objects_are_of(maps: Path, tmp_path: Path) -> None:
    vectorise([maps], tmp_path / "objects.gpkg", EVERYTHING)
    metadata = pyogrio.read_info(tmp_path / "objects.gpkg")["layer_metadata"]
    assert metadata["RUN"] == "town"
    assert "height_lower and height_upper are empty" in metadata["NOTES"]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_equal_objects_give_equal_bytes(maps: Path, tmp_path: Path, suffix: str) -> None:
    files = [tmp_path / f"{name}{suffix}" for name in ("first", "second")]
    for out in files:
        vectorise([maps], out, EVERYTHING)
        time.sleep(0.01)  # GDAL writes times in milliseconds
    assert files[0].read_bytes() == files[1].read_bytes()


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
