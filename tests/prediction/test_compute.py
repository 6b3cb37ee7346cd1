"""Device, threads and precision of a prediction, wherever the run was trained."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import rasterio
import torch
import yaml

from mtlaerial.config import PredictionSpec
from mtlaerial.errors import DeviceError
from mtlaerial.prediction.compute import device_of, threads_of
from mtlaerial.prediction.predictor import Predictor
from support import tiny

SPEC = PredictionSpec(window=64, stride=48, activation="softmax", height_encoding="float32", negative_heights=True)


def spec(**changes: object) -> PredictionSpec:
    return PredictionSpec.parse({**SPEC.model_dump(), **changes}, "prediction")


@pytest.mark.parametrize(
    ("accelerator", "stated", "gpu", "device"),
    [
        ("auto", None, False, "cpu"),
        ("auto", None, True, "cuda"),
        ("cuda", None, False, "cpu"),
        ("cpu", None, True, "cpu"),
        ("cpu", "cuda", True, "cuda"),
        ("cuda", "cpu", True, "cpu"),
    ],
)
def test_a_prediction_has_the_stated_device_or_what_the_machine_has(
    accelerator: str, stated: str | None, gpu: bool, device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpu)
    assert device_of(spec(device=stated), [tiny.training_spec(accelerator=accelerator)]).type == device


def test_engines_of_the_cpu_leave_a_gpu_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    trainings = [tiny.training_spec(accelerator="cuda")]
    assert [device_of(spec(engine=engine), trainings).type for engine in ("openvino", "torch", "inductor")] == [
        *("cpu", "cuda", "cuda")
    ]


def test_a_gpu_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(DeviceError, match=r"prediction\.device: found cuda, and no GPU .*Add --device cpu"):
        device_of(spec(device="cuda"), [tiny.training_spec()])


def test_more_threads_than_cores_are_said_to_change_maps(caplog: pytest.LogCaptureFixture) -> None:
    trainings = [tiny.training_spec(threads=1), tiny.training_spec(threads=1024)]
    assert threads_of(SPEC, trainings) == min(1024, os.cpu_count() or 1)
    assert "the run computes with 1024 threads" in caplog.text
    caplog.clear()
    assert threads_of(spec(threads=1), trainings) == 1
    assert not caplog.records


def test_a_run_of_half_precision_on_a_gpu_predicts_on_the_cpu(run_folder: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(run_folder, tmp_path / "run"))
    description = yaml.safe_load((run / "run.yaml").read_text())
    description["plan"]["training"] |= {"accelerator": "cuda", "precision": "16-mixed"}
    (run / "run.yaml").write_text(yaml.safe_dump(description))
    array = np.random.default_rng(0).integers(1, 255, (3, 64, 64), np.uint8)
    path = tiny.write_raster(tmp_path / "a.tif", array)
    heights = []
    for folder, prediction in ((run_folder, SPEC), (run, spec(device="cpu")), (run, spec(precision="32-true"))):
        Predictor(folder, prediction).predict_image(path, tmp_path / str(len(heights)))
        with rasterio.open(tmp_path / str(len(heights)) / "height.tif") as source:
            heights.append(source.read(1))
    whole, half, again = heights
    # float16 has 11 binary digits; some layers add up their errors.
    np.testing.assert_allclose(half, whole, atol=0.02 * float(np.abs(whole).max()))
    assert (half != whole).any()
    np.testing.assert_array_equal(again, whole)
