"""Maps of an image: georeference, values of the network, formats, atomic writes."""

import json
from pathlib import Path

import numpy as np
import pytest
import rasterio
import torch

from mtlaerial.config import IGNORED, PredictionSpec
from mtlaerial.prediction.predictor import Predictor
from mtlaerial.prediction.settings import prediction_for
from mtlaerial.runs.run import load_description, save_description
from support import tiny
from support.predictions import FILES, SPEC, TASKS, metres, ortho, pixels


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


def test_a_prediction_is_described_by_a_stac_item(maps: Path, image: Path) -> None:
    item = json.loads((maps / "stac_item.json").read_text())
    with rasterio.open(image) as source:
        assert item["properties"]["proj:shape"] == list(source.shape)
        assert item["properties"]["proj:transform"] == list(source.transform)[:6]
    assert item["properties"]["mtlaerial:run"] == "city/equal/seed0"
    assert {asset["href"].removeprefix("./") for asset in item["assets"].values()} == set(FILES) - {"stac_item.json"}
    assert [entry["value"] for entry in item["assets"]["semantics"]["classification:classes"]] == list(range(6))


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
