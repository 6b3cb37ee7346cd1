"""Intervals of objects' heights from a calibrated run to a file of objects, and maps that they do not hold for."""

import shutil
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
from typer.testing import CliRunner

from mtlaerial.calibration.record import Calibration, ObjectCalibration
from mtlaerial.cli import app
from mtlaerial.config import PredictionSpec
from mtlaerial.config.calibration import calibrated_settings_id
from mtlaerial.errors import UserError
from mtlaerial.pipeline.object_calibration import object_calibration
from mtlaerial.runs.calibration_file import save_calibration
from mtlaerial.runs.run import load_description
from support.class_maps import write_maps

ERRORS = tuple(np.arange(1.0, 21.0) / 10)
"""Of 20 validation objects: the 90 % interval is the ⌈21 · 0.9⌉ = 19th, 1.9 m."""
Calibrate = Callable[..., Path]


@pytest.fixture
def calibrate(run_folder: Path, tmp_path: Path) -> Calibrate:
    """Return a function that copies a run and gives it a calibration with objects."""

    def calibrate(name: str = "run", **changes: object) -> Path:
        folder = tmp_path / name
        shutil.copytree(run_folder, folder)
        run = load_description(folder)
        building = ObjectCalibration(min_area=10, areas=(40.0,) * 20, heights=(6.0,) * 20, errors=ERRORS)
        made = {"run": run.sha256, "predictor": "single", "prediction": run.plan.prediction, "tiles": {}}
        save_calibration(folder, Calibration(**{**made, "objects": {"building": building}, **changes}))
        return folder

    return calibrate


def maps_of(run: Path, folder: Path, prediction: PredictionSpec | None = None) -> Path:
    """Write maps with two buildings, 6 and 1 m high, tagged as those of a run."""
    codes, heights = np.zeros((60, 60), dtype=int), np.zeros((60, 60))
    codes[5:25, 5:25] = codes[30:50, 30:50] = 1
    heights[5:25, 5:25], heights[30:50, 30:50] = 6, 1
    write_maps(folder, codes, heights)
    description = load_description(run)
    settings = calibrated_settings_id(prediction or description.plan.prediction)
    with rasterio.open(folder / "semantics.tif", "r+") as out:
        out.update_tags(RUN=description.name, RUN_ID=description.sha256, PREDICTION_ID=settings)
    return folder


def test_objects_have_the_bounds_that_the_run_is_calibrated_for(calibrate: Calibrate, tmp_path: Path) -> None:
    run = calibrate()
    maps, out = maps_of(run, tmp_path / "maps"), tmp_path / "buildings.gpkg"
    result = CliRunner().invoke(app, ["vectorise", str(maps), "--out", str(out), "--run", str(run)])
    assert result.exit_code == 0, result.output
    objects = gpd.read_file(out)
    np.testing.assert_allclose(objects["height_lower"], [4.1, 0.0])
    np.testing.assert_allclose(objects["height_upper"], [7.9, 2.9])
    without = tmp_path / "without.gpkg"
    assert CliRunner().invoke(app, ["vectorise", str(maps), "--out", str(without)]).exit_code == 0
    assert gpd.read_file(without)["height_lower"].isna().all()


def test_too_few_validation_objects_give_no_bounds(
    calibrate: Calibrate, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    few = ObjectCalibration(min_area=10, areas=(40.0,) * 6, heights=(6.0,) * 6, errors=ERRORS[:6])
    run = calibrate(objects={"building": few})
    maps, out = maps_of(run, tmp_path / "maps"), tmp_path / "buildings.gpkg"
    with caplog.at_level("INFO"):
        CliRunner().invoke(app, ["vectorise", str(maps), "--out", str(out), "--run", str(run)])
    assert gpd.read_file(out)["height_upper"].isna().all()
    assert "No 90 % intervals of the heights of building: 6 validation objects; at least 9 needed." in caplog.text


def test_maps_that_it_does_not_hold_for_are_refused(calibrate: Calibrate, tmp_path: Path) -> None:
    run = calibrate()
    settings = load_description(run).plan.prediction
    other = maps_of(run, tmp_path / "other", settings.model_copy(update={"views": ("mirror",)}))
    bare = write_maps(tmp_path / "bare", np.zeros((9, 9)))
    for maps, message in (
        (other, "a map of other settings; expected those that the run is calibrated for"),
        (bare, "a map by town; expected one by"),
    ):
        with pytest.raises(UserError, match=message):
            object_calibration([run], [maps])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"objects": {}}, "found a calibration without objects; expected a run whose objects are calibrated"),
        ({"run": "f" * 64}, "found a calibration that was made with weights of SHA-256 ffffffffffff"),
    ],
)
def test_runs_without_a_calibration_of_objects_are_refused(
    calibrate: Calibrate, run_folder: Path, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        object_calibration([calibrate(**changes)], [])
    with pytest.raises(UserError, match="found no calibration; expected a run whose objects are calibrated"):
        object_calibration([run_folder], [])


def test_validation_objects_of_folds_are_joined(calibrate: Calibrate, tmp_path: Path) -> None:
    first = calibrate("first", tiles={"city_1": "a"})
    low = ObjectCalibration(min_area=20, areas=(40.0,) * 20, heights=(6.0,) * 20, errors=tuple(np.array(ERRORS) + 5))
    second = calibrate("second", tiles={"city_2": "b"}, objects={"building": low})
    maps = maps_of(first, tmp_path / "maps")
    part = object_calibration([first, second], [maps])["building"]
    assert (part.min_area, part.errors) == (20, (*ERRORS, *low.errors))
    again = calibrate("again", tiles={"city_3": "a"})
    with pytest.raises(
        UserError, match=r"again: found the validation tile city_3, which .*first has too; expected each"
    ):
        object_calibration([first, again], [maps])
    other = load_description(first).plan.prediction.model_copy(update={"views": ("mirror",)})
    third = calibrate("third", tiles={}, prediction=other)
    with pytest.raises(UserError, match="third: found other settings of maps; expected those of"):
        object_calibration([first, third], [maps])
