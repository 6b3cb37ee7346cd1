"""Maps: georeference, values of the network, atomic writes; and images that do not match the run."""

import json
import logging
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import torch
from affine import Affine
from rasterio.crs import CRS

from mtlaerial.config import IGNORED, PredictionSpec
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.errors import DataError, MismatchError
from mtlaerial.prediction import checkerboard_meter
from mtlaerial.prediction.array_maps import predict_arrays
from mtlaerial.prediction.predictor import Predictor
from mtlaerial.prediction.settings import prediction_for
from mtlaerial.rasters.geotiff import open_raster
from mtlaerial.runs.run import load_description, save_description
from mtlaerial.scoring.checkerboard import load_spectra
from mtlaerial.tiles.prepare import prepare_tile
from mtlaerial.tiles.tile import load_tiles
from support import tiny

SPEC = PredictionSpec(window=64, stride=48, activation="softmax")
TASKS = ("semantics", "height")
FILES = ["height.qml", "height.tif", "semantics.qml", "semantics.tif", "stac_item.json"]
"""Files of maps of any image."""


@pytest.fixture(scope="module")
def predictor(run_folder: Path) -> Predictor:
    return Predictor(run_folder, SPEC)


@pytest.fixture(scope="module")
def image(city: Dataset) -> Path:
    return city.files("image", "city_4")[0]


@pytest.fixture(scope="module")
def maps(predictor: Predictor, image: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("maps")
    predictor.predict_image(image, folder)
    return folder


def pixels(path: Path) -> np.ndarray:
    with rasterio.open(path) as source:
        return source.read()


def metres(path: Path) -> np.ndarray:
    """Return heights that are stored with a scale; NaN without one."""
    with rasterio.open(path) as source:
        return source.read(1, masked=True).astype(np.float32).filled(np.nan) * np.float32(source.scales[0])


def ortho(tmp_path: Path, bands: int = 3, size: int = 40, dtype: type = np.uint8, **place: Any) -> Path:
    array = np.random.default_rng(0).integers(1, 255, (bands, size, size)).astype(dtype)
    return tiny.write_raster(tmp_path / "ortho.tif", array, **place)


def test_maps_lie_where_the_image_lies(maps: Path, image: Path) -> None:
    assert sorted(path.name for path in maps.iterdir()) == FILES
    with rasterio.open(image) as source:
        for task, dtype in (("semantics", "uint8"), ("height", "int16")):
            with rasterio.open(maps / f"{task}.tif") as raster:
                assert (raster.crs, raster.transform, raster.shape) == (source.crs, source.transform, source.shape)
                assert (raster.count, raster.dtypes[0]) == (1, dtype)


def test_every_block_of_a_map_is_compressed_once(
    run_folder: Path, tiles: dict[str, list[Path]], tmp_path: Path
) -> None:
    """A block that leaves the cache before it is full is written again elsewhere: the file grows with every strip."""
    Predictor(run_folder, PredictionSpec(window=32, stride=4)).predict_tiles(tiles["test"], tmp_path)
    for path in tmp_path.rglob("*.tif"):
        with rasterio.open(path) as raster:
            raw = raster.read(1).nbytes
        assert path.stat().st_size < 1.5 * raw + 8000, path.name


def test_maps_are_cloud_optimised(maps: Path) -> None:
    for task in TASKS:
        with rasterio.open(maps / f"{task}.tif") as raster:
            assert raster.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
            assert raster.profile["tiled"]


def test_a_large_map_has_overviews_of_whole_classes(predictor: Predictor, tmp_path: Path) -> None:
    predictor.predict_image(ortho(tmp_path, size=600), tmp_path / "out")
    with rasterio.open(tmp_path / "out" / "semantics.tif") as raster:
        assert raster.overviews(1) == [2]
        assert set(np.unique(raster.read(1, out_shape=(300, 300)))) <= set(range(6))


def test_maps_say_what_they_show(maps: Path, run_folder: Path) -> None:
    statistics = load_description(run_folder).statistics
    with rasterio.open(maps / "semantics.tif") as raster:
        assert raster.nodata == IGNORED
        colours = raster.colormap(1)
        for code, entry in enumerate(statistics.classes):
            assert colours[code][:3] == entry.colour
        tags = raster.tags()
        for code, entry in enumerate(statistics.classes):
            assert tags[f"CLASS_{code}"] == entry.name
        assert len(statistics.classes) == 6
        assert tags["RUN"] == "city/equal/seed0"
        assert "generated data" in tags["TRAINED_ON"]
        assert raster.descriptions == ("class",)
    with rasterio.open(maps / "height.tif") as raster:
        assert (raster.nodata, raster.scales) == (-32768, (0.01,))
        assert raster.units == ("metre",)
        assert raster.descriptions == ("height above ground",)


def test_one_window_is_the_network_itself(run_folder: Path, image: Path, tmp_path: Path) -> None:
    exact = {"height_encoding": "float32", "negative_heights": True}
    spec = PredictionSpec(window=tiny.SIZE, stride=tiny.SIZE, activation="softmax", **exact)
    predictor = Predictor(run_folder, spec)
    predictor.predict_image(image, tmp_path)
    normal = torch.from_numpy(pixels(image)).float()[None] / 127.5 - 1
    with torch.inference_mode():
        outputs = {task: output.cpu() for task, output in predictor.runs[0].model(normal.to(predictor.device)).items()}
    np.testing.assert_array_equal(pixels(tmp_path / "semantics.tif")[0], outputs["semantics"][0].argmax(0).numpy())
    expected = outputs["height"][0, 0].numpy() * 5  # training.height_unit
    np.testing.assert_allclose(pixels(tmp_path / "height.tif")[0], expected, rtol=1e-4, atol=1e-4)


def test_maps_of_tiles_lie_on_the_grids_of_their_truth(
    predictor: Predictor, tiles: dict[str, list[Path]], tmp_path: Path
) -> None:
    predictor.predict_tiles(tiles["test"], tmp_path)
    tile = tiles["test"][0]
    loaded = load_tiles([tile], torch.device("cpu"), 10)[0]
    arrays = predict_arrays(predictor.blender, predictor.network, loaded)
    for task, layer in (("semantics", "labels"), ("height", "height")):
        path = tmp_path / tile.name / f"{task}.tif"
        with rasterio.open(path) as raster, rasterio.open(tile / f"{layer}.tif") as truth:
            assert (raster.shape, raster.transform, raster.crs) == (truth.shape, truth.transform, truth.crs)
        np.testing.assert_array_equal(pixels(path)[0], arrays[task])


def test_grids_of_heights_are_measured_in_the_image_not_in_coarse_maps(
    predictor: Predictor, tiles: dict[str, list[Path]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkerboard_meter, "LEAST_HEIGHT", -1e9)
    predictor.predict_tiles(tiles["test"], tmp_path)
    folder = tmp_path / tiles["test"][0].name
    assert pixels(folder / "height.tif").shape[1:] == (tiny.SIZE // 2, tiny.SIZE // 2)
    # An image of 96 pixels has one segment of 65 pixels in every third line; a map of 48 would have none.
    assert load_spectra(folder, "height")["across"][0].segments == tiny.SIZE // 3


def test_a_prediction_says_how_far_a_grid_stands_out(
    predictor: Predictor, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO)
    path = ortho(tmp_path, size=150)
    predictor.predict_image(path, tmp_path / "low")
    assert "height: too few surfaces of 2 m and more to tell a grid of the network" in caplog.messages
    monkeypatch.setattr(checkerboard_meter, "LEAST_HEIGHT", -1e9)
    predictor.predict_image(path, tmp_path / "all")
    line = r"height: power at \d+ px is \d+\.\d times its neighbours \(checkerboard ratio\)"
    assert re.fullmatch(line, caplog.messages[-1])


def test_coarse_maps_are_the_means_of_the_fine_ones(
    run_folder: Path, tiles: dict[str, list[Path]], tmp_path: Path
) -> None:
    Predictor(run_folder, SPEC.model_copy(update={"image_maps": True})).predict_tiles(tiles["test"], tmp_path)
    folder = tmp_path / tiles["test"][0].name
    fine, coarse = pixels(folder / "image_height.tif")[0], pixels(folder / "height.tif")[0]
    np.testing.assert_allclose(coarse, fine.reshape(48, 2, 48, 2).mean(axis=(1, 3)), rtol=1e-4, atol=1e-4)


def test_a_tile_without_truth_is_mapped_on_the_grid_of_its_image(
    predictor: Predictor, city: Dataset, tmp_path: Path
) -> None:
    dataset = Dataset("city", tiny.city_spec(height=None), city.root)
    prepare_tile(dataset, "city_4", tmp_path / "city_4")
    predictor.predict_tiles([tmp_path / "city_4"], tmp_path / "maps")
    assert pixels(tmp_path / "maps" / "city_4" / "height.tif").shape == (1, tiny.SIZE, tiny.SIZE)
    tile = load_tiles([tmp_path / "city_4"], torch.device("cpu"), 10)[0]
    arrays = predict_arrays(predictor.blender, predictor.network, tile)
    assert np.isnan(arrays["height"]).all()
    assert (arrays["semantics"] != IGNORED).all()


def test_pixels_without_data_are_without_class_and_height(predictor: Predictor, tmp_path: Path) -> None:
    array = np.random.default_rng(0).integers(1, 255, (3, 70, 90), np.uint8)
    array[:, 10:30, 20:50] = 0
    path = tiny.write_raster(tmp_path / "ortho.tif", array, nodata=0)
    predictor.predict_image(path, tmp_path / "out")
    absent = (array == 0).all(axis=0)
    np.testing.assert_array_equal(pixels(tmp_path / "out" / "semantics.tif")[0] == IGNORED, absent)
    np.testing.assert_array_equal(np.isnan(metres(tmp_path / "out" / "height.tif")), absent)


def test_bands_may_be_chosen_and_ordered(predictor: Predictor, image: Path, maps: Path, tmp_path: Path) -> None:
    array = pixels(image)
    with rasterio.open(image) as source:
        place = {"west": source.transform.c, "north": source.transform.f}
    path = tiny.write_raster(tmp_path / "ortho.tif", np.stack([array[2], array[0] * 0, array[0], array[1]]), **place)
    predictor.predict_image(path, tmp_path / "out", bands=[3, 4, 1])
    for task in TASKS:
        np.testing.assert_array_equal(pixels(tmp_path / "out" / f"{task}.tif"), pixels(maps / f"{task}.tif"))


def test_an_image_without_georeference_is_taken_when_its_gsd_is_stated(predictor: Predictor, tmp_path: Path) -> None:
    path = ortho(tmp_path, pixel=0)
    with pytest.raises(MismatchError, match=r"no georeference.*--gsd"):
        predictor.predict_image(path, tmp_path / "out")
    predictor.predict_image(path, tmp_path / "out", gsd=0.5)
    with open_raster(tmp_path / "out" / "height.tif") as source:
        assert source.shape == (40, 40)


FEET = CRS.from_epsg(2992)


def test_pixel_sizes_in_feet_are_converted(predictor: Predictor, tmp_path: Path) -> None:
    place = {"crs": FEET, "west": 1_200_000.0, "north": 1_000_000.0}
    predictor.predict_image(ortho(tmp_path, pixel=0.5 / 0.3048, **place), tmp_path / "out")
    with pytest.raises(MismatchError, match=r"found pixels of 0\.1524 x 0\.1524 m.*--res 1\.64041995 --resampling"):
        predictor.predict_image(ortho(tmp_path, **place), tmp_path / "out")


@pytest.mark.parametrize(
    ("options", "bands", "message"),
    [
        ({"bands": 1}, None, "found 1 band; expected 3 bands (red, green, blue). Map an image that has them"),
        ({"bands": 4}, [1, 2, 5], "found 4 bands; expected the bands 1, 2, 5. Choose them with --bands 1,2,3 if"),
        ({"bands": 4}, [1, 2], "found 2 bands"),
        ({"dtype": np.uint16}, None, "found dtype uint16; expected uint8"),
        ({"pixel": 0.25}, None, "found pixels of 0.25 x 0.25 m; expected about 0.5 x 0.5 m"),
        ({"pixel": 0.6}, None, "--res 0.5 --resampling cubic"),
        ({"crs": CRS.from_epsg(4326), "west": 5, "north": 50}, None, "found a CRS in degrees"),
        ({"transform": Affine.rotation(10) @ Affine.scale(0.5, -0.5)}, None, "found a rotated raster"),
    ],
)
def test_an_image_that_does_not_match_is_refused_in_one_sentence(
    predictor: Predictor, tmp_path: Path, options: dict[str, Any], bands: list[int] | None, message: str
) -> None:
    path = ortho(tmp_path, **options)
    with pytest.raises(MismatchError) as caught:
        predictor.predict_image(path, tmp_path / "out", bands)
    assert message in str(caught.value)
    assert str(caught.value).startswith(f"{path}: found ")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("cog", [True, False])
def test_a_failed_prediction_leaves_nothing(
    run_folder: Path, tiles: dict[str, list[Path]], image: Path, tmp_path: Path, cog: bool
) -> None:
    predictor = Predictor(run_folder, SPEC)
    network, calls = predictor.blender.network, []

    def failing(windows: torch.Tensor) -> torch.Tensor:
        calls.append(1)
        if len(calls) > 2:
            raise RuntimeError("out of memory")
        return network(windows)

    predictor.blender.network = failing
    with pytest.raises(RuntimeError, match="out of memory"):
        predictor.predict_image(image, tmp_path) if cog else predictor.predict_tiles(tiles["test"], tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_damaged_image_is_named_and_leaves_nothing(predictor: Predictor, tmp_path: Path) -> None:
    path = ortho(tmp_path, size=400, compress="deflate", blockysize=16)
    path.write_bytes(path.read_bytes()[:200_000])
    with pytest.raises(DataError, match=r"ortho\.tif: .*truncated or damaged"):
        predictor.predict_image(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_predicting_again_replaces_the_maps(predictor: Predictor, image: Path, tmp_path: Path) -> None:
    predictor.predict_image(image, tmp_path)
    before = (tmp_path / "height.tif").stat().st_ino
    predictor.predict_image(image, tmp_path)
    assert (tmp_path / "height.tif").stat().st_ino != before
    assert pixels(tmp_path / "height.tif").shape == (1, tiny.SIZE, tiny.SIZE)
    assert sorted(path.name for path in tmp_path.iterdir()) == FILES


def test_heights_are_stored_as_a_run_or_an_option_says(run_folder: Path, image: Path, tmp_path: Path) -> None:
    exact = {"height_encoding": "float32", "negative_heights": True}
    for name, changes in {"float32": exact, "lerc": {"height_encoding": "lerc"}, "centimetres": {}}.items():
        Predictor(run_folder, SPEC.model_copy(update=changes)).predict_image(image, tmp_path / name)
    expected = metres(tmp_path / "float32" / "height.tif")
    assert (expected < -0.1).any(), "else nothing below 0 is told apart"
    for name in ("lerc", "centimetres"):
        np.testing.assert_allclose(metres(tmp_path / name / "height.tif"), expected.clip(0), atol=0.0101)
    assert pixels(tmp_path / "lerc" / "height.tif").dtype == np.float32


def test_maps_of_tiles_are_exact_however_other_images_are_stored(
    predictor: Predictor, run_folder: Path, tiles: dict[str, list[Path]], tmp_path: Path
) -> None:
    predictor.predict_tiles(tiles["test"], tmp_path / "default")
    other = SPEC.model_copy(update={"height_encoding": "lerc", "negative_heights": True})
    Predictor(run_folder, other).predict_tiles(tiles["test"], tmp_path / "other")
    name = tiles["test"][0].name
    for task in TASKS:
        first, second = (tmp_path / folder / name / f"{task}.tif" for folder in ("default", "other"))
        assert first.read_bytes() == second.read_bytes()
    heights = pixels(tmp_path / "default" / name / "height.tif")
    assert heights.dtype == np.float32
    assert (heights < 0).any(), "scores are of the heights as the network gives them"


def test_a_prediction_is_described_by_a_stac_item(maps: Path, image: Path) -> None:
    item = json.loads((maps / "stac_item.json").read_text())
    with rasterio.open(image) as source:
        assert item["properties"]["proj:shape"] == list(source.shape)
        assert item["properties"]["proj:transform"] == list(source.transform)[:6]
    assert item["properties"]["mtlaerial:run"] == "city/equal/seed0"
    assert {asset["href"].removeprefix("./") for asset in item["assets"].values()} == set(FILES) - {"stac_item.json"}
    assert [entry["value"] for entry in item["assets"]["semantics"]["classification:classes"]] == list(range(6))


def test_an_image_without_a_crs_is_mapped_and_said(
    predictor: Predictor, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    path = ortho(tmp_path, crs=None)
    predictor.predict_image(path, tmp_path / "out", gsd=0.5)
    assert f"{path}: no CRS, so the maps have none: give a GIS the CRS when it opens them" in caplog.messages
    assert json.loads((tmp_path / "out" / "stac_item.json").read_text())["geometry"] is None


def test_images_are_mapped_as_the_run_was_scored(run_folder: Path, tmp_path: Path) -> None:
    scored = PredictionSpec(window=64, stride=16, views=("mirror", "turns"), image_maps=True)
    plan = load_description(run_folder).plan.model_copy(update={"prediction": scored})
    (tmp_path / "model.safetensors").write_bytes((run_folder / "model.safetensors").read_bytes())
    save_description(tmp_path, plan, load_description(run_folder).statistics)
    assert Predictor(tmp_path).prediction == scored
    assert prediction_for(tmp_path) == scored.model_copy(update={"image_maps": False})
    stored = prediction_for(tmp_path, height_encoding="lerc", negative_heights=True)
    assert (stored.height_encoding, stored.negative_heights, stored.views) == ("lerc", True, ("mirror", "turns"))
    even = prediction_for(tmp_path, blend="even")
    assert (even.blend, even.views, even.activation) == ("even", ("mirror", "turns"), "sigmoid"), (
        "other windows change nothing else"
    )
