"""Records of prepared tiles: what they were prepared from, and hashes that readers verify."""

import math
import os
import shutil
from pathlib import Path

import geopandas as gpd
import pytest
from rasterio.shutil import copy
from shapely.geometry import box

from mtlaerial.config import PREPARED_LAYERS
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.datasets.sources import raw_sources, tile_keys
from mtlaerial.errors import DataError
from mtlaerial.tiles.measure import summarise
from mtlaerial.tiles.prepare import prepare_tile
from mtlaerial.tiles.record import load_record, verify_tiles, write_record
from support.bad_rasters import virtual
from support.tiny import Folders
from support.town import NORTH, WEST, Town


@pytest.fixture
def tile(tiles: Folders, tmp_path: Path) -> Path:
    """Return a copy of a prepared tile."""
    return Path(shutil.copytree(tiles["train"][0], tmp_path / tiles["train"][0].name))


@pytest.fixture
def raw(city: Dataset, tmp_path: Path) -> Dataset:
    """Return a copy of the generated city."""
    return Dataset("city", city.spec, Path(shutil.copytree(city.root, tmp_path / "raw")))


def flip_bytes(path: Path, number: int = 2000) -> None:
    """Change some bytes at the end of a file."""
    content = bytearray(path.read_bytes())
    content[-number:] = bytes(byte ^ 64 for byte in content[-number:])
    path.write_bytes(bytes(content))


@pytest.mark.parametrize("layer", ["image", "height", "labels"])
def test_a_layer_that_changed_since_it_was_prepared_is_refused(tile: Path, city: Dataset, layer: str) -> None:
    verify_tiles([tile])
    flip_bytes(tile / f"{layer}.tif")
    words = rf"{layer}\.tif: found SHA-256 .*; expected .*as when the tile was prepared.*delete the folder"
    with pytest.raises(DataError, match=words):
        verify_tiles([tile])
    with pytest.raises(DataError, match=words):
        summarise(city, [tile])


def test_a_tile_without_a_record_or_with_a_damaged_one_is_refused(tile: Path) -> None:
    (tile / "tile.json").write_text("[1")
    with pytest.raises(DataError, match=r"tile\.json: found a damaged file"):
        verify_tiles([tile])
    (tile / "tile.json").unlink()
    with pytest.raises(DataError, match=r"tile\.json: found no file.*same command again"):
        verify_tiles([tile])
    (tile / "tile.json").write_text('{"format": 9}')
    with pytest.raises(DataError, match="format 9, which a newer mtlaerial wrote"):
        verify_tiles([tile])


def test_a_tile_is_recorded_last(raw: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "city_1"
    prepare_tile(raw, "city_1", folder)
    monkeypatch.setattr("mtlaerial.tiles.prepare._write_labels", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        prepare_tile(raw, "city_1", folder)
    assert not (folder / "tile.json").exists()


def test_no_data_that_is_not_a_number_is_no_change(raw: Dataset, tmp_path: Path) -> None:
    image = raw.spec.image.model_copy(update={"nodata": math.nan})
    dataset = Dataset("city", raw.spec.model_copy(update={"image": image}), raw.root)
    for layer in PREPARED_LAYERS:
        (tmp_path / f"{layer}.tif").write_bytes(b"")
    write_record(tmp_path, tile_keys(dataset, "city_1"), raw_sources(dataset, "city_1"))
    assert load_record(tmp_path).difference(dataset, "city_1") == ""


def test_changes_of_keys_and_raw_files_are_named(raw: Dataset, tmp_path: Path) -> None:
    prepare_tile(raw, "city_1", tmp_path / "city_1")
    record = load_record(tmp_path / "city_1")
    assert record.difference(raw, "city_1") == ""
    moved = Dataset("city", raw.spec, Path(shutil.copytree(raw.root, tmp_path / "moved")))
    assert record.difference(moved, "city_1") == ""
    assert raw.spec.height
    height = raw.spec.height.model_copy(update={"scale": 0.5})
    changed = Dataset("city", raw.spec.model_copy(update={"height": height}), raw.root)
    assert record.difference(changed, "city_1") == "other keys height"
    image = raw.files("image", "city_1")[0]
    os.utime(image, (0, 1_000_000_000))  # older than the tile
    assert record.difference(raw, "city_1") == f"other files {image.relative_to(raw.root)}"
    for sidecar in (image.with_suffix(".tfw"), image.with_name(f"{image.name}.msk")):
        sidecar.write_text("")
        assert f"{sidecar.relative_to(raw.root)}" in record.difference(raw, "city_1")


def test_a_changed_file_of_a_mosaic_is_a_change_of_the_mosaic(tmp_path: Path) -> None:
    town = Town(tmp_path)
    copy(tmp_path / "image" / "a.tif", tmp_path / "image" / "a.vrt", driver="VRT")
    town.change(image={"files": "image/{tile}.vrt"})
    prepare_tile(town.dataset, "a", tmp_path / "tile")
    assert load_record(tmp_path / "tile").difference(town.dataset, "a") == ""
    os.utime(tmp_path / "image" / "a.tif", (0, 1_000_000_000))
    assert load_record(tmp_path / "tile").difference(town.dataset, "a") == "other files image/a.vrt"


def test_corrected_names_of_footprints_in_a_shapefile_are_a_change(tmp_path: Path) -> None:
    town = Town(tmp_path)
    frame = gpd.GeoDataFrame({"tile": ["a"]}, geometry=[box(WEST, NORTH - 32, WEST + 32, NORTH)], crs="EPSG:32632")
    frame.to_file(tmp_path / "tiles.shp")
    town.change(footprints={"files": "tiles.shp"}, image={"files": "image/a.tif"})
    before = raw_sources(town.dataset, "a")
    os.utime(tmp_path / "tiles.dbf", (0, 1_000_000_000))
    after = raw_sources(town.dataset, "a")
    assert [file for file in after if after[file] != before[file]] == ["tiles.dbf"]


@pytest.mark.parametrize("name", ["a.vrt", "a.VRT"])
def test_a_changed_file_of_a_mosaic_of_mosaics_is_a_change_too(tmp_path: Path, name: str) -> None:
    town = Town(tmp_path)
    (tmp_path / "image" / "a.tif").rename(tmp_path / "image" / "part.tif")
    (tmp_path / "image" / "inner.vrt").write_text(virtual("part.tif", "Byte"))
    (tmp_path / "image" / name).write_text(virtual("inner.vrt", "Byte"))
    town.change(image={"files": "image/{tile}.vrt"})
    before = raw_sources(town.dataset, "a")
    os.utime(tmp_path / "image" / "part.tif", (0, 1_000_000_000))
    after = raw_sources(town.dataset, "a")
    changed = [file for file in after if after[file] != before[file]]
    assert changed == [f"image/{name}"]


@pytest.mark.parametrize("content", ["<VRTDataset", "\0\1", virtual("gone.tif", "Byte"), virtual("a.vrt", "Byte")])
def test_a_mosaic_that_cannot_be_read_is_left_to_the_check(tmp_path: Path, content: str) -> None:
    town = Town(tmp_path)
    (tmp_path / "image" / "a.vrt").write_text(content)
    town.change(image={"files": "image/{tile}.vrt"})
    assert "image/a.vrt" in raw_sources(town.dataset, "a")
