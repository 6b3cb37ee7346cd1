"""Maps that are replaced, and those that must not be."""

import os
import shutil
from copy import copy
from pathlib import Path

import numpy as np
import pytest
import rasterio.shutil

from mtlaerial.config import PredictionSpec
from mtlaerial.errors import DataError
from mtlaerial.maps.annotation import stated_palette
from mtlaerial.maps.stac_item import ITEM
from mtlaerial.prediction.finished_maps import is_finished
from mtlaerial.prediction.image_maps import image_origin, write_image_maps
from mtlaerial.prediction.image_match import match_image
from mtlaerial.prediction.image_options import ImageOptions
from mtlaerial.prediction.map_origin import require_replaceable, source_id
from mtlaerial.prediction.predictor import Predictor
from mtlaerial.runs.run import load_description, save_description
from support import tiny

SPEC = PredictionSpec(window=64, stride=48)
FILES = ["height.qml", "height.tif", "semantics.qml", "semantics.tif", "stac_item.json"]


@pytest.fixture(scope="module")
def predictor(run_folder: Path) -> Predictor:
    return Predictor(run_folder, SPEC)


def ortho(folder: Path, seed: int = 0) -> Path:
    values = np.random.default_rng(seed).integers(0, 255, (3, 64, 64), np.uint8)
    return tiny.write_raster(folder / "ortho.tif", values)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_maps_of_another_image_are_replaced_only_on_request(predictor: Predictor, tmp_path: Path) -> None:
    maps = tmp_path / "maps"
    predictor.predict_image(ortho(tmp_path / "a"), maps)
    before = contents(maps)
    image = ortho(tmp_path / "b", seed=1)
    with pytest.raises(DataError, match=r"semantics\.tif: found a map of another image, ortho\.tif.*--replace"):
        predictor.predict_image(image, maps)
    assert contents(maps) == before
    predictor.predict_image(image, maps, replace=True)
    with rasterio.open(maps / "height.tif") as source:
        assert source.tags()["IMAGE"] == "ortho.tif"
    predictor.predict_image(image, maps)


def test_maps_by_another_run_are_replaced_only_on_request(
    predictor: Predictor, run_folder: Path, tmp_path: Path
) -> None:
    image, maps = ortho(tmp_path), tmp_path / "maps"
    predictor.predict_image(image, maps)
    with rasterio.open(maps / "height.tif") as source:
        identity = source.tags()["IMAGE_ID"]
    origin = {"IMAGE": "ortho.tif", "IMAGE_ID": identity, "RUN": "city/uw/seed0", "RUN_ID": "another"}
    with pytest.raises(DataError, match=r"found a map by another run, city/equal/seed0; expected no map, or one of"):
        require_replaceable(image, [maps / "height.tif"], origin, False, maps / ITEM)
    require_replaceable(image, [maps / "height.tif"], origin, True, maps / ITEM)


def test_files_that_no_prediction_wrote_are_replaced_only_on_request(predictor: Predictor, tmp_path: Path) -> None:
    image = ortho(tmp_path)
    (tmp_path / "maps").mkdir()
    (tmp_path / "maps" / "height.tif").write_text("notes")
    with pytest.raises(DataError, match=r"height\.tif: found a file that is no map"):
        predictor.predict_image(image, tmp_path / "maps")
    shutil.copy(image, tmp_path / "maps" / "height.tif")
    with pytest.raises(DataError, match=r"height\.tif: found a file without the name of its image"):
        predictor.predict_image(image, tmp_path / "maps")


def test_sidecars_of_no_map_are_not_taken_for_those_of_the_new_maps(predictor: Predictor, tmp_path: Path) -> None:
    image, maps = ortho(tmp_path), tmp_path / "maps"
    maps.mkdir()
    (maps / "semantics.qml").write_text("classes of maps that have been removed")
    (maps / ITEM).write_text("{}")
    with pytest.raises(DataError, match=r"stac_item\.json: found a file without maps;.*--replace"):
        predictor.predict_image(image, maps)
    (maps / ITEM).unlink()
    predictor.predict_image(image, maps)
    assert (maps / "semantics.qml").read_text().startswith("<!DOCTYPE qgis")
    (maps / "semantics.qml").write_text("<qgis>edited</qgis>")
    predictor.predict_image(image, maps)
    assert (maps / "semantics.qml").read_text() == "<qgis>edited</qgis>"


@pytest.mark.parametrize("replace", [False, True])
def test_an_image_is_never_replaced_by_its_own_map(predictor: Predictor, tmp_path: Path, replace: bool) -> None:
    image = ortho(tmp_path).rename(tmp_path / "semantics.tif")
    before = contents(tmp_path)
    with pytest.raises(DataError, match=r"semantics\.tif: found the image itself.*Choose another --out"):
        predictor.predict_image(image, tmp_path, replace=replace)
    assert contents(tmp_path) == before


def test_a_file_that_the_image_reads_is_never_replaced(predictor: Predictor, tmp_path: Path) -> None:
    source = ortho(tmp_path).rename(tmp_path / "height.tif")
    with rasterio.open(source) as opened:
        rasterio.shutil.copy(opened, tmp_path / "ortho.vrt", driver="VRT")
    with pytest.raises(DataError, match=r"height\.tif: found a file that .*ortho\.vrt reads"):
        predictor.predict_image(tmp_path / "ortho.vrt", tmp_path, replace=True)


def test_files_behind_vrts_of_vrts_are_told_apart_and_never_replaced(predictor: Predictor, tmp_path: Path) -> None:
    source = ortho(tmp_path / "maps").rename(tmp_path / "maps" / "height.tif")
    inner, outer = tmp_path / "inner.vrt", tmp_path / "outer.vrt"
    with rasterio.open(source) as opened:
        rasterio.shutil.copy(opened, inner, driver="VRT")
        # GDAL would copy a VRT's own sources.
        outer.write_text(inner.read_text().replace("maps/height.tif", "inner.vrt"))
    earlier = source_id(outer)
    os.utime(source, (0, 0))
    assert source_id(outer) != earlier
    assert source_id(outer) == source_id(outer)
    with pytest.raises(DataError, match=r"height\.tif: found a file that .*outer\.vrt reads"):
        predictor.predict_image(outer, tmp_path / "maps", replace=True)


def test_maps_that_a_new_prediction_does_not_write_are_removed(
    predictor: Predictor, run_folder: Path, tmp_path: Path
) -> None:
    image, maps = ortho(tmp_path), tmp_path / "maps"
    Predictor(run_folder, SPEC.model_copy(update={"dropout_passes": 2})).predict_image(image, maps)
    assert (maps / "height_std.tif").exists()
    predictor.predict_image(image, maps)
    assert sorted(contents(maps)) == FILES


def test_left_overs_of_a_killed_prediction_are_removed(predictor: Predictor, tmp_path: Path) -> None:
    from mtlaerial.system import files

    image, maps = ortho(tmp_path), tmp_path / "maps"
    maps.mkdir()
    (maps / f".height.{files._HOST}-99999999.part.1.tif").write_text("half")
    predictor.predict_image(image, maps)
    assert sorted(contents(maps)) == FILES


def test_a_renamed_description_of_the_same_weights_is_the_same_run(run_folder: Path, tmp_path: Path) -> None:
    description = load_description(run_folder)
    shutil.copy(run_folder / "model.safetensors", tmp_path)
    save_description(tmp_path, description.plan, description.statistics.model_copy(update={"title": "Other"}))
    assert load_description(tmp_path).sha256 == description.sha256


def renamed(run_folder: Path, folder: Path) -> Predictor:
    """Return a predictor of the same weights with another name and colour of the first class."""
    description = load_description(run_folder)
    statistics = description.statistics
    first = statistics.classes[0].model_copy(update={"name": "corrected", "colour": (1, 2, 3)})
    corrected = statistics.model_copy(update={"classes": (first, *statistics.classes[1:])})
    folder.mkdir()
    shutil.copy(run_folder / "model.safetensors", folder)
    save_description(folder, description.plan, corrected)
    return Predictor(folder, SPEC)


def test_maps_that_state_other_classes_or_another_title_are_not_finished(
    predictor: Predictor, run_folder: Path, tmp_path: Path
) -> None:
    maps = tmp_path / "maps"
    image = match_image(ortho(tmp_path), predictor.description, ImageOptions())
    origin = image_origin(predictor, image)
    write_image_maps(predictor, image, maps, origin)
    description = predictor.description
    assert is_finished(maps, origin, description)
    retitled = description.statistics.model_copy(update={"title": "Corrected"})
    assert not is_finished(maps, origin, description.model_copy(update={"statistics": retitled}))
    corrected = renamed(run_folder, tmp_path / "run")
    assert not is_finished(maps, origin, corrected.description)
    write_image_maps(corrected, image, maps, origin)
    assert is_finished(maps, origin, corrected.description)
    assert not is_finished(maps, origin, description)


def test_maps_with_another_value_of_no_image_are_not_finished(predictor: Predictor, tmp_path: Path) -> None:
    """The part of the image that names it in the origin need not have the value."""
    image = match_image(ortho(tmp_path), predictor.description, ImageOptions())
    settings = []
    for nodata in (None, 3.0, 4.0):
        statistics = predictor.description.statistics.model_copy(update={"nodata": nodata})
        changed = copy(predictor)
        changed.description = predictor.description.model_copy(update={"statistics": statistics})
        settings.append(image_origin(changed, image)["SETTINGS_ID"])
    assert len(set(settings)) == 3


def test_killed_prediction_leaves_no_style_of_the_earlier_map_beside_the_new_one(
    predictor: Predictor, run_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image, maps = ortho(tmp_path), tmp_path / "maps"
    predictor.predict_image(image, maps)
    corrected = renamed(run_folder, tmp_path / "run")

    def killed(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("mtlaerial.prediction.shown_maps.write_style", killed)
    with pytest.raises(KeyboardInterrupt):
        corrected.predict_image(image, maps)
    with rasterio.open(maps / "semantics.tif") as source:
        assert stated_palette(source).categories[0].name == "corrected"
    assert not (maps / "semantics.qml").exists()
    assert (maps / "height.qml").exists()  # the same as before


def test_a_style_that_nobody_edited_follows_corrected_classes(
    predictor: Predictor, run_folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    image, maps = ortho(tmp_path), tmp_path / "maps"
    predictor.predict_image(image, maps)
    corrected, style = renamed(run_folder, tmp_path / "run"), maps / "semantics.qml"
    corrected.predict_image(image, maps)
    assert 'color="#010203"' in style.read_text()
    assert 'label="corrected"' in style.read_text()
    assert caplog.text.count("replacing") == 1  # the style of heights is the same
    edited = style.read_text().replace("#010203", "#040506")
    style.write_text(edited)
    predictor.predict_image(image, maps)
    assert style.read_text() == edited
