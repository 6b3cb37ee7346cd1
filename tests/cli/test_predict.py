"""The command predict: options, cost, and a lack of memory."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mtlaerial.prediction.predictor import Predictor
from mtlaerial.runs.cost import PredictionCost, load_prediction_cost
from support import tiny
from support.command_line import Call


def test_predict_tells_and_keeps_the_cost(
    call: Call, run_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cost = PredictionCost(seconds=3, mpixel=2, peak_memory_mb=None, device="CPU")
    monkeypatch.setattr("mtlaerial.prediction.image_batch.predict_images", lambda *arguments: None)
    monkeypatch.setattr(Predictor, "has_predicted", True)
    monkeypatch.setattr(Predictor, "cost", cost)
    (tmp_path / "town.tif").touch()
    code, out, _ = call("predict", run_folder, tmp_path / "town.tif", "--out", tmp_path)
    assert (code, out.strip()) == (0, f"Maps in {tmp_path}, 1.5 s per Mpixel")
    assert load_prediction_cost(tmp_path / "prediction_cost.json") == cost


def test_predict_passes_its_options_on(
    call: Call, run_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Any] = []
    monkeypatch.chdir(tmp_path)
    Path("town.tif").touch()
    monkeypatch.setattr("mtlaerial.prediction.image_batch.predict_images", lambda *arguments: given.extend(arguments))
    options = ("--bands", "3,2,1", "--gsd", 0.25, "--resample", "--range", "0,4095", "--replace")
    computing = ("--device", "cpu", "--threads", 1, "--batch", 3, "--precision", "bf16-mixed")
    assert call("predict", run_folder, "town.tif", "--out", "maps", *options, *computing)[0] == 0
    predictor, inputs, out, options, replace = given
    assert ([image.location for image in inputs.images], inputs.several, out) == (["town.tif"], False, Path("maps"))
    assert options.settings == {
        "bands": [3, 2, 1], "gsd": 0.25, "resample": True, "range": (0.0, 4095.0), "area": None,
    }  # fmt: skip
    assert replace
    prediction = predictor.prediction
    assert (prediction.device, prediction.threads, prediction.batch) == ("cpu", 1, 3)
    assert prediction.precision == "bf16-mixed"


def test_a_prediction_that_runs_out_of_memory_says_so_in_one_sentence(
    call: Call, run_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exhausted(*arguments: object) -> None:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 39321600 bytes")

    monkeypatch.setattr(Predictor, "run_over", exhausted)
    image = tiny.write_raster(tmp_path / "town.tif", np.full((3, 64, 64), 7, np.uint8))
    code, _, err = call("predict", run_folder, image, "--out", tmp_path / "maps")
    assert code == 1
    assert err.splitlines()[-1].startswith("Error: memory: found no more for this process")
