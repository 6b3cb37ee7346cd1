"""Maps of a calibrated run: bounds of heights, probabilities at a temperature, and sentences where there are none."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import torch

from mtlaerial.calibration.record import Calibration, ClassCalibration, ErrorScale, HeightCalibration
from mtlaerial.calibration.temperature import with_temperature
from mtlaerial.config import PredictionSpec
from mtlaerial.errors import ConfigError
from mtlaerial.prediction.applied_calibration import tempered
from mtlaerial.prediction.predictor import Predictor
from mtlaerial.prediction.settings import prediction_for
from mtlaerial.runs.calibration_file import CALIBRATION, save_calibration
from mtlaerial.runs.run import load_description
from mtlaerial.runs.text import describe_run
from mtlaerial.tiles.statistics import Statistics
from support import tiny
from support.small_runs import drawn_run
from support.tiny import Folders

SPEC: dict[str, Any] = {"window": 64, "stride": 48, "activation": "softmax"}
EDGE = -2.0
"""Metres between the bins, within the heights of the drawn network."""
SCALE = ErrorScale(kind="deviation", offset=0.1, unknown=3.0, cells=20)
NAMES = ["height", "height_lower", "height_upper"]


def calibrate(run: Path, scale: str = "none", **settings: Any) -> Path:
    """Write a calibration of a run for some settings of its prediction: factors 0.25 and 2, at 90 % twice as much."""
    heights = HeightCalibration(
        scale=ErrorScale(kind="none") if scale == "none" else SCALE,
        edges=(EDGE,),
        levels=(0.5, 0.9),
        factors=((0.25, 0.5), (2.0, 4.0)),
        units=((20, 20), (20, 20)),
        cell_side=60.0,
        notes=("No 95 % intervals: too few.",),
    )
    classes = ClassCalibration(temperature=3.0, cells=20, pixels=9, likelihood_before=1.0, likelihood_after=0.9)
    calibration = Calibration(
        run=load_description(run).sha256,
        predictor="single",
        prediction=PredictionSpec.parse({**SPEC, **settings}, "prediction"),
        tiles={"north": "ab", "south": "cd"},
        classes={"semantics": classes},
        heights={"height": heights},
    )
    save_calibration(run, calibration)
    return run


@pytest.fixture
def run(statistics: Statistics, tmp_path: Path) -> Path:
    plan = tiny.run_plan(height_unit=200).model_copy(update={"prediction": PredictionSpec.parse(SPEC, "prediction")})
    return drawn_run(tmp_path / "run", plan, statistics)


@pytest.fixture
def image(tiles: Folders) -> Path:
    return tiles["test"][0] / "image.tif"


def predict(run: Path, image: Path, **settings: Any) -> Path:
    Predictor(run, PredictionSpec.parse({**SPEC, **settings}, "prediction")).predict_image(image, run / "maps")
    return run / "maps"


def pixels(path: Path) -> np.ndarray:
    with rasterio.open(path) as source:
        return source.read(masked=True)


EXACT = {"height_encoding": "float32", "negative_heights": True}


def test_bounds_are_as_far_from_the_height_as_its_bin_says(run: Path, image: Path) -> None:
    maps = predict(calibrate(run), image, interval=90, **EXACT)
    height, lower, upper = (pixels(maps / f"{name}.tif")[0] for name in NAMES)
    assert 0.05 < (height < EDGE).mean() < 0.95
    half = np.where(height < EDGE, 0.5, 4.0)
    np.testing.assert_allclose(upper - height, half, atol=1e-4)
    np.testing.assert_allclose(height - lower, half, atol=1e-4)


def test_bounds_are_multiples_of_the_deviation_of_each_pixel(run: Path, image: Path) -> None:
    settings = {"views": ["mirror"], "spread": ["samples", "overlap"]}
    maps = predict(calibrate(run, "deviation", **settings), image, interval=50, **settings, **EXACT)
    height, lower, upper = (pixels(maps / f"{name}.tif")[0] for name in NAMES)
    deviation = pixels(maps / "height_std.tif")[0]
    lacking = np.ma.getmaskarray(deviation)
    assert 0.05 < lacking.mean() < 0.95, "of one window alone, where overlap says nothing"
    assert deviation.std() > 0.01
    scale = np.where(lacking, 3.0, deviation.data + 0.1)
    np.testing.assert_allclose((upper - lower) / 2, np.where(height < EDGE, 0.25, 2.0) * scale, atol=1e-4)


def test_bounds_are_layers_for_people_with_their_level_and_the_tiles_of_the_calibration(run: Path, image: Path) -> None:
    maps = predict(calibrate(run), image, interval=90)
    with rasterio.open(maps / "height_lower.tif") as source:
        assert (source.dtypes[0], source.scales[0], source.units[0]) == ("int16", 0.01, "metre")
        assert source.descriptions == ("lower bound of height above ground, interval of 90 %",)
        tags = source.tags()
        assert source.read().min() == 0  # no height for people is below the ground
    assert (tags["INTERVAL"], tags["CALIBRATED_ON"], tags["CALIBRATED_FOR"]) == ("90 %", "north, south", "single")
    assert (maps / "height_upper.qml").exists()
    with rasterio.open(maps / "height.tif") as source:
        assert "INTERVAL" not in source.tags()
    predict(run, image)
    assert sorted(path.stem for path in maps.glob("*.tif")) == ["height", "semantics"], "stale bounds are removed"


def test_pixels_that_are_no_image_have_no_bounds(run: Path, image: Path, tmp_path: Path) -> None:
    with rasterio.open(image) as source:
        profile, values = source.profile, source.read()
    masked = tmp_path / "masked.tif"
    with rasterio.open(masked, "w", **profile) as out:
        out.write(values)
        mask = np.full(values.shape[1:], 255, np.uint8)
        mask[:20] = 0
        out.write_mask(mask)
    maps = predict(calibrate(run), masked, interval=90)
    for name in NAMES:
        missing = np.ma.getmaskarray(pixels(maps / f"{name}.tif")[0])
        assert missing[:20].all()
        assert not missing[20:].any()


def test_probabilities_and_their_entropy_have_the_temperature(run: Path, image: Path) -> None:
    layers = {"layers": ["probabilities", "entropy"]}
    plain = pixels(predict(run, image, **layers) / "semantics_probabilities.tif") * 0.004
    maps = predict(calibrate(run), image, **layers)
    calibrated = pixels(maps / "semantics_probabilities.tif") * 0.004
    expected = with_temperature(np.asarray(plain, np.float32), 3.0)
    sure = np.asarray(plain).min(axis=0) > 0.02  # smaller ones are rounded to steps of 0.004
    assert sure.mean() > 0.2
    np.testing.assert_allclose(calibrated[:, sure], expected[:, sure], atol=0.03)
    with rasterio.open(maps / "semantics_entropy.tif") as source:
        assert source.tags()["TEMPERATURE"] == "3"
        bits = -(expected * np.log2(expected)).sum(axis=0)
        np.testing.assert_allclose(source.read(1)[sure] * 0.001, bits[sure], atol=0.1)
    assert (pixels(maps / "semantics.tif") == pixels(run / "maps" / "semantics.tif")).all()


def test_the_temperature_on_a_device_is_that_of_the_library() -> None:
    scores = torch.rand(4, 3, 5, generator=torch.Generator().manual_seed(0))
    scores[:, 0, 0] = torch.nan
    scores[1, 1, 1] = 0
    expected = with_temperature((scores / scores.sum(0)).numpy(), 1.7)
    np.testing.assert_allclose(tempered(scores, 1.7).numpy(), expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"interval": 95}, "no bounds of 95 %, as it has intervals of 50 %, 90 %, and none of 95 %. No 95 % intervals"),
        (
            {"interval": 90, "stride": 32},
            "as it has a calibration that was made with other settings (stride 32 instead",
        ),
        ({"layers": ["entropy"], "stride": 32}, "probabilities are not calibrated, as the calibration was made with"),
    ],
)
def test_what_a_calibration_does_not_tell_is_left_out_and_said(
    run: Path, image: Path, settings: dict[str, Any], words: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        maps = predict(calibrate(run), image, **settings)
    assert words in caplog.text
    assert not list(maps.glob("height_*.tif"))


def test_an_interval_of_the_configuration_without_a_calibration_is_said(
    run: Path, image: Path, caplog: pytest.LogCaptureFixture
) -> None:
    maps = predict(run, image, interval=90)
    assert "no bounds of 90 %, as it has no calibration. Calibrate it: mtlaerial calibrate RUN_DIR" in caplog.text
    assert not list(maps.glob("height_*.tif"))
    assert "none, hence no intervals (mtlaerial calibrate RUN_DIR" in describe_run(run)


def test_an_interval_that_is_asked_for_and_cannot_be_told_is_refused(run: Path) -> None:
    with pytest.raises(ConfigError, match="--interval: found no calibration; expected a run that is calibrated for"):
        prediction_for(run, interval=90)
    calibrate(run)
    assert prediction_for(run, interval=90).interval == 90
    with pytest.raises(
        ConfigError, match=r"made with other settings .*\. Predict with the settings of the calibration\.$"
    ):
        prediction_for(run, interval=90, views="mirror")
    with pytest.raises(ConfigError, match=r"or calibrate for these: mtlaerial calibrate RUN_DIR .* --blend even\.$"):
        prediction_for(run, interval=90, blend="even")
    with pytest.raises(ConfigError, match=r"and none of 80 %; .*\. Choose one of these, or add"):
        prediction_for(run, interval=80)
    assert "single, on 2 validation tiles; semantics: temperature 3" in describe_run(run)


def test_maps_of_tiles_are_what_the_network_says(run: Path, tiles: Folders) -> None:
    settings = PredictionSpec.parse({**SPEC, "interval": 90, "layers": ["probabilities"]}, "prediction")
    for name in ("before", "after"):
        Predictor(run, settings).predict_tiles(tiles["test"], run / name)
        calibrate(run)
    tile = tiles["test"][0].name
    assert not list((run / "after" / tile).glob("height_*.tif"))
    file = f"{tile}/semantics_probabilities.tif"
    assert (run / "before" / file).read_bytes() == (run / "after" / file).read_bytes()
    (run / CALIBRATION).unlink()
