"""Prepared tiles of a command: used, prepared again, or refused."""

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from filelock import FileLock

from mtlaerial.datasets.catalog import Dataset
from mtlaerial.errors import DataError
from mtlaerial.pipeline.prepared_tiles import prepared_tiles
from mtlaerial.tiles.prepare import prepare_tile
from mtlaerial.tiles.record import load_record
from support import tiny
from support.waiting import eventually


@pytest.fixture
def raw(city: Dataset, tmp_path: Path) -> Dataset:
    """Return a copy of the generated city."""
    return Dataset("city", city.spec, Path(shutil.copytree(city.root, tmp_path / "raw")))


def test_own_tiles_are_used_or_prepared_again_and_shared_ones_refused(raw: Dataset, tmp_path: Path) -> None:
    parent, image = tmp_path / "tiles", raw.files("image", "city_1")[0]
    (folder,) = prepared_tiles(raw, ["city_1"], parent, shared=True)
    before = (folder / "image.tif").stat().st_ino
    prepared_tiles(raw, ["city_1"], parent, shared=True)
    assert (folder / "image.tif").stat().st_ino == before
    os.utime(image, (0, 1_000_000_000))
    words = r"city_1: found a tile of other files .*; expected one of the same keys and files.*--tiles, or delete"
    with pytest.raises(DataError, match=words):
        prepared_tiles(raw, ["city_1"], parent, shared=True)
    assert (folder / "image.tif").stat().st_ino == before
    prepared_tiles(raw, ["city_1"], parent, shared=False)
    assert (folder / "image.tif").stat().st_ino != before
    assert load_record(folder).difference(raw, "city_1") == ""


def test_another_data_set_cannot_use_shared_tiles(raw: Dataset, tmp_path: Path) -> None:
    prepared_tiles(raw, ["city_1"], tmp_path / "tiles", shared=True)
    other = Dataset("town", tiny.city_spec(image={**raw.spec.image.model_dump(), "nodata": 0}), raw.root)
    with pytest.raises(DataError, match="a tile of other keys image"):
        prepared_tiles(other, ["city_1"], tmp_path / "tiles", shared=True)


def test_a_tile_that_another_process_prepares_is_waited_for_and_used(
    raw: Dataset, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    parent = tmp_path / "tiles"
    parent.mkdir()
    lock = FileLock(parent / ".city_1.lock")
    lock.acquire()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(prepared_tiles, raw, ["city_1"], parent, shared=True)
        eventually(lambda: "is being prepared by another process" in caplog.text)
        prepare_tile(raw, "city_1", parent / "city_1")
        before = (parent / "city_1" / "image.tif").stat().st_ino
        lock.release()
        assert waiting.result() == (parent / "city_1",)
    assert (parent / "city_1" / "image.tif").stat().st_ino == before
