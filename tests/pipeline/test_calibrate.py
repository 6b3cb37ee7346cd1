"""Calibration of a run: by the command line, bound to its weights, and on validation tiles alone."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import yaml
from scipy import ndimage
from typer.testing import CliRunner

from mtlaerial.cli import app
from mtlaerial.config import PredictionSpec
from mtlaerial.config.calibration import CalibrationSpec
from mtlaerial.config.objects import ObjectsSpec
from mtlaerial.config.prediction import Blend
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.errors import DataError, UserError
from mtlaerial.pipeline.calibrate_run import calibrate_run
from mtlaerial.pipeline.calibration_notes import calibration_notes
from mtlaerial.pipeline.decisive_params import Decisive
from mtlaerial.prediction.predictor import Predictor
from mtlaerial.runs.calibration_file import load_calibration, unfit_text
from mtlaerial.runs.cost import PredictionCost
from mtlaerial.runs.run import load_description
from mtlaerial.tiles.record import image_hash
from support.city_project import project_of
from support.tiny import Folders

CELL = 12.0
"""Of the tile of 48 m: 16 cells."""


@pytest.fixture(scope="module")
def calibrated(run_folder: Path, city: Dataset, tiles: Folders, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a run that the command calibrated; not to be written to."""
    folder = tmp_path_factory.mktemp("calibrated") / "run"
    shutil.copytree(run_folder, folder)
    spec = folder.parent / "city.yaml"
    spec.write_text(yaml.safe_dump(city.spec.model_dump(mode="json", exclude_none=True)))
    options = ["--root", str(city.root), "--tiles", str(tiles["val"][0].parent), "--cell", str(CELL)]
    result = CliRunner().invoke(app, ["calibrate", str(folder), str(spec), *options])
    assert result.exit_code == 0, result.output
    assert "single, on 1 validation tile\nsemantics: temperature " in result.output
    assert "height: intervals of 50 %, 80 %, 90 %, of the height alone; cells of 12 m" in result.output
    assert "No 95 % intervals: 16 calibration cells; at least 19 needed." in result.output
    enough = "0 validation objects of at least 10 m², enough for intervals of no level"
    assert f"objects, building: {enough}" in result.output
    return folder


def test_the_calibration_is_of_the_run_s_weights_settings_and_validation_tile(calibrated: Path, tiles: Folders) -> None:
    run, calibration = load_description(calibrated), load_calibration(calibrated)
    assert calibration is not None
    assert (calibration.run, calibration.prediction) == (run.sha256, run.plan.prediction)
    assert calibration.tiles == {tiles["val"][0].name: image_hash(tiles["val"][0])} == run.validation
    assert calibration.heights["height"].levels == (0.5, 0.8, 0.9)
    assert calibration.classes["semantics"].cells == 16
    assert not list(calibrated.glob(".calibration-*"))
    assert unfit_text(calibration, run, run.plan.prediction.model_copy(update={"batch": 9})) == ""


@pytest.mark.full("a calibration of its own")
def test_it_can_be_made_for_maps_of_other_windows(
    run_folder: Path, city: Dataset, tiles: Folders, tmp_path: Path
) -> None:
    folder, spec = tmp_path / "run", tmp_path / "city.yaml"
    shutil.copytree(run_folder, folder)
    spec.write_text(yaml.safe_dump(city.spec.model_dump(mode="json", exclude_none=True)))
    run = load_description(folder)
    blend: Blend = "original" if run.plan.prediction.blend == "even" else "even"
    options = ["--root", str(city.root), "--tiles", str(tiles["val"][0].parent), "--cell", str(CELL), "--blend", blend]
    result = CliRunner().invoke(app, ["calibrate", str(folder), str(spec), *options])
    assert result.exit_code == 0, result.output
    calibration = load_calibration(folder)
    assert calibration is not None
    assert unfit_text(calibration, run, run.plan.prediction.blended(blend)) == ""
    assert "made with other settings (blend" in unfit_text(calibration, run, run.plan.prediction)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"stride": 512}, "stride 512 instead of 256"),
        ({"views": ["mirror"], "spread": ["samples"]}, "views [mirror] instead of [], spread [samples] instead of []"),
    ],
)
def test_it_does_not_hold_for_other_settings(calibrated: Path, changes: dict[str, Any], words: str) -> None:
    run, calibration = load_description(calibrated), load_calibration(calibrated)
    assert calibration is not None
    prediction = PredictionSpec.parse({**run.plan.prediction.model_dump(), **changes}, "prediction")
    assert unfit_text(calibration, run, prediction) == f"made with other settings ({words})"


def test_it_does_not_hold_for_other_weights(calibrated: Path) -> None:
    run, calibration = load_description(calibrated), load_calibration(calibrated)
    assert calibration is not None
    other = run.model_copy(update={"sha256": "f" * 64})
    text = unfit_text(calibration, other, run.plan.prediction)
    assert text.startswith("made with weights of SHA-256 ")
    assert text.endswith("and the run has those of ffffffffffff…")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "found a damaged file"),
        ("[]", "found a list; expected the calibration of a run. Calibrate the run again: mtlaerial calibrate RUN_DIR"),
        ('{"format": 7}', "found format 7, which a newer mtlaerial wrote"),
        ('{"format": 1}', "found format 1, which an older mtlaerial wrote"),
        ('{"format": 2}', "calibration.json, key run: found nothing"),
    ],
)
def test_a_file_that_is_no_calibration_is_refused(tmp_path: Path, content: str, words: str) -> None:
    (tmp_path / "calibration.json").write_text(content)
    with pytest.raises(UserError) as error:
        load_calibration(tmp_path)
    assert words in str(error.value)


def test_a_training_tile_is_refused(run_folder: Path, tiles: Folders) -> None:
    with pytest.raises(
        DataError, match=r"a validation tile that .* was trained on, as city_1; expected tiles that the"
    ):
        calibrate_run(run_folder, tiles["train"][:1], CalibrationSpec(), PredictionSpec(), [2.0])


def test_a_data_set_without_validation_tiles_is_refused(run_folder: Path, city: Dataset, tmp_path: Path) -> None:
    spec = tmp_path / "city.yaml"
    splits = {"train": ["city_1"], "test": ["city_4", "city_3"]}
    spec.write_text(yaml.safe_dump({**city.spec.model_dump(mode="json", exclude_none=True), "splits": splits}))
    result = CliRunner().invoke(app, ["calibrate", str(run_folder), str(spec), "--root", str(city.root)])
    assert result.exit_code != 0
    assert f"{spec}, key splits.val: found no validation tiles; expected at least one" in str(result.exception)


def test_a_shipped_run_is_not_written_to(city: Dataset, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["calibrate", "town", str(tmp_path / "city.yaml"), "--root", str(city.root)])
    assert "RUN_DIR: found town, which mtlaerial ships; expected a run whose folder may be written to" in str(
        result.exception
    )


def test_the_workflow_says_where_there_are_no_intervals(data: dict[str, Any]) -> None:
    without = {"splits": {"val": []}}
    assert calibration_notes(project_of(data, without), "city") == []
    data["calibration"] = {}
    assert calibration_notes(project_of(data, {}), "city") == []
    project = project_of(data, without)
    note = (
        "No calibration, hence no intervals, on city: no validation tiles. "
        "List training tiles in datasets.city.hold_out."
    )
    assert calibration_notes(project, "city") == [note]
    assert note in Decisive(project).tables()["city"]["notes"]


def test_a_calibration_depends_on_the_validation_tiles_and_what_changes_maps(data: dict[str, Any]) -> None:
    def params(**changes: Any) -> str:
        return json.dumps(Decisive(project_of({**data, **changes})).calibrate("city", "both", "0"))

    data["calibration"] = {}
    project_of(data, {})
    before = params()
    assert params(prediction={"layers": ["entropy"]}) == before
    assert params(prediction={"stride": 128}) != before
    assert params(scoring={"height_bins": [3.0]}) != before
    assert params(calibration={"cell": 30}) != before
    data["datasets"]["city"]["hold_out"] = ["city_2"]
    assert params() != before


class TrueClasses(Predictor):
    """A predictor whose maps of classes are the truth, as those of the smallest network have one object."""

    def predict_tiles(self, tiles: Sequence[Path], folder: Path, match: Any = None) -> PredictionCost:
        cost = super().predict_tiles(tiles, folder)
        for tile in tiles:
            with (
                rasterio.open(tile / "labels.tif") as labels,
                rasterio.open(folder / tile.name / "semantics.tif", "r+") as out,
            ):
                out.write(labels.read())
        return cost


@pytest.mark.full("predicts and calibrates objects; tests/objects has the parts")
def test_objects_are_calibrated_by_the_pixels_of_each(
    run_folder: Path, tiles: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mtlaerial.pipeline.calibrate_run.Predictor", TrueClasses)
    run, tile = Path(shutil.copytree(run_folder, tmp_path / "run")), tiles["val"][0]
    names = ("building", "tree")
    objects = ObjectsSpec(classes=names, min_area=1, min_hole=0)
    prediction = load_description(run).plan.prediction
    calibration = calibrate_run(run, [tile], CalibrationSpec(cell=CELL), prediction, [2.0], objects)
    Predictor(run, prediction).predict_tiles([tile], tmp_path)
    codes = rasterio.open(tile / "labels.tif").read(1)
    # Heights have cells of 1 m, labels of 0.5 m.
    predicted, true = (
        rasterio.open(path).read(1).repeat(2, axis=0).repeat(2, axis=1)
        for path in (tmp_path / tile.name / "height.tif", tile / "height.tif")
    )
    errors = {name: [] for name in names}
    for name in names:
        code = [entry.name for entry in load_description(run).statistics.classes].index(name)
        labels, number = ndimage.label(codes == code)
        for index in range(1, number + 1):
            within = labels == index
            if within.sum() >= 4:  # 1 m² in pixels of 0.5 m
                errors[name].append(abs(np.median(true[within]) - np.median(np.maximum(predicted[within], 0))))
    assert sum(map(len, errors.values())) > 3
    for name, part in calibration.objects.items():
        np.testing.assert_allclose(sorted(part.errors), sorted(errors[name]), atol=0.011)  # whole centimetres
    assert load_calibration(run) == calibration


def test_a_class_that_the_run_lacks_is_named(run_folder: Path, tiles: Folders, tmp_path: Path) -> None:
    run = Path(shutil.copytree(run_folder, tmp_path / "run"))
    objects = ObjectsSpec(classes=("tower",))
    prediction = load_description(run).plan.prediction
    calibration = calibrate_run(run, tiles["val"][:1], CalibrationSpec(cell=CELL), prediction, [2.0], objects)
    assert calibration.objects == {}
    assert calibration.remarks[-1] == "No calibration of objects: the run has no class tower."
