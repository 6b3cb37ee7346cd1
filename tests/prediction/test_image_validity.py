"""Maps of images with invalid pixels: none there, the same elsewhere however the file says it."""

import logging
from pathlib import Path

import numpy as np
import pytest
import rasterio

from mtlaerial.config import IGNORED, PredictionSpec
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.errors import DataError
from mtlaerial.prediction.array_maps import predict_arrays
from mtlaerial.prediction.predictor import Predictor
from mtlaerial.runs.run import RunDescription, save_description
from mtlaerial.tiles.measure import summarise
from mtlaerial.tiles.prepare import prepare_tile
from mtlaerial.tiles.statistics import Statistics
from mtlaerial.tiles.tile import load_tiles
from mtlaerial.training.train import train
from support import tiny
from support.masks import NODATA, WAYS, write_damaged_jpeg, write_masked

SPEC = PredictionSpec(window=64, stride=48, activation="softmax", height_encoding="float32")
TASKS = ("semantics", "height")
BANDS = [1, 2, 3]


@pytest.fixture(scope="module")
def predictor(run_folder: Path) -> Predictor:
    return Predictor(run_folder, SPEC)


def picture() -> np.ndarray:
    return np.random.default_rng(0).integers(4, 255, (3, 80, 100), np.uint8)


def block() -> np.ndarray:
    valid = np.ones((80, 100), bool)
    valid[:70, :40] = False
    return valid


def predicted(predictor: Predictor, path: Path, folder: Path) -> list[np.ndarray]:
    predictor.predict_image(path, folder, BANDS)
    maps = []
    for task in TASKS:
        with rasterio.open(folder / f"{task}.tif") as source:
            maps.append(source.read(1))
    return maps


def knowing_nodata(predictor: Predictor, monkeypatch: pytest.MonkeyPatch, nodata: float) -> None:
    """Let a run's specification have said which value is no image."""
    description = predictor.description
    statistics = description.statistics.model_copy(update={"nodata": nodata})
    changed = RunDescription.model_copy(description, update={"statistics": statistics})
    monkeypatch.setattr(predictor, "description", changed)


def test_maps_are_the_same_bytes_however_the_file_says_what_is_image(
    predictor: Predictor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrays, contents = {}, {}
    for way in WAYS:
        path = write_masked(tmp_path / way / "ortho.tif", picture(), block(), way)
        arrays[way] = predicted(predictor, path, tmp_path / way / "maps")
        contents[way] = [(tmp_path / way / "maps" / f"{task}.tif").read_bytes() for task in TASKS]
    for way in WAYS:
        np.testing.assert_array_equal(arrays[way][0], arrays["tag"][0])
        np.testing.assert_array_equal(arrays[way][1], arrays["tag"][1])
        assert way == "VRT" or contents[way] == contents["tag"]  # maps may name their image: a VRT has another suffix
    knowing_nodata(predictor, monkeypatch, NODATA)
    untagged = tiny.write_raster(tmp_path / "ortho.tif", np.where(block(), picture(), NODATA).astype(np.uint8))
    semantics, height = predicted(predictor, untagged, tmp_path / "maps")
    np.testing.assert_array_equal(semantics, arrays["tag"][0])  # the files' SETTINGS_ID differs: it has the value
    np.testing.assert_array_equal(height, arrays["tag"][1])
    np.testing.assert_array_equal(semantics != IGNORED, block())
    np.testing.assert_array_equal(np.isfinite(height), block())


def test_the_values_of_invalid_pixels_do_not_matter(predictor: Predictor, tmp_path: Path) -> None:
    maps = []
    for value in (0, 255):
        values = np.where(block(), picture(), value).astype(np.uint8)
        path = tiny.write_raster(tmp_path / f"{value}.tif", values, nodata=value)
        with rasterio.open(path, "r+") as target:
            target.nodata = None
            target.write_mask(block())
        maps.append(predicted(predictor, path, tmp_path / f"maps_{value}"))
    np.testing.assert_array_equal(*(semantics for semantics, _ in maps))
    np.testing.assert_array_equal(*(height for _, height in maps))


def test_the_share_without_image_is_said(
    predictor: Predictor, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = write_masked(tmp_path / "ortho.tif", picture(), block(), "mask")
    with caplog.at_level(logging.INFO):
        predictor.predict_image(path, tmp_path / "out", BANDS)
    assert f"{path}: 35 % of the pixels are no image and not mapped" in caplog.text


@pytest.mark.parametrize("value", [np.inf, np.nan])
def test_a_value_that_is_not_finite_is_no_data_and_harms_no_other_pixel(
    run_folder: Path, statistics: Statistics, tmp_path: Path, value: float
) -> None:
    folder = float_run(run_folder, statistics, tmp_path / "run")
    image = picture().astype(np.float32) / 255
    image[1, 20, 30] = value
    path = tiny.write_raster(tmp_path / "ortho.tif", image)
    semantics, height = predicted(Predictor(folder, SPEC), path, tmp_path / "maps")
    assert np.argwhere(semantics == IGNORED).tolist() == [[20, 30]]
    assert np.argwhere(~np.isfinite(height)).tolist() == [[20, 30]]
    assert np.nanmax(np.abs(height)) < 100


def float_run(run_folder: Path, statistics: Statistics, folder: Path) -> Path:
    """Return a run with the weights of another one, that takes floats from 0 to 1."""
    folder.mkdir()
    (folder / "model.safetensors").write_bytes((run_folder / "model.safetensors").read_bytes())
    floats = statistics.model_copy(update={"dtype": "float32", "range": (0.0, 1.0)})
    save_description(folder, tiny.run_plan(), floats)
    return folder


def test_a_training_is_the_same_however_files_say_what_is_image(city: Dataset, tmp_path: Path) -> None:
    weights = {}
    for way in ("tag", "alpha"):
        spec = city.spec.model_copy(update={"splits": {"train": ("city_1",)}})
        root = tmp_path / way
        dataset = Dataset("city", spec, root)
        for layer, folder in (("height", "height"), ("labels", "labels")):
            source_path = city.files(layer, "city_1")[0]  # type: ignore[arg-type]  # a layer
            (root / folder).mkdir(parents=True)
            (root / folder / "city_1.tif").write_bytes(source_path.read_bytes())
        with rasterio.open(city.files("image", "city_1")[0]) as source:
            place = {"west": source.transform.c, "north": source.transform.f}
            valid = np.ones(source.shape, bool)
            valid[:, :40] = False
            image = np.maximum(source.read(), NODATA + 1)
        write_masked(root / "images" / "city_1.tif", image, valid, way, **place)
        prepare_tile(dataset, "city_1", root / "tiles" / "city_1")
        plan, statistics = tiny.run_plan(epochs=1), summarise(dataset, [root / "tiles" / "city_1"])
        train(tiny.job(plan, statistics, [root / "tiles" / "city_1"], folder=root / "run"))
        save_description(root / "run", plan, statistics)
        weights[way] = [(root / "run" / name).read_bytes() for name in ("model.safetensors", "run.yaml")]
    assert weights["alpha"] == weights["tag"]


def test_validation_maps_have_no_values_at_invalid_pixels(predictor: Predictor, city: Dataset, tmp_path: Path) -> None:
    raw = city.files("image", "city_4")[0]
    with rasterio.open(raw) as source:
        place = {"west": source.transform.c, "north": source.transform.f}
        image = source.read()
    valid = np.ones(image.shape[1:], bool)
    valid[:48] = False
    dataset = Dataset("city", tiny.city_spec(image={"files": "{tile}.tif"}), tmp_path)
    write_masked(tmp_path / "city_4.tif", image, valid, "alpha", **place)
    for layer in ("height", "labels"):
        (tmp_path / layer).mkdir()
        (tmp_path / layer / "city_4.tif").write_bytes(city.files(layer, "city_4")[0].read_bytes())
    prepare_tile(dataset, "city_4", tmp_path / "tiles" / "city_4")
    (tile,) = load_tiles([tmp_path / "tiles" / "city_4"], predictor.device, 10, masks=True)
    arrays = predict_arrays(predictor.blender, predictor.network, tile)
    predictor.predict_tiles([tmp_path / "tiles" / "city_4"], tmp_path / "maps")
    for task in TASKS:
        with rasterio.open(tmp_path / "maps" / "city_4" / f"{task}.tif") as source:
            np.testing.assert_array_equal(source.read(1), arrays[task])  # type: ignore[index]  # a task
    np.testing.assert_array_equal(arrays["semantics"] != IGNORED, valid)


def test_damaged_pixels_are_an_error(predictor: Predictor, tmp_path: Path) -> None:
    path = write_damaged_jpeg(tmp_path / "ortho.tif")
    with pytest.raises(DataError, match=r"ortho\.tif: found damaged pixels"):
        predictor.predict_image(path, tmp_path / "out")
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())


def test_absent_blocks_are_an_error(predictor: Predictor, tmp_path: Path) -> None:
    values = picture()
    values[:, :, 48:] = 0
    options = {"tiled": True, "blockxsize": 16, "blockysize": 16, "sparse_ok": True}
    path = tiny.write_raster(tmp_path / "ortho.tif", values, **options)
    with pytest.raises(DataError, match=r"found 52 % of the pixels in parts that the file lacks"):
        predictor.predict_image(path, tmp_path / "out")


def test_an_image_without_valid_pixels_is_an_error(predictor: Predictor, tmp_path: Path) -> None:
    path = tiny.write_raster(tmp_path / "ortho.tif", np.full((3, 40, 40), NODATA, np.uint8), nodata=NODATA)
    with pytest.raises(DataError, match="found no pixel that is image"):
        predictor.predict_image(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()
