"""Statistics of training tiles: equal to numpy's."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from rasterio.crs import CRS

from mtlaerial.config import IGNORED
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.errors import DataError
from mtlaerial.rasters.geotiff import PREPARED, map_raster
from mtlaerial.tiles.measure import measure_tiles, summarise
from mtlaerial.tiles.record import write_record
from mtlaerial.tiles.statistics import Statistics, load_tile_statistics, with_specification, without_tiles
from support import tiny
from support.tiny import Folders


def gathered(tiles: Folders, layer: str) -> np.ndarray:
    arrays = [map_raster(folder / f"{layer}.tif") for folder in tiles["train"]]
    return np.concatenate([array.reshape(-1, *array.shape[2:]) for array in arrays])


def test_bands_have_the_mean_and_deviation_of_all_pixels(statistics: Statistics, tiles: Folders) -> None:
    pixels = gathered(tiles, "image").astype(np.float64)
    np.testing.assert_allclose([band.mean for band in statistics.bands], pixels.mean(axis=0), rtol=1e-9)
    np.testing.assert_allclose([band.std for band in statistics.bands], pixels.std(axis=0), rtol=1e-6)
    assert [band.name for band in statistics.bands] == ["red", "green", "blue"]


def test_bands_keep_their_number_in_the_raw_files() -> None:
    """Prediction reads the same ones."""
    spec = tiny.city_spec(image={"files": "{tile}.tif", "bands": [4, 1, 2], "band_names": ["nir", "red", "green"]})
    bands = without_tiles("city", spec, 0.5, "uint8").bands
    assert [(band.name, band.index) for band in bands] == [("nir", 4), ("red", 1), ("green", 2)]


def test_pixels_are_measured_on_the_ground(tmp_path: Path) -> None:
    """A metre of Web Mercator is half a metre at 60 degrees north."""
    values = np.zeros((8, 8), np.uint8)
    layers = {"image": np.stack([values] * 3), "labels": values, "eroded": values, "height": values.astype(np.float32)}
    for layer, array in layers.items():
        place = {"crs": CRS.from_epsg(3857), "west": 1e6, "north": 8_399_738.0}
        tiny.write_raster(tmp_path / f"{layer}.tif", array, pixel=1.0, **place, **PREPARED)
    write_record(tmp_path, {}, {})
    assert measure_tiles(tiny.city_spec(gsd=None), [tmp_path]).gsd == pytest.approx(0.5, rel=0.01)
    assert measure_tiles(tiny.city_spec(), [tmp_path]).gsd == 0.5


def test_classes_are_counted_on_the_grid_of_the_labels(statistics: Statistics, tiles: Folders) -> None:
    labels = gathered(tiles, "labels")
    counts = [int((labels == code).sum()) for code in range(6)]
    assert [entry.pixels for entry in statistics.classes] == counts
    assert sum(counts) == int((labels != IGNORED).sum())
    assert statistics.classes[1].name == "building"


def test_heights_are_summarised_over_valid_cells(statistics: Statistics, tiles: Folders) -> None:
    heights = gathered(tiles, "height").astype(np.float64)
    heights = heights[np.isfinite(heights)]
    height = statistics.height
    assert height
    assert height.cells == heights.size
    np.testing.assert_allclose([height.mean, height.std], [heights.mean(), heights.std()], rtol=1e-6)
    assert (height.minimum, height.maximum) == (heights.min(), heights.max())
    assert height.median == pytest.approx(np.median(heights), abs=0.0101)


def test_a_tile_that_differs_by_a_bit_has_another_hash(city: Dataset, tiles: Folders, tmp_path: Path) -> None:
    first = summarise(city, tiles["train"])
    for folder in tiles["train"]:
        shutil.copytree(folder, tmp_path / folder.name)
    copies = [tmp_path / folder.name for folder in tiles["train"]]
    assert summarise(city, copies) == first
    path = copies[1] / "labels.tif"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    write_record(copies[1], {}, {})
    changed = summarise(city, copies)
    same, altered = (folder.name for folder in copies)
    assert changed.tiles[same] == first.tiles[same]
    assert changed.tiles[altered] != first.tiles[altered]


def test_absent_layers_have_no_statistics(tiles: Folders, tmp_path: Path) -> None:
    source = tiles["train"][0]
    shutil.copytree(source, tmp_path / "a")
    tiny.write_raster(tmp_path / "a" / "height.tif", np.full((1, 1), np.nan, np.float32), photometric="minisblack")
    tiny.write_raster(tmp_path / "a" / "labels.tif", np.full((1, 1), IGNORED, np.uint8), photometric="minisblack")
    write_record(tmp_path / "a", {}, {})
    summary = summarise(Dataset("city", tiny.city_spec(), tmp_path), [tmp_path / "a"])
    assert summary.classes == ()
    assert summary.height is None


def test_pixels_without_data_do_not_enter_the_bands(tiles: Folders, tmp_path: Path) -> None:
    shutil.copytree(tiles["train"][0], tmp_path / "a")
    image = np.full((3, 10, 10), 7.0, np.float32)
    image[:, :4] = np.nan
    tiny.write_raster(tmp_path / "a" / "image.tif", image, nodata=np.nan, interleave="pixel")
    write_record(tmp_path / "a", {}, {})
    summary = summarise(Dataset("city", tiny.city_spec(), tmp_path), [tmp_path / "a"])
    assert [(band.mean, band.std) for band in summary.bands] == [(7.0, 0.0)] * 3
    assert summary.dtype == "float32"


def test_measurements_survive_a_file(city: Dataset, tiles: Folders, statistics: Statistics, tmp_path: Path) -> None:
    path = tmp_path / "statistics.json"
    path.write_text(measure_tiles(city.spec, tiles["train"]).model_dump_json(), encoding="utf-8")
    assert with_specification(city.name, city.spec, load_tile_statistics(path)) == statistics


def test_names_are_the_specification_s(city: Dataset, tiles: Folders) -> None:
    renamed = city.spec.model_copy(update={"title": "Another"})
    measured = measure_tiles(city.spec, tiles["train"])
    assert measure_tiles(renamed, tiles["train"]) == measured
    assert with_specification("town", renamed, measured).title == "Another"


@pytest.mark.parametrize("text", ['{"gsd": 0.5', "", "[]", '{"gsd": 0.5}'])
def test_damaged_statistics_are_refused_in_one_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "statistics.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=r"statistics\.json: found a damaged file; expected .*Delete the file"):
        load_tile_statistics(path)
